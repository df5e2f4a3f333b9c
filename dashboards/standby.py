"""Standby: what vehicles lose while they stand, and whether that is more than can be measured."""

from dashboards.kit import style
from dashboards.kit.charts import points
from dashboards.kit.influxql import DAY, named, newest, outer, sample, select
from dashboards.kit.page import Page
from dashboards.kit.panels import Panel, columns, daily, distribution, number
from dashboards.kit.tables import TO_VEHICLE, rows

_DAY = "1d"


def page() -> Page:
    """Losses at rest, and the small batteries that run empty meanwhile."""
    return Page(
        uid="voltrail-standby",
        title="Standby",
        text="What vehicles lose while they stand, and the small batteries that run empty meanwhile.",
        since="now-30d",
        rows=[
            ("In sum", [loss(), power(), intervals(), seen(), lock_cells(), units()]),
            ("Day by day", [per_day(), energy(), smallest(), recovered()]),
            ("Vehicle by vehicle", [worst(), losses(), length_and_loss()]),
            ("Small batteries", [lock_voltage(), unit_charge(), low_voltage()]),
        ],
    )


def loss() -> Panel:
    return _figure(
        "Loss", "How much does a vehicle lose a day?", 'median("pct_per_day") AS "pct_per_day"', "pct_per_day"
    )


def power() -> Panel:
    return _figure("Power", "What power does a vehicle draw while parked?", 'median("mean_w") AS "mean_w"', "mean_w")


def intervals() -> Panel:
    what = 'count("soc_lost_pct") AS "intervals"'
    return _figure("Intervals", "How many times at rest can be judged?", what, "intervals")


def seen() -> Panel:
    what = 'median("resolvable") AS "resolvable"'
    return _figure("Smallest loss seen", "What loss would be noticed with 95 % probability?", what, "resolvable")


def lock_cells() -> Panel:
    return number(
        "Weakest lock cell",
        "Which lock runs empty first? The lowest of the newest voltages of the locks' cells.",
        outer('min("lock_voltage_v") AS "lock_voltage_v"', newest("lock_voltage_v", "status")),
        "lock_voltage_v",
    )


def units() -> Panel:
    return number(
        "Weakest telematics battery",
        "Which telematics unit runs empty first? The lowest of the newest charges of their own batteries.",
        outer('min("iot_soc_pct") AS "iot_soc_pct"', newest("iot_soc_pct", "battery")),
        "iot_soc_pct",
        limits=style.low_is_bad(20, 40),
    )


def per_day() -> Panel:
    names = (("pct_per_day", "loss"), ("pct_per_day_low", "at least"), ("pct_per_day_high", "at most"))
    return daily(
        "Loss a day",
        "Do losses change? Loss per day of the median interval at rest, with the median ends of its interval of 95 %.",
        *(named(select(f'median("{column}")', "standby", every=_DAY), name) for column, name in names),
        unit="suffix: %/d",
        overrides=style.band("at least", "at most"),
    )


def energy() -> Panel:
    return columns(
        "Energy lost while parked",
        "What do losses add up to? Energy lost while parked by local day; below 0 where resting batteries recovered.",
        named(select('sum("standby_wh") AS "standby_wh"', "consumption", every=DAY), "lost"),
        unit="watth",
    )


def smallest() -> Panel:
    return daily(
        "Smallest loss that would be seen",
        "How good is the measurement? The smallest loss that would be noticed with 95 % probability, median and best.",
        named(select('median("resolvable")', "standby", every=_DAY), "median"),
        named(select('min("resolvable")', "standby", every=_DAY), "best"),
        unit="suffix: %/d",
    )


def recovered() -> Panel:
    return columns(
        "Intervals that lost and that recovered",
        "Do batteries recover at rest? Intervals at rest that lost charge, and those that gained some.",
        named(select('count("soc_lost_pct")', "standby", '"soc_lost_pct" > 0', every=_DAY), "lost"),
        named(select('count("soc_lost_pct")', "standby", '"soc_lost_pct" < 0', every=_DAY), "recovered"),
        unit="short",
    )


def worst() -> Panel:
    return rows(
        "Vehicles",
        "Which vehicles lose most? Loss per day and power, median of the vehicle's intervals at rest.",
        select(
            'median("pct_per_day") AS "pct_per_day", median("pct_per_day_low") AS "pct_per_day_low", '
            'median("pct_per_day_high") AS "pct_per_day_high", median("mean_w") AS "mean_w"',
            "standby",
            by=["vehicle"],
        ),
        "vehicle",
        "pct_per_day",
        "pct_per_day_low",
        "pct_per_day_high",
        "mean_w",
        sort="pct_per_day",
        links=[TO_VEHICLE],
    )


def losses() -> Panel:
    return distribution(
        "Losses",
        "Is there a tail of bad vehicles? Intervals at rest by their loss per day, in steps of 1 % a day.",
        sample('"pct_per_day"', "standby"),
        "pct_per_day",
        size=1,
        width=12,
    )


def length_and_loss() -> Panel:
    inner = sample('"finished_at" - "started_at" AS "rest_ms", "soc_lost_pct"', "standby")
    return points(
        "Length and loss",
        "Does charge fall with the time at rest? One point an interval: its length and the charge that it lost.",
        outer('"rest_ms" / 3600000 AS "rest_h", "soc_lost_pct"', inner, order="ORDER BY time DESC"),
        "rest_h",
        "soc_lost_pct",
        width=24,
    )


def lock_voltage() -> Panel:
    return daily(
        "Lock cells",
        "Do the locks' cells run empty? Lowest and mean voltage by day (UTC).",
        named(select('mean("mean_lock_voltage_v")', "status_1d", every=_DAY), "mean"),
        named(select('min("min_lock_voltage_v")', "status_1d", every=_DAY), "lowest"),
        unit="volt",
    )


def unit_charge() -> Panel:
    return daily(
        "Telematics batteries",
        "Do the telematics units run empty? Lowest and mean charge of their own batteries by day (UTC).",
        named(select('mean("mean_iot_soc_pct")', "battery_1d", every=_DAY), "mean"),
        named(select('min("min_iot_soc_pct")', "battery_1d", every=_DAY), "lowest"),
        unit="percent",
        low=0,
    )


def low_voltage() -> Panel:
    return rows(
        "Low-voltage batteries",
        "Whose 12 V battery is weak? The newest voltage of each vehicle that reports it, lowest first.",
        newest("aux_voltage_v", "status"),
        "vehicle",
        "aux_voltage_v",
        sort="aux_voltage_v",
        ascending=True,
        links=[TO_VEHICLE],
        limits={"aux_voltage_v": style.low_is_bad(11.8, 12.2)},
        width=24,
    )


def _figure(title: str, question: str, what: str, field: str) -> Panel:
    return number(title, f"{question} Of intervals at rest in the chosen range.", select(what, "standby"), field)
