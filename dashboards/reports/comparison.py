"""Two periods beside each other: the same headline figures of both, and by how much they differ."""

import polars as pl

from dashboards.reports import headline
from dashboards.reports.contents import TEXT, WORDS, Column, Figure, Section, Table
from dashboards.reports.data import Data
from dashboards.reports.period import Period
from dashboards.reports.sums import daily, totals

_SCHEMA = {"figure": pl.String(), "this": pl.String(), "other": pl.String(), "change": pl.Float64()}


def comparison(data: Data, other: Period) -> Section:
    """Return the comparison of the report's period with another one. Raises `Retry`."""
    formats, rows = data.formats, []
    pairs = zip(*(_figures(each) for each in (data, data.of_period(other))), strict=True)
    for mine, theirs in pairs:
        cells = (formats.value(each.value, each.unit) for each in (mine, theirs))
        rows.append((mine.name, *cells, _change(mine.value, theirs.value)))
    columns = (
        Column("figure", WORDS, group="figure"),
        Column("this", TEXT),
        Column("other", TEXT),
        Column("change", "%"),
    )
    frame = pl.DataFrame(rows, schema=_SCHEMA, orient="row")
    days = {"first": formats.day(other.first), "last": formats.day(other.last)}
    return Section(
        "comparison", tables=(Table("comparison", columns, frame),), notes=(formats.texts("note.compared", **days),)
    )


def _figures(data: Data) -> list[Figure]:
    return list(headline.of_consumption(totals(daily(data)).row(0, named=True), data.settings))


def _change(mine: float | None, theirs: float | None) -> float | None:
    return None if mine is None or not theirs else 100 * (mine - theirs) / abs(theirs)
