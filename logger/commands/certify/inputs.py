"""The raw rows of a vehicle in a canonical form, and digests of them by table and UTC day.

The same rows give the same digests in whatever store, order and files they lie. How and when a row came (`via`,
`clock`, `flags`, `received_at`, `sequence`) is left out: a message that comes once more changes that, and no value.
`docs/certificate.md` describes the form for others.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime

import polars as pl

from logger.commands.certify.certificate import DayDigest, Inputs, Source, TableDigest
from logger.stores.contract import Store
from logger.tables import RAW, TABLES, TIME

_OURS = {"collector", "intake", "quarantine", "vehicles"}  # what we count and call, not what vehicles report
INPUTS = tuple(name for name in RAW if name not in _OURS)
Frames = Mapping[str, pl.DataFrame]  # rows by table, in the order of the key; none is empty


def read_rows(store: Store, provider: str, vehicle: str) -> Frames:
    """Return all rows of this vehicle in the tables that vehicles report. Raises as the store does."""
    frames = {name: _read_table(store, name, provider, vehicle) for name in INPUTS}
    return {name: rows for name, rows in frames.items() if rows.height}


def _read_table(store: Store, table_name: str, provider: str, vehicle: str) -> pl.DataFrame:
    rows = store.scan(table_name, None, None, [vehicle]).filter(pl.col("provider") == provider)
    return rows.sort(TABLES[table_name].key).collect()


def inputs_of(frames: Frames) -> Inputs:
    """Return the digests of these rows; there must be one at least."""
    tables = {name: _table_digest(name, frames[name]) for name in INPUTS if name in frames}
    received_until = pl.concat([rows["received_at"] for rows in frames.values()]).max()
    assert isinstance(received_until, datetime)
    return Inputs(
        sha256=overall_digest(tables),
        first_at=min(each.first_at for each in tables.values()),
        last_at=max(each.last_at for each in tables.values()),
        received_until=received_until,
        sources=sources_of(frames),
        tables=tables,
    )


def sources_of(frames: Frames) -> list[Source]:
    """Return where these rows are from, in order."""
    ways = pl.concat([rows.select("provider", "via") for rows in frames.values()])
    return [Source(*row) for row in ways.unique().drop_nulls().sort("provider", "via").iter_rows()]


def _table_digest(table_name: str, rows: pl.DataFrame) -> TableDigest:
    first, last = rows.select(pl.col("time").min().alias("first"), pl.col("time").max().alias("last")).row(0)
    days = {day: day_digest(table_name, part) for day, part in by_day(rows)}
    return TableDigest(rows.height, first, last, days)


def by_day(rows: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield each UTC day (YYYY-MM-DD) and its rows."""
    dated = rows.with_columns(pl.col("time").dt.strftime("%Y-%m-%d").alias("__day"))
    for (day,), part in dated.group_by("__day", maintain_order=True):
        yield str(day), part.drop("__day")


def day_digest(table_name: str, rows: pl.DataFrame) -> DayDigest:
    """Return the digest of a day's rows, which are in the order of the key."""
    digest = hashlib.sha256()
    for text in row_texts(table_name, rows):
        digest.update(text.encode())
    return DayDigest(rows.height, digest.hexdigest())


def row_texts(table_name: str, rows: pl.DataFrame) -> Iterator[str]:
    """Yield each row as a line of JSON: key and values that are there, in the order of the table's columns.

    An empty text counts as null: a tag of InfluxDB cannot be empty.
    """
    table = TABLES[table_name]
    names = [name for name in table.columns if name in (*table.key, *table.values)]
    for row in rows.select(map(_stable, names, map(table.columns.__getitem__, names))).iter_rows():
        known = {name: value for name, value in zip(names, row, strict=True) if value not in (None, "")}
        yield json.dumps(known, ensure_ascii=False, separators=(",", ":"), allow_nan=False) + "\n"


def _stable(name: str, dtype: pl.DataType) -> pl.Expr:
    """Return times as epoch milliseconds; no number is -0.0 or NaN."""
    column = pl.col(name)
    if dtype == TIME:
        return column.dt.epoch("ms")
    if dtype == pl.Float64():
        finite = pl.when(column.is_finite()).then(column)
        return (finite + 0.0).alias(name)
    return column


def overall_digest(tables: Mapping[str, TableDigest]) -> str:
    """Return the digest of the digests of all days, by table and day in alphabetical order."""
    lines = (
        f"{name} {day} {each.rows} {each.sha256}\n"
        for name, table in sorted(tables.items())
        for day, each in sorted(table.days.items())
    )
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def came_since(store: Store, provider: str, moment: datetime) -> bool:
    """Return whether a row of any vehicle of this provider was received after this moment."""
    later = (pl.col("provider") == provider) & (pl.col("received_at") > moment)
    scans = [store.scan(name, None, None).select("provider", "received_at").filter(later).head(1) for name in INPUTS]
    return bool(pl.concat(scans).collect().height)
