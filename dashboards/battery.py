"""Battery health: capacity with its interval, fade, when batteries hold 80 %, weak packs."""

from collections.abc import Iterable

from dashboards.kit import style
from dashboards.kit.charts import points
from dashboards.kit.influxql import BY_MODEL, EVER, LAST_HALF_YEAR, Query, named, newest, outer, sample, select
from dashboards.kit.page import Page
from dashboards.kit.panels import Panel, bars, curve, daily, number
from dashboards.kit.tables import TO_VEHICLE, rows

_FADE = ("fade_pct_per_year", "fade_low", "fade_high", "months_to_80_low", "months_to_80", "months_to_80_high")
_VERDICT = "\"method\" = 'verdict'"


def page() -> Page:
    """What batteries hold, how fast that falls, and how sure it is."""
    return Page(
        uid="voltrail-battery",
        title="Battery health",
        text="What batteries hold with its interval, how fast they fade, until when they hold 80 %, and weak packs.",
        since="now-90d",
        rows=[
            ("Health", [over_time(), by_cycles(), by_full_cycles(), months_left()]),
            ("Each battery", [fading(), verdicts(), weak()]),
            ("What vehicles and the fleet tell", [reported_soh(), answers()]),
        ],
    )


def over_time() -> Panel:
    names = (("soh_pct", "health"), ("soh_low_pct", "at least"), ("soh_high_pct", "at most"))
    return daily(
        "Health over time",
        "How much do batteries still hold? Capacity as a share of that of a new one, median of a day's verdicts, "
        "with the interval of 95 %; one point where a month or a stint begins.",
        *(named(select(f'median("{column}")', "battery_health", _VERDICT, every="1d"), name) for column, name in names),
        unit="percent",
        overrides=style.band("at least", "at most"),
    )


def by_cycles() -> Panel:
    return curve(
        "Health and cycles",
        "How does health fall with cycles? One point a verdict, with its interval of 95 %.",
        select('"cycles", "soh_pct", "soh_low_pct", "soh_high_pct"', "battery_health", _VERDICT),
        "cycles",
        "soh_pct",
        "soh_low_pct",
        "soh_high_pct",
        band=True,
    )


def by_full_cycles() -> Panel:
    return points(
        "Health and full cycles",
        "How does health fall with use? One point a verdict: equivalent full cycles, which count where packs do not.",
        sample('"efc", "soh_pct"', "battery_health", _VERDICT),
        "efc",
        "soh_pct",
    )


def months_left() -> Panel:
    return bars(
        "Months to 80 %",
        "When will batteries hold 80 %? Months that the newest verdict of half a year foretells, soonest first, where "
        "a year or more is known.",
        _newest_verdicts('last("months_to_80") AS "months_to_80"'),
        "vehicle",
        "months_to_80",
        sort="months_to_80",
        most=30,
    )


def fading() -> Panel:
    return rows(
        "Fade",
        "How fast do batteries fade, and until when do they hold 80 %? Percents lost in a year and months left, each "
        "with its interval of 95 %, by the newest verdict of half a year; an upper end that is missing is more than "
        "anybody can say.",
        _newest_verdicts(f'last("{_FADE[0]}") AS "{_FADE[0]}", ' + _names(_FADE[1:])),
        "vehicle",
        "port",
        *_FADE,
        sort="fade_pct_per_year",
        links=[TO_VEHICLE],
        width=24,
    )


def verdicts() -> Panel:
    return rows(
        "Verdicts",
        "How healthy is each battery? The newest verdict of half a year, its interval of 95 %, and what it rests on.",
        _newest_verdicts(
            'last("verdict") AS "verdict", "reason", "capacity_wh", "soh_pct", "soh_low_pct", "soh_high_pct"'
        ),
        "vehicle",
        "port",
        "verdict",
        "capacity_wh",
        "soh_pct",
        "soh_low_pct",
        "soh_high_pct",
        "reason",
        links=[TO_VEHICLE],
    )


def weak() -> Panel:
    return rows(
        "Weak packs",
        "Which packs should be taken out? Those that are probably weak by the newest verdict of half a year, likeliest "
        "first.",
        _newest_verdicts('last("weak_probability") AS "weak_probability", "cycles"'),
        "vehicle",
        "port",
        "weak_probability",
        "cycles",
        above=("weak_probability", 0.5),
        sort="weak_probability",
        links=[TO_VEHICLE],
    )


def reported_soh() -> Panel:
    return number(
        "Reported health",
        "What do vehicles themselves say of their health? The lowest of the newest figures, which nobody has checked.",
        outer('min("soh_pct") AS "soh_pct"', newest("soh_pct", "battery")),
        "soh_pct",
        limits=style.low_is_bad(70, 80),
    )


def answers() -> Panel:
    return rows(
        "Answers about models",
        "What do the fleet's own readings tell of each model? The newest answer to each question, with its interval of "
        "95 %; `insufficient` where the data cannot say. The questions are explained in analytics/calibration.md.",
        select(
            'last("answer") AS "answer", "value", "low", "high", "n"',
            "calibration",
            '"check" !~ /:/',
            span=EVER,
            only=BY_MODEL,
            by=["model", "check"],
        ),
        "model",
        "check",
        "answer",
        "value",
        "low",
        "high",
        "n",
        width=20,
    )


def _newest_verdicts(what: str) -> Query:
    return select(what, "battery_health", _VERDICT, span=LAST_HALF_YEAR, by=["vehicle", "port"])


def _names(columns: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)
