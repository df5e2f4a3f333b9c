"""Consumption: what a kilometre takes, net and gross, and what it depends on."""

from dashboards.kit import style
from dashboards.kit.charts import points
from dashboards.kit.influxql import BY_MODEL, DAY, EVER, Query, named, sample, select, text
from dashboards.kit.page import Page
from dashboards.kit.panels import Panel, bars, columns, curve, daily, number
from dashboards.kit.tables import TO_VEHICLE, rows

_DRIVEN = '"distance_m" > 0'  # InfluxDB divides by nothing and says 0, where there is no consumption to tell
_PER_KM = 'sum("{0}") / sum("distance_m") * 1000 AS "{1}"'


def page() -> Page:
    """Energy per distance, of days, conditions, vehicles and models."""
    return Page(
        uid="voltrail-consumption",
        title="Consumption",
        text="What a kilometre takes, net and gross, and how that depends on temperature, speed, hour and place.",
        since="now-30d",
        rows=[
            ("In sum", [net(), low(), high(), gross(), driven(), standby_share()]),
            ("Day by day", [per_day(), net_and_gross(), balance(), regenerated()]),
            ("What it depends on", [by_temperature(), by_speed(), by_hour(), by_place(), distance_and_energy()]),
            ("Vehicles and models", [vehicles(), longest(), models(), spread()]),
        ],
    )


def net() -> Panel:
    return _figure("Net", "What does a kilometre take?", "driven_wh", "wh_per_km_net")


def low() -> Panel:
    return _figure("At least", "What does it take at least (95 %)?", "driven_low_wh", "wh_per_km_low")


def high() -> Panel:
    return _figure("At most", "What does it take at most (95 %)?", "driven_high_wh", "wh_per_km_high")


def gross() -> Panel:
    return number(
        "Gross",
        "What would it take without energy fed back? Mean of the days on which readings of power show that.",
        select('mean("wh_per_km_gross") AS "wh_per_km_gross"', "consumption"),
        "wh_per_km_gross",
    )


def driven() -> Panel:
    return number(
        "Energy of trips",
        "How much energy did trips take? Sum over days and vehicles.",
        select('sum("driven_wh") AS "driven_wh"', "consumption"),
        "driven_wh",
    )


def standby_share() -> Panel:
    return number(
        "Lost while parked",
        "How much is lost without a kilometre? Energy lost while parked as a share of that and of trips.",
        select('sum("standby_wh") / (sum("standby_wh") + sum("driven_wh")) AS "standby_share"', "consumption"),
        "standby_share",
    )


def per_day() -> Panel:
    return daily(
        "Consumption",
        "Does it change from day to day? Energy of trips over their distance, by local day, with its interval of 95 %. "
        "The interval is wide rather than narrow: its ends are sums of the ends of vehicles.",
        *(
            named(_per_km_of_days(column), name)
            for column, name in (("driven_wh", "net"), ("driven_low_wh", "at least"), ("driven_high_wh", "at most"))
        ),
        unit="suffix: Wh/km",
        overrides=style.band("at least", "at most"),
    )


def net_and_gross() -> Panel:
    return daily(
        "Net and gross",
        "How much does braking give back? Mean of the days of vehicles of which both are known: gross is before what "
        "was fed back.",
        *(
            named(select(f'mean("wh_per_km_{kind}")', "consumption", '"wh_per_km_gross" > 0', every=DAY), kind)
            for kind in ("net", "gross")
        ),
        unit="suffix: Wh/km",
    )


def balance() -> Panel:
    return columns(
        "Energy books",
        "Do the books close? What trips used, what was lost while parked, and what the state of charge shows beyond.",
        *(
            named(select(f'sum("{column}") + 0', "consumption", every=DAY), name)
            for column, name in (("driven_wh", "trips"), ("standby_wh", "parked"), ("residual_wh", "unexplained"))
        ),
        unit="watth",
    )


def regenerated() -> Panel:
    return columns(
        "Fed back",
        "How much energy came back? Of trips with close readings of power, by the day of their start, in UTC.",
        named(select('sum("regen_wh")', "trips", every="1d"), "fed back"),
        unit="watth",
    )


def by_temperature() -> Panel:
    return _by("temperature", "ambient_c", "Does cold cost energy? Trips in steps of 5 °C of the outside temperature.")


def by_speed() -> Panel:
    return _by("speed", "mean_speed_kmh", "Does speed cost energy? Trips in steps of 5 km/h of their speed in motion.")


def by_hour() -> Panel:
    return _by("hour", "start_h", "Does the hour matter? Trips by the hour of the local clock at their start.")


def by_place() -> Panel:
    return bars(
        "By place of the start",
        "Does it matter where a trip starts? Trips that began in a place of the settings.",
        _of_bins("place", _PER_KM.format("energy_wh", "wh_per_km")),
        "bin",
        "wh_per_km",
        sort="wh_per_km",
        descending=True,
    )


def distance_and_energy() -> Panel:
    return points(
        "Distance and energy",
        "Which trips fall out of line? One point a trip.",
        sample('"distance_m", "energy_wh"', "trips"),
        "distance_m",
        "energy_wh",
    )


def vehicles() -> Panel:
    low, high = (_PER_KM.format(f"driven_{end}_wh", f"wh_per_km_{end}") for end in ("low", "high"))
    return rows(
        "Vehicles",
        "Which vehicles take most? Energy of all trips over their distance, with its interval of 95 %.",
        select(
            f"{_PER_KM.format('driven_wh', 'wh_per_km_net')}, {low}, {high}", "consumption", _DRIVEN, by=["vehicle"]
        ),
        "vehicle",
        "wh_per_km_net",
        "wh_per_km_low",
        "wh_per_km_high",
        sort="wh_per_km_net",
        links=[TO_VEHICLE],
    )


def longest() -> Panel:
    return rows(
        "Distance and energy of vehicles",
        "Which vehicles go farthest? Distance and energy of all trips, and what was lost while parked.",
        select(
            'sum("distance_m") AS "distance_m", sum("driven_wh") AS "driven_wh", sum("standby_wh") AS "standby_wh", '
            'sum("trips") AS "trips"',
            "consumption",
            by=["vehicle"],
        ),
        "vehicle",
        "distance_m",
        "trips",
        "driven_wh",
        "standby_wh",
        sort="distance_m",
        links=[TO_VEHICLE],
    )


def models() -> Panel:
    return rows(
        "Models",
        "What does each model take? The newest answer that the fleet's readings of power give, with its interval of "
        "95 %; `insufficient` where they are too few.",
        select(
            'last("answer") AS "answer", "value", "low", "high", "n"',
            "calibration",
            "\"check\" = 'wh_per_km'",
            span=EVER,
            only=BY_MODEL,
            by=["model"],
        ),
        "model",
        "answer",
        "value",
        "low",
        "high",
        "n",
        overrides=[style.override(name, unit="suffix: Wh/km") for name in ("value", "low", "high")],
    )


def spread() -> Panel:
    return daily(
        "Spread of trips",
        "How much do trips differ? Consumption of the median trip of the day, and of the tenth below and above.",
        *(
            named(select(f'percentile("wh_per_km", {share})', "trips", '"distance_m" > 500', every="1d"), name)
            for share, name in ((50, "median"), (10, "lowest tenth"), (90, "highest tenth"))
        ),
        unit="suffix: Wh/km",
        overrides=style.band("lowest tenth", "highest tenth"),
    )


def _figure(title: str, question: str, column: str, field: str) -> Panel:
    how = "Energy of all trips over their distance; an end of the interval is the sum of the ends of all days."
    return number(title, f"{question} {how}", select(_PER_KM.format(column, field), "consumption", _DRIVEN), field)


def _per_km_of_days(column: str) -> Query:
    return select(f'sum("{column}") / sum("distance_m") * 1000', "consumption", _DRIVEN, every=DAY)


def _of_bins(by: str, *what: str) -> Query:
    return select(", ".join(what), "consumption_by", f'"by" = {text(by)}', by=["bin"])


def _by(by: str, x: str, question: str) -> Panel:
    how = "Their energy over their distance, each summed; the band reaches from its lowest to its highest likely value."
    shown = [f"wh_per_km{end}" for end in ("", "_low", "_high")]
    ratios = [_PER_KM.format(f"energy{end}_wh", f"wh_per_km{end}") for end in ("", "_low", "_high")]
    query = _of_bins(by, *ratios, f'mean("bin_start") AS "{x}"')
    return curve(f"By {by}", f"{question} {how}", query, x, *shown, band=True)
