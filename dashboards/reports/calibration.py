"""The report of calibration: what each model's percent and range mean, what it takes and holds, and by what."""

from collections.abc import Iterator

import polars as pl

from dashboards.reports import charts
from dashboards.reports.contents import WORDS, Chart, Column, Figure, Report, Section, Table
from dashboards.reports.data import Data
from dashboards.reports.shown import axis, in_units

_MODEL = ["provider", "model"]
_INSUFFICIENT = "insufficient"
_UNITS = {
    "wh_per_km": "Wh/km", "pack_wh_per_km": "Wh/km", "capacity_wh": "Wh", "pack_wh": "Wh", "km_per_pct": "km/%",
    "mtbf_km": "km", "mtbf_h": "h", "packs_return": "share", "vehicle_cv": "share", "pack_cv": "share",
    "km_cv": "share", "polled_cv": "share", "pack_wh_cv": "share", "range": "share", "percent_slope": "share",
    "motor_power_sign": "Wh/km",
}  # fmt: skip
SECTIONS = {
    "firmware": ("range", "percent_cut", "percent_of_packs", "percent_slope", "motor_power_sign"),
    "use_and_capacity": ("wh_per_km", "km_per_pct", "capacity_wh", "pack_wh", "pack_wh_per_km", "pack_pct_per_km"),
    "reliability": ("mtbf_km", "mtbf_h"),
}  # all other checks are in the last section
_COLUMNS = (
    Column("model"),
    Column("provider"),
    Column("check", WORDS, group="check"),
    Column("answer", WORDS, group="answer"),
    Column("value_shown"),
    Column("interval_shown"),
    Column("n", "1"),
    Column("meaning"),
)


def calibration(data: Data) -> Report:
    """Return the report as of the end of the period: each model's newest answer to each question. Raises `Retry`."""
    named = pl.when(pl.col("model") != "").then("model").alias("model")  # vehicles whose model nobody tells
    rows = data.of_models("calibration").with_columns(named).collect().sort("time")
    newest = rows.unique([*_MODEL, "check"], keep="last", maintain_order=True).sort(
        "model", "provider", "check", nulls_last=True
    )
    listed = {name for names in SECTIONS.values() for name in names}
    others = tuple(sorted(set(newest["check"].unique()) - listed))
    sections = (
        Section("summary", tuple(_figures(newest))),
        *(_section(name, checks, newest, data) for name, checks in SECTIONS.items()),
        _section("spreads", others, newest, data),
        _methods(data),
    )
    return Report("calibration", data.period, data.names.height, data.now, sections, data.stored)


def _figures(newest: pl.DataFrame) -> Iterator[Figure]:
    models, answered = newest.select(_MODEL).n_unique(), newest.filter(pl.col("answer") != _INSUFFICIENT)
    yield Figure("models", "1", float(models))
    share = answered.height / newest.height if newest.height else None
    yield Figure("answers", "1", float(answered.height), share=share, share_of="questions" if newest.height else "")


def _section(name: str, checks: tuple[str, ...], newest: pl.DataFrame, data: Data) -> Section:
    rows = newest.filter(pl.col("check").is_in(checks))
    if rows.is_empty():
        return Section(name, notes=(data.formats.texts("reason.no_calibration"),))
    drawn = [chart for check in ("wh_per_km", "capacity_wh") if check in checks for chart in _chart(check, rows, data)]
    return Section(name, charts=tuple(drawn), tables=(Table(name, _COLUMNS, _shown(rows, data)),))


def _shown(rows: pl.DataFrame, data: Data) -> pl.DataFrame:
    """The rows with value and interval as text: each check has a unit of its own."""
    formats = data.formats
    values: list[str | None] = []
    intervals: list[str | None] = []
    meanings: list[str] = []
    for row in rows.select("check", "value", "low", "high").iter_rows(named=True):
        unit = _UNITS.get(row["check"], "number")
        values.append(None if row["value"] is None else formats.value(row["value"], unit))
        intervals.append(formats.interval(row["low"], row["high"], unit) or None)
        meanings.append(formats.texts.word("check_meaning", row["check"]))
    texts = {"value_shown": values, "interval_shown": intervals, "meaning": meanings}
    return rows.with_columns(pl.DataFrame(texts, schema=dict.fromkeys(texts, pl.String())))


def _chart(check: str, rows: pl.DataFrame, data: Data) -> Iterator[Chart]:
    known = rows.filter(check=check).drop_nulls(["model", "value"]).unique("model", keep="last", maintain_order=True)
    if known.height:
        unit = _UNITS[check]
        shown = in_units(
            known.select("model", "value", "low", "high"), dict.fromkeys(("value", "low", "high"), unit), data.formats
        )
        yield charts.ranking(f"model_{check}", shown, "model", "value", "low", "high", axis(check, unit, data.formats))


def _methods(data: Data) -> Section:
    """Which methods tell anything of the batteries of a model, and what keeps the others from it."""
    rows = data.rows_before_end("battery_health").sort("time").collect()
    newest = data.named(rows.unique(["provider", "vehicle", "port", "method"], keep="last", maintain_order=True))
    has_figure = (pl.col("verdict") == "estimate").cast(pl.Float64)
    counts = newest.group_by("model", "method").agg(
        has_figure.sum().alias("estimates"),
        (1 - has_figure).sum().alias("insufficient"),
        pl.col("reason").drop_nulls().mode().sort().first().alias("reason"),
    )
    on = pl.when(pl.col("estimates") > 0).then(pl.lit("on")).otherwise(pl.lit("off")).alias("on")
    columns = (
        Column("model"),
        Column("method", WORDS, group="method"),
        Column("on", WORDS, group="on"),
        Column("estimates", "1"),
        Column("insufficient", "1"),
        Column("reason"),
    )
    return Section("methods", tables=(Table("methods_on", columns, counts.with_columns(on).sort("model", "method")),))
