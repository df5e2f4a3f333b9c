"""The report of consumption: what driving took, by time, vehicle, model, temperature and speed, and where it was."""

from collections.abc import Iterator

import polars as pl

from dashboards.reports import charts, headline
from dashboards.reports.comparison import comparison
from dashboards.reports.contents import DAY, Chart, Column, Report, Section, Table
from dashboards.reports.data import WHO, Data
from dashboards.reports.map import map_of_trips
from dashboards.reports.period import Period
from dashboards.reports.shown import axis, in_units
from dashboards.reports.sums import daily, totals

MOST_BARS = 92  # days that a chart shows one by one; more become weeks
MOST_RANKED = 30  # vehicles in a chart; all of them are in the table
_AMOUNTS = (
    Column("distance_m", "m"),
    Column("driven_wh", "Wh", "driven_low_wh", "driven_high_wh"),
    Column("wh_per_km", "Wh/km", "wh_per_km_low", "wh_per_km_high"),
    Column("gross_wh_per_km", "Wh/km"),
    Column("standby_wh", "Wh"),
    Column("charged_wh", "Wh"),
    Column("cost", "money"),
    Column("co2_g", "g"),
    Column("trips", "1"),
    Column("driving_s", "s"),
    Column("observed_share", "share"),
)
_ENDS = ("wh_per_km", "wh_per_km_low", "wh_per_km_high")
_UNITS = dict.fromkeys(_ENDS, "Wh/km")
_SPANS = {"week": "1w", "month": "1mo"}


def consumption(data: Data, compare: Period | None) -> Report:
    """Return the report, with a second period beside it where one is to be compared. Raises `Retry`."""
    rows = daily(data)
    sections = [
        Section("summary", tuple(headline.of_consumption(totals(rows).row(0, named=True), data.settings))),
        *([comparison(data, compare)] if compare else []),
        _by_time(rows, data),
        _by_vehicle(rows, data),
        _by_model(rows, data),
        *_by_conditions(data),
        map_of_trips(data),
    ]
    vehicles = rows.select(WHO).n_unique()
    return Report("consumption", data.period, vehicles, data.now, tuple(sections), data.stored)


# ---- time -----------------------------------------------------------------------------------------------------------


def _by_time(rows: pl.DataFrame, data: Data) -> Section:
    days = totals(rows, ["day"])
    tables = [Table("by_day", (Column("day", DAY), *_AMOUNTS), days)]
    tables += [_of_spans(rows, name, every) for name, every in _SPANS.items()]
    charted = days if days.height <= MOST_BARS else tables[1].rows
    return Section("by_time", charts=tuple(_energy_chart(charted, data)), tables=tuple(tables))


def _of_spans(rows: pl.DataFrame, name: str, every: str) -> Table:
    spans = totals(rows.with_columns(pl.col("day").dt.truncate(every)), ["day"])
    return Table(f"by_{name}", (Column("day", DAY), *_AMOUNTS), spans)


def _energy_chart(days: pl.DataFrame, data: Data) -> Iterator[Chart]:
    known = days.filter(pl.col("known_m") > 0)
    if known.height:
        ends = ("driven_wh", "driven_low_wh", "driven_high_wh")
        shown = in_units(known.select("day", *ends), dict.fromkeys(ends, "Wh"), data.formats)
        yield charts.bars("energy_by_day", shown, "day", *ends, axis("driven_wh", "Wh", data.formats))


# ---- vehicles and models --------------------------------------------------------------------------------------------


def _by_vehicle(rows: pl.DataFrame, data: Data) -> Section:
    vehicles = data.named(totals(rows, WHO)).sort("distance_m", descending=True, nulls_last=True, maintain_order=True)
    columns = (Column("label"), Column("model"), Column("group"), *_AMOUNTS)
    return Section(
        "by_vehicle",
        charts=tuple(_ranking(vehicles, "label", "use_by_vehicle", data)),
        tables=(Table("by_vehicle", columns, vehicles),),
    )


def _by_model(rows: pl.DataFrame, data: Data) -> Section:
    named = data.named(rows)
    models = totals(named, ["model"])
    counts = named.group_by("model").agg(pl.struct(WHO).n_unique().cast(pl.Float64).alias("vehicles"))
    found = models.join(counts, on="model", how="left", nulls_equal=True)
    table = Table("by_model", (Column("model"), Column("vehicles", "1"), *_AMOUNTS), found)
    return Section("by_model", charts=tuple(_ranking(found, "model", "use_by_model", data)), tables=(table,))


def _ranking(rows: pl.DataFrame, label: str, name: str, data: Data) -> Iterator[Chart]:
    known = rows.drop_nulls([label, "wh_per_km"]).unique(label, keep="first", maintain_order=True).head(MOST_RANKED)
    if known.height > 1:
        shown = in_units(known.select(label, *_ENDS), _UNITS, data.formats).sort("wh_per_km", descending=True)
        yield charts.ranking(name, shown, label, *_ENDS, axis("wh_per_km", "Wh/km", data.formats))


# ---- temperature and speed ------------------------------------------------------------------------------------------


def _by_conditions(data: Data) -> Iterator[Section]:
    bins = conditions(data)
    for by, unit in (("temperature", "degC"), ("speed", "km/h")):
        yield _by_condition(bins.filter(by=by), by, unit, data)


def _by_condition(bins: pl.DataFrame, by: str, unit: str, data: Data) -> Section:
    columns = (
        Column("bin_start", unit),
        Column("bin_end", unit),
        Column("trips", "1"),
        Column("distance_m", "m"),
        Column("wh_per_km", "Wh/km", "wh_per_km_low", "wh_per_km_high"),
    )
    drawn = tuple(_condition_chart(bins, f"by_{by}", unit, data))
    return Section(f"by_{by}", charts=drawn, tables=(Table(f"by_{by}", columns, bins),))


def conditions(data: Data) -> pl.DataFrame:
    """Return what a kilometre took by temperature and by speed: sums over sums of trips that are alike in it."""
    rows = data.days("consumption_by").filter(pl.col("by").is_in(("temperature", "speed")))
    ends = pl.col("bin").str.extract(r"\.\.(-?[\d.]+)$").cast(pl.Float64)
    bins = rows.with_columns(ends.alias("bin_end")).group_by("by", "bin_start", "bin_end")
    names = ("trips", "distance_m", "energy_wh", "energy_low_wh", "energy_high_wh")
    sums = bins.agg(pl.col(names).sum()).filter(pl.col("distance_m") > 0).sort("bin_start")
    per_km = {"wh_per_km": "energy_wh", "wh_per_km_low": "energy_low_wh", "wh_per_km_high": "energy_high_wh"}
    ratios = ((pl.col(above) * 1000 / pl.col("distance_m")).alias(name) for name, above in per_km.items())
    return sums.with_columns(*ratios, pl.col("trips").cast(pl.Float64)).collect()


def _condition_chart(bins: pl.DataFrame, name: str, unit: str, data: Data) -> Iterator[Chart]:
    if bins.height > 1:
        middle = ((pl.col("bin_start") + pl.col("bin_end")) / 2).alias("middle")
        shown = in_units(bins.select(middle, *_ENDS), {"middle": unit, **_UNITS}, data.formats)
        titles = (axis(name, unit, data.formats), axis("wh_per_km", "Wh/km", data.formats))
        yield charts.curve(f"use_{name}", shown, "middle", *_ENDS, titles)
