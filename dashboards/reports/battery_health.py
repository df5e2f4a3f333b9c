"""The report of battery health: what packs hold, how sure that is, what it rests on, or why nobody can say."""

from collections.abc import Iterator

import polars as pl

from dashboards.reports import charts
from dashboards.reports.contents import DAY, MOMENT, SENTENCES, WORDS, Chart, Column, Figure, Report, Section, Table
from dashboards.reports.data import WHO, Data
from dashboards.reports.shown import axis, in_units
from logger.commands.certify.certificate import Verdict
from logger.display.order import natural

_PORT = [*WHO, "port"]
_MOST_SERIES = len(charts.PALETTE)  # packs in a chart; all of them are in the table
_MOST_SESSIONS = 200
_CAPACITY = ("capacity_wh", "capacity_low_wh", "capacity_high_wh")
_VEHICLE = (Column("label"), Column("model"), Column("port"))
_VERDICT = (
    Column("verdict", WORDS, group="verdict"),
    Column("capacity_wh", "Wh", "capacity_low_wh", "capacity_high_wh"),
    Column("soh_pct", "%", "soh_low_pct", "soh_high_pct"),
    Column("reference", SENTENCES, group="health"),
    Column("fade_pct_per_year", "%/a", "fade_low", "fade_high"),
    Column("months_to_80", "months", "months_to_80_low", "months_to_80_high"),
    Column("weak_probability", "share"),
    Column("cycles", "number"),
    Column("efc", "number"),
    Column("n", "1"),
    Column("as_of", DAY),
    Column("reason", SENTENCES, group="health"),
)
_METHOD = (
    Column("method", WORDS, group="method"),
    *_VERDICT[:3],
    Column("capacity_ah", "Ah"),
    Column("km_per_pct", "km/%", "km_per_pct_low", "km_per_pct_high"),
    Column("wh_per_km", "Wh/km", "wh_per_km_low", "wh_per_km_high"),
    Column("resistance_mohm", "mOhm"),
    Column("imbalance_pct", "%"),
    *_VERDICT[7:],
)
_SESSION = (
    Column("started_at", MOMENT),
    Column("label"),
    Column("place"),
    Column("soc_start_pct", "%"),
    Column("soc_finish_pct", "%"),
    Column("energy_wh", "Wh", "energy_low_wh", "energy_high_wh"),
    Column("energy_source", WORDS, group="charge_source"),
    Column("flags", WORDS, group="charge_flag"),
)


def battery_health(data: Data) -> Report:
    """Return the report as of the end of the period. Raises `Retry`."""
    day = pl.col("as_of").str.to_date("%Y-%m-%d", strict=False)
    rows = data.rows_before_end("battery_health").with_columns(day).collect()
    latest = data.named(_latest(rows, [*_PORT, "method"])).sort(natural("label"), *_PORT, "method")
    verdicts = latest.filter(method="verdict")
    sections = (
        Section("summary", tuple(_figures(verdicts))),
        Section(
            "verdicts", tuple(), tuple(_ranking(verdicts, data)), (Table("verdicts", (*_VEHICLE, *_VERDICT), verdicts),)
        ),
        _history(rows, data),
        Section("methods", tables=(Table("methods", (*_VEHICLE, *_METHOD), latest),)),
        _sessions(data),
        _certificates(verdicts, data),
    )
    vehicles = latest.select(WHO).n_unique()
    return Report("battery-health", data.period, vehicles, data.now, sections, data.stored)


def _latest(rows: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    return rows.sort("time", maintain_order=True).unique(by, keep="last", maintain_order=True)


def _figures(verdicts: pl.DataFrame) -> Iterator[Figure]:
    known = verdicts.filter(verdict="estimate")
    share = known.height / verdicts.height if verdicts.height else None
    yield Figure("packs", "1", float(verdicts.height), share=share, share_of="with_verdict" if verdicts.height else "")
    yield _median("soh_pct", "%", known)
    yield _median("capacity_wh", "Wh", known)
    yield _median("fade_pct_per_year", "%/a", known)
    weak = verdicts["weak_probability"].drop_nulls()
    reason = "" if len(weak) else "no_weak"
    yield Figure("weak_packs", "1", float((weak > 0.9).sum()) if len(weak) else None, reason=reason)


def _median(name: str, unit: str, known: pl.DataFrame) -> Figure:
    """The median of the packs; its interval holds the middle 95 % of them, and not how sure each is."""
    values = known[name].drop_nulls()
    if values.is_empty():
        return Figure(f"median_{name}", unit, None, reason="no_verdict")
    ends = (values.quantile(0.025), values.quantile(0.975)) if len(values) > 1 else (None, None)
    middle = values.median()
    assert isinstance(middle, float)
    return Figure(f"median_{name}", unit, middle, *ends)


def _ranking(verdicts: pl.DataFrame, data: Data) -> Iterator[Chart]:
    ends = ("soh_pct", "soh_low_pct", "soh_high_pct")
    known = verdicts.drop_nulls("soh_pct").with_columns(_pack_name()).unique("pack", keep="last", maintain_order=True)
    if known.height:
        shown = known.sort("soh_pct").head(30).select("pack", *ends)
        yield charts.ranking("soh", shown, "pack", *ends, axis("soh_pct", "%", data.formats))


def _pack_name() -> pl.Expr:
    port = pl.when(pl.col("port").is_not_null()).then(pl.lit(" · ") + pl.col("port")).otherwise(pl.lit(""))
    return (pl.col("label") + port).alias("pack")


def _history(rows: pl.DataFrame, data: Data) -> Section:
    """Capacity against time and against cycles, of the packs with the most verdicts."""
    known = data.named(rows.filter(method="verdict").drop_nulls("capacity_wh")).with_columns(_pack_name())
    most = (
        known["pack"].value_counts(sort=True).sort("count", "pack", descending=[True, False])["pack"].head(_MOST_SERIES)
    )
    shown = in_units(known.filter(pl.col("pack").is_in(most.to_list())), dict.fromkeys(_CAPACITY, "Wh"), data.formats)
    if shown.is_empty():
        return Section("history", notes=(data.formats.texts("reason.no_verdict"),))
    drawn = [_capacity("capacity_by_time", shown, "time", None, data)]
    for name in ("cycles", "efc"):
        counted = shown.drop_nulls(name)
        if counted.height:
            drawn.append(_capacity(f"capacity_by_{name}", counted, name, data.formats.texts(f"column.{name}"), data))
    notes = (data.formats.texts("note.some_packs", shown=len(most)),) if known["pack"].n_unique() > len(most) else ()
    return Section("history", charts=tuple(drawn), notes=notes)


def _capacity(name: str, rows: pl.DataFrame, x: str, title: str | None, data: Data) -> Chart:
    value, low, high = _CAPACITY
    kept = rows.sort("pack", "time").select(pl.col(x), *_CAPACITY, "pack")
    titles = (title, axis("capacity_wh", "Wh", data.formats))
    return charts.series(name, kept, x, value, (low, high), "pack", titles)


def _sessions(data: Data) -> Section:
    """The charges behind the figures, newest first."""
    charges = data.rows_before_end("charges").filter(pl.col("kind") != "swap").sort("time", descending=True).collect()
    shown = data.named(charges.head(_MOST_SESSIONS)).with_columns(pl.col("flags").list.join(","))
    more = charges.height - shown.height
    notes = (data.formats.texts("note.newest", shown=shown.height, all=charges.height),) if more else ()
    return Section("sessions", tables=(Table("sessions", _SESSION, shown, notes),))


def _certificates(verdicts: pl.DataFrame, data: Data) -> Section:
    """What a certificate of each vehicle would state: the latest verdict of all its ports, as `certify` writes it."""
    names = [name for name in Verdict.__struct_fields__ if name in verdicts.columns]
    newest = _latest(verdicts, WHO).sort(natural("label"), *WHO).select("label", "model", "vehicle", *names)
    columns = (Column("label"), Column("vehicle"), *(each for each in _VERDICT if each.name in names))
    notes = (data.formats.texts("note.certificate"),)
    return Section("certificates", tables=(Table("certificates", columns, newest),), notes=notes)
