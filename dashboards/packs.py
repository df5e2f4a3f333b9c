"""Packs: how worn they are, how far they reach, their voltage and temperature, as they report themselves."""

from collections.abc import Iterable

from dashboards.kit import style
from dashboards.kit.charts import points
from dashboards.kit.influxql import BY_MODEL, EVER, Query, by_length, named, newest_rows, outer, sample, select
from dashboards.kit.page import Page
from dashboards.kit.panels import Panel, daily, distribution, lines, number
from dashboards.kit.tables import TO_VEHICLE, rows

_STINT = (
    "started_at", "finished_at", "vehicle", "port", "end_reason", "first_cycles", "last_cycles", "distance_m",
    "km_per_pct", "km_per_pct_low", "km_per_pct_high",
)  # fmt: skip


def page() -> Page:
    """What packs say of themselves, and how far they reach."""
    return Page(
        uid="voltrail-packs",
        title="Packs",
        text="How worn packs are, how far they reach, and their voltage and temperature.",
        since="now-90d",
        rows=[
            ("Now", [packs(), cycles(), most_cycles(), gap_of_packs(), hottest()]),
            ("Over time", [cycles_over_time(), pack_voltages(), cycles_and_voltage(), temperature()]),
            ("How far they reach", [km_per_percent(), pack_ages(), stints()]),
        ],
    )


def packs() -> Panel:
    return number(
        "Packs",
        "How many packs are in use? Battery compartments that have reported in the chosen range.",
        outer('count("pack_soc_pct") AS "packs"', _newest_packs("pack_soc_pct")),
        "packs",
    )


def cycles() -> Panel:
    text = "How worn are the packs? Charging cycles that the pack in each compartment reports, median."
    return _worn("Median cycles", text, "median")


def most_cycles() -> Panel:
    text = "How worn is the oldest pack? The highest number of charging cycles among the packs in use."
    return _worn("Most cycles", text, "max")


def gap_of_packs() -> Panel:
    inner = outer('spread("pack_soc_pct") AS "apart_pct"', _newest_packs("pack_soc_pct"), by=["vehicle"])
    return number(
        "Packs apart",
        "Do the packs of a vehicle drift apart? The largest difference between the charges of packs in one vehicle.",
        outer('max("apart_pct") AS "apart_pct"', inner),
        "apart_pct",
    )


def hottest() -> Panel:
    return number(
        "Hottest battery",
        "Did a battery get too hot? The highest temperature of a battery in the chosen range.",
        select('max("battery_c") AS "battery_c"', "battery"),
        "battery_c",
        limits=style.high_is_bad(45, 55),
    )


def cycles_over_time() -> Panel:
    return daily(
        "Cycles of the packs",
        "How fast do packs wear? Charging cycles of the packs in use by day (UTC): median, fewest and most.",
        *(
            named(select(f'{what}("pack_cycles")', "pack_1d", every="1d"), name)
            for what, name in (("median", "median"), ("min", "fewest"), ("max", "most"))
        ),
        unit="short",
        overrides=style.band("fewest", "most"),
    )


def pack_voltages() -> Panel:
    return daily(
        "Voltage of the packs",
        "How low do packs go? Lowest, mean and highest voltage of all packs by day (UTC).",
        *(
            named(select(f'{what}("{what}_pack_voltage_v")', "pack_1d", every="1d"), name)
            for what, name in (("mean", "mean"), ("min", "lowest"), ("max", "highest"))
        ),
        unit="volt",
        overrides=style.band("lowest", "highest"),
    )


def cycles_and_voltage() -> Panel:
    return points(
        "Charge and voltage",
        "Which packs have a low voltage for their charge? One point a reading: a weak cell lies below the others.",
        sample('"pack_soc_pct", "pack_voltage_v"', "pack"),
        "pack_soc_pct",
        "pack_voltage_v",
    )


def temperature() -> Panel:
    return lines(
        "Temperature of batteries",
        "How warm do batteries get? Mean of each interval over the chosen vehicles that report it.",
        *by_length("battery", "battery_c", "battery"),
        unit="celsius",
    )


def km_per_percent() -> Panel:
    return rows(
        "Kilometres per percent",
        "How far does a percent reach? By model and month, of the three months before, with its interval of 95 %.",
        select(
            '"model", "value", "low", "high", "n"', "calibration", "\"check\" = 'km_per_pct'", span=EVER, only=BY_MODEL
        ),
        "Time",
        "model",
        "value",
        "low",
        "high",
        "n",
        sort="Time",
        overrides=[style.override(name, unit="suffix: km") for name in ("value", "low", "high")],
        height=12,
    )


def pack_ages() -> Panel:
    return distribution(
        "Cycles of the packs in use",
        "Are packs old or young? Packs by their charging cycles, in steps of 50.",
        _newest_packs("pack_cycles"),
        "pack_cycles",
        size=50,
        width=24,
    )


def stints() -> Panel:
    return rows(
        "Stints",
        "How far do packs reach? Each time that one pack spent in one compartment, with kilometres per percent.",
        newest_rows(_names(_STINT), "stints"),
        *_STINT,
        sort="started_at",
        links=[TO_VEHICLE],
        width=24,
    )


def _names(columns: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)


def _worn(title: str, text: str, what: str) -> Panel:
    query = outer(f'{what}("pack_cycles") AS "pack_cycles"', _newest_packs("pack_cycles"))
    return number(title, text, query, "pack_cycles")


def _newest_packs(column: str) -> Query:
    return select(f'last("{column}") AS "{column}"', "pack", by=["provider", "vehicle", "port"])
