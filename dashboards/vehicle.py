"""One vehicle: its state now, its day, and its last trips and charges."""

from dashboards.kit import style
from dashboards.kit.charts import places
from dashboards.kit.influxql import (
    AND_A_WEEK_BEFORE,
    EVER,
    by_length,
    either,
    named,
    newest,
    newest_rows,
    sample,
    select,
)
from dashboards.kit.page import Page
from dashboards.kit.panels import Panel, lines, number, timeline
from dashboards.kit.tables import TO_TRIP, rows

_LOCK = {"true": ("locked", style.GREEN), "false": ("unlocked", style.ORANGE)}
_ONLINE = {"true": ("online", style.GREEN), "false": ("offline", style.ORANGE)}


def page() -> Page:
    """The dashboard that every table of vehicles links to."""
    return Page(
        uid="voltrail-vehicle",
        title="Vehicle",
        text="One vehicle: its state now, its day, and its last trips and charges.",
        of="vehicle",
        since="now-2d",
        rows=[
            ("Now", [state(), charge(), range_left(), odometer(), locked(), online()]),
            ("Last day", [distance_today(), trips_today(), energy_today(), charged_today(), lock_cell(), unit_cell()]),
            ("Where and when", [position(), states(), charge_over_time(), speed_over_time(), signal(), voltage()]),
            ("Lately", [last_trips(), last_charges(), packs(), troubles(), names()]),
        ],
    )


def state() -> Panel:
    return number(
        "State",
        "What is it doing? Its newest state, as of the last analysis.",
        newest("state", "states"),
        "state",
        mappings=style.state_mappings(),
    )


def charge() -> Panel:
    return number(
        "Charge",
        "How much charge has it? The newest state of charge that it reported.",
        newest("soc_pct", "status"),
        "soc_pct",
        limits=style.low_is_bad(10, 20),
    )


def range_left() -> Panel:
    return number(
        "Range",
        "How far does it still go? Its own estimate; where it has none, the charge times what its trips took.",
        newest("range_m", "status"),
        "range_m",
    )


def odometer() -> Panel:
    return number(
        "Odometer",
        "How far has it ever gone? The newest reading of its odometer.",
        newest("odometer_m", "status"),
        "odometer_m",
    )


def locked() -> Panel:
    return number(
        "Lock",
        "Is it locked? As of its newest status.",
        newest("locked", "status"),
        "locked",
        mappings=style.word_mappings(_LOCK),
    )


def online() -> Panel:
    return number(
        "Connection",
        "Does the vendor's cloud reach it? As of its newest status.",
        newest("online", "status"),
        "online",
        mappings=style.word_mappings(_ONLINE),
    )


def distance_today() -> Panel:
    return _of_last_day("Distance", "How far did it go?", "distance_m")


def trips_today() -> Panel:
    return _of_last_day("Trips", "How many trips began?", "trips")


def energy_today() -> Panel:
    return _of_last_day("Energy", "How much energy did its trips take?", "driven_wh")


def charged_today() -> Panel:
    return number(
        "Charged or swapped in",
        "How much charge did it get? Percent that charges and swaps of packs added in the last two days.",
        select('sum("soc_added_pct") AS "soc_added_pct"', "charges"),
        "soc_added_pct",
        time_from="2d",
    )


def lock_cell() -> Panel:
    return number(
        "Lock's cell",
        "Does the lock still have power? The voltage of its own cell.",
        newest("lock_voltage_v", "status"),
        "lock_voltage_v",
    )


def unit_cell() -> Panel:
    return number(
        "Telematics battery",
        "Does the telematics unit still have power? The charge of its own battery.",
        newest("iot_soc_pct", "battery"),
        "iot_soc_pct",
        limits=style.low_is_bad(20, 40),
    )


def position() -> Panel:
    return places(
        "Where it was",
        "Where was it? Its positions in the chosen range.",
        sample('"lat_deg", "lon_deg"', "location"),
        height=10,
    )


def states() -> Panel:
    return timeline(
        "States",
        "What was it doing when? Each state lasts until the next begins; the last one is drawn up to the right edge.",
        named(select('"state"', "states", span=AND_A_WEEK_BEFORE, by=["vehicle"]), "$tag_vehicle"),
        mappings=style.state_mappings(),
        width=12,
    )


def charge_over_time() -> Panel:
    return lines(
        "Charge",
        "How did its charge change? Mean of each interval: of all readings up to two days, else of rollups.",
        *by_length("status", "soc_pct", "charge"),
        unit="percent",
        low=0,
        high=100,
        limits=style.low_is_bad(10, 20),
    )


def speed_over_time() -> Panel:
    return lines(
        "Speed",
        "How fast was it? Mean of each interval: of all readings up to two days, else of rollups.",
        *by_length("status", "speed_kmh", "speed"),
        unit="velocitykmh",
    )


def signal() -> Panel:
    return lines(
        "Radio signal",
        "How good is its connection? The vendor's raw figure, mean of each interval.",
        named(select('mean("network_signal")', "status", every="$__interval", fill="null"), "signal"),
        unit="none",
    )


def voltage() -> Panel:
    return lines(
        "Battery voltage",
        "How does its battery hold up? Voltage at the terminals, mean of each interval.",
        *by_length("battery", "voltage_v", "voltage"),
        unit="volt",
    )


def last_trips() -> Panel:
    return rows(
        "Trips",
        "Where did it go lately? Its trips in the chosen range; the start of each leads to its details.",
        newest_rows(
            '"vehicle", "started_at", "finished_at", "duration_s", "distance_m", "energy_wh", "wh_per_km", '
            '"soc_used_pct", "start_place", "finish_place"',
            "trips",
        ),
        "started_at",
        "finished_at",
        "vehicle",
        "duration_s",
        "distance_m",
        "energy_wh",
        "wh_per_km",
        "soc_used_pct",
        names=False,
        sort="started_at",
        links=[TO_TRIP],
        width=24,
    )


def last_charges() -> Panel:
    return rows(
        "Charges and swaps",
        "When did it get charge? Charges and swaps of packs in the chosen range.",
        newest_rows('"started_at", "kind", "soc_start_pct", "soc_finish_pct", "energy_wh", "place", "cost"', "charges"),
        "started_at",
        "kind",
        "soc_start_pct",
        "soc_finish_pct",
        "energy_wh",
        "cost",
        sort="started_at",
    )


def packs() -> Panel:
    return rows(
        "Packs",
        "Which packs are in it? The newest reading of each battery compartment.",
        newest("pack_soc_pct", "pack", also=["pack_voltage_v", "pack_cycles"], by=["port"]),
        "Time",
        "port",
        "pack_soc_pct",
        "pack_voltage_v",
        "pack_cycles",
    )


def troubles() -> Panel:
    return rows(
        "Faults and alerts",
        "What did it complain about? Episodes of faults and alerts in the chosen range.",
        newest_rows(
            '"started_at", "finished_at", "kind", "code", "text", "open"',
            "episodes",
            either("kind", ["alert", "fault"]),
        ),
        "started_at",
        "finished_at",
        "kind",
        "code",
        "text",
        "open",
        sort="started_at",
    )


def names() -> Panel:
    return rows(
        "What it is",
        "What do people call it? The newest row of the table `vehicles`.",
        select('last("title") AS "title", "model", "group", "plate", "timezone", "in_service"', "vehicles", span=EVER),
        "title",
        "model",
        "group",
        "in_service",
    )


def _of_last_day(title: str, question: str, column: str) -> Panel:
    text = f"{question} On its newest local day."
    return number(f"{title}, last day", text, newest(column, "consumption"), column)
