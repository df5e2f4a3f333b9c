"""One trip: its track, speed, charge and altitude, and what is known of its energy."""

from dashboards.kit.charts import route
from dashboards.kit.influxql import named, select
from dashboards.kit.page import Page
from dashboards.kit.panels import Panel, lines, number
from dashboards.kit.tables import rows


def page() -> Page:
    """The dashboard that the start of a trip links to, with the range of that trip."""
    return Page(
        uid="voltrail-trip",
        title="Trip detail",
        text="One trip: its track, speed, charge and altitude. A row of a table of trips leads here.",
        of="vehicle",
        since="now-24h",
        rows=[
            ("In sum", [distance(), duration(), moving(), soc_used(), energy(), use()]),
            ("On the way", [track(), speed(), charge(), altitude()]),
            ("Battery", [voltage(), power(), packs(), range_left()]),
            ("How sure it is", [facts(), energy_facts(), fixes(), satellites()]),
        ],
    )


def distance() -> Panel:
    return _of_trip("Distance", "How far was it?", "distance_m")


def duration() -> Panel:
    return _of_trip("Duration", "How long did it take?", "duration_s")


def moving() -> Panel:
    return _of_trip("In motion", "How long did it move?", "riding_s")


def soc_used() -> Panel:
    return _of_trip("Charge used", "How much charge did it take?", "soc_used_pct")


def energy() -> Panel:
    return _of_trip("Energy", "How much energy did it take?", "energy_wh")


def use() -> Panel:
    return _of_trip("Consumption", "How much energy did a kilometre take?", "wh_per_km")


def track() -> Panel:
    return route(
        "Track",
        "Which way did it go? Positions in the range, joined in the order of their time.",
        select('"lat_deg", "lon_deg"', "location", '"hdop" < 5'),
        height=24,
    )


def speed() -> Panel:
    return lines(
        "Speed",
        "How fast was it? Every reading of the speed.",
        named(select('"speed_kmh"', "status"), "speed"),
        unit="velocitykmh",
    )


def charge() -> Panel:
    return lines(
        "Charge",
        "How did its charge fall? Every reading of the state of charge.",
        named(select('"soc_pct"', "status"), "charge"),
        unit="percent",
    )


def altitude() -> Panel:
    return lines(
        "Altitude",
        "Up or down? Every reading of the altitude above the sea, as positions have it.",
        named(select('"altitude_m"', "location"), "altitude"),
        unit="lengthm",
    )


def voltage() -> Panel:
    return lines(
        "Voltage",
        "How far did the voltage sag? Every reading at the battery's terminals.",
        named(select('"voltage_v"', "battery"), "voltage"),
        unit="volt",
    )


def power() -> Panel:
    return lines(
        "Power",
        "How hard did it work? Power into the battery, and what the vendor reports of the motor without a known sign.",
        named(select('"power_w"', "battery"), "battery"),
        named(select('"motor_power_w"', "battery"), "motor"),
        unit="watt",
    )


def packs() -> Panel:
    return lines(
        "Packs",
        "Do its packs fall alike? Every reading of each compartment's charge.",
        named(select('"pack_soc_pct"', "pack", by=["port"]), "port $tag_port"),
        unit="percent",
    )


def range_left() -> Panel:
    return lines(
        "Range",
        "What range did it promise? Every reading of its own estimate.",
        named(select('"range_m"', "status"), "range"),
        unit="lengthm",
    )


def facts() -> Panel:
    return rows(
        "How it is known",
        "How sure is the trip? How it was found, how far start and end may be off, and what to know before using it.",
        select(
            '"trip_id", "kind", "started_at", "finished_at", "start_uncertainty_s", "finish_uncertainty_s", '
            '"distance_source", "samples", "coverage", "flags"',
            "trips",
        ),
        "started_at",
        "kind",
        "start_uncertainty_s",
        "finish_uncertainty_s",
        "distance_source",
        "samples",
        "coverage",
        "flags",
        "trip_id",
        sort="started_at",
        width=24,
    )


def energy_facts() -> Panel:
    return rows(
        "How its energy is known",
        "How sure is the energy? Its interval of 95 %, and what it is computed from.",
        select(
            '"started_at", "energy_wh", "energy_low_wh", "energy_high_wh", "energy_source", "soc_used_low_pct", '
            '"soc_used_high_pct", "regen_wh", "ambient_c", "swaps"',
            "trips",
        ),
        "started_at",
        "energy_wh",
        "energy_low_wh",
        "energy_high_wh",
        "energy_source",
        "soc_used_low_pct",
        "soc_used_high_pct",
        "swaps",
        sort="started_at",
        width=24,
    )


def fixes() -> Panel:
    return lines(
        "Precision of positions",
        "How good are its positions? Horizontal dilution of precision; below 2 is good, beyond 5 useless.",
        named(select('"hdop"', "location"), "dilution"),
        unit="none",
    )


def satellites() -> Panel:
    return lines(
        "Satellites",
        "Did the receiver see the sky? Number of satellites in each fix.",
        named(select('"satellites"', "location"), "satellites"),
        unit="short",
    )


def _of_trip(title: str, question: str, column: str) -> Panel:
    what = f'last("{column}") AS "{column}"'
    return number(title, f"{question} Of the last trip that began in the range.", select(what, "trips"), column)
