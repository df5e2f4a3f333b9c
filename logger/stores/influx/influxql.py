"""InfluxQL for reading: statements of SELECT alone, every name and word quoted, and their CSV as rows of a table."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import polars as pl

from logger.stores.influx.line_protocol import EMPTY, NONE, escape, tags, unescape
from logger.tables import TIME, Table

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ALWAYS = (datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))  # counting by time needs both ends
RETRACTED = "retracted"  # true in a row that no longer holds, where the server cannot delete
Span = tuple[datetime, datetime]


def select(source: str, columns: Iterable[str], where: str) -> str:
    """Rows with these columns, oldest first."""
    return f"SELECT {', '.join(map(name, columns))} FROM {source}{where}"


def count(source: str, column: str, where: str, every: str) -> str:
    """How many rows have this column, by stretches of time such as `1d`."""
    return f"SELECT count({name(column)}) FROM {source}{where} GROUP BY time({every}) fill(none)"


def newest(source: str, told: str) -> str:
    """The newest row of each series; with another word than `time`, of those that have this number."""
    has = "" if told == "time" else f" WHERE {name(told)} >= {-sys.float_info.max:f}"
    return f"SELECT * FROM {source}{has} GROUP BY * ORDER BY time DESC LIMIT 1"


def where(span: Span, vehicles: Sequence[str] | None, more: str = "") -> str:
    """The condition for rows of these vehicles (None: all) in this span, its end not included."""
    parts = [f"time >= {_ms(span[0])}ms AND time < {_ms(span[1])}ms"]
    if vehicles is not None:
        chosen = " OR ".join(f'"vehicle" = {word(escape(vehicle))}' for vehicle in vehicles)
        parts.append(f"({chosen})" if chosen else "time < 0 AND time > 0")
    return " WHERE " + " AND ".join([*parts, *([more] if more else [])])


def name(text: str) -> str:
    """A quoted identifier."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def word(text: str) -> str:
    """A quoted string."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"


def by_vehicle(statement: str) -> str:
    """The same rows a vehicle at a time, its name in the column `tags`: 1.x and 2.x then merge no series."""
    return f'{statement} GROUP BY "vehicle"'


def rows(table: Table, columns: Sequence[str], answer: bytes) -> pl.DataFrame:
    """These columns of a table out of a CSV answer, in the table's types."""
    if not answer.strip():
        return pl.DataFrame(schema={column: table.schema[column] for column in columns})
    header = answer[: answer.index(b"\n")].decode().strip().split(",")
    told = pl.read_csv(answer, schema={column: wire_type(table, column) for column in header}, low_memory=False)
    if "vehicle" not in header:
        told = told.with_columns(_grouped(told["tags"]))
    return typed(table, columns, told)


def typed(table: Table, columns: Sequence[str], told: pl.DataFrame) -> pl.DataFrame:
    """What came over the wire in the table's types; the query's helper columns are used up."""
    if RETRACTED in told.columns and RETRACTED not in table.columns:
        told = told.filter(pl.col(RETRACTED).fill_null(False).not_())
    return told.with_columns(unescape(told[tag]) for tag in tags(table) if tag in told.columns).select(
        value(table, column, told) for column in columns
    )


def counts(answer: bytes) -> list[tuple[datetime, int]]:
    """Beginnings of stretches and how many rows each has."""
    if not answer.strip():
        return []
    told = pl.read_csv(answer, columns=["time", "count"])
    return [(EPOCH + timedelta(milliseconds=at), n) for at, n in told.iter_rows() if n]


def windows(stretches: Sequence[tuple[datetime, int]], length: timedelta, rows: int) -> Iterator[tuple[Span, int]]:
    """Neighbouring stretches put together, up to so many rows; each span with its count."""
    begin, end, total = EPOCH, EPOCH, 0
    for at, n in stretches:
        if total and total + n > rows:
            yield (begin, end), total
            total = 0
        begin, end, total = (begin if total else at), at + length, total + n
    if total:
        yield (begin, end), total


def wire_type(table: Table, column: str) -> pl.DataType:
    """How a column of the table, or a helper column, comes over the wire."""
    if column == "time":
        return pl.Int64()
    if column == RETRACTED or column.endswith(EMPTY):
        return pl.Boolean()
    dtype = table.schema.get(column)
    if column in tags(table) or dtype is None or isinstance(dtype, pl.List):
        return pl.String()
    return pl.Float64() if dtype.is_numeric() or isinstance(dtype, pl.Datetime) else dtype


def value(table: Table, column: str, told: pl.DataFrame) -> pl.Expr:
    """A column of the table out of what came over the wire."""
    dtype, raw = table.schema[column], pl.col(column)
    if column not in told.columns:
        return pl.lit(None, dtype=dtype).alias(column)
    if column in tags(table) and column not in ("provider", "vehicle"):
        return pl.when(raw != NONE).then(raw).alias(column)
    if isinstance(dtype, pl.List):
        return raw.str.split(",").alias(column)
    if isinstance(dtype, pl.Datetime):
        return raw.cast(pl.Int64).cast(TIME)
    if f"{column}{EMPTY}" in told.columns:
        return pl.when(raw.is_null() & pl.col(f"{column}{EMPTY}")).then(pl.lit("")).otherwise(raw).alias(column)
    return raw.cast(dtype)


def _grouped(groups: pl.Series) -> pl.Series:
    """`vehicle=NAME`, with line protocol's escapes, as a tag."""
    known = groups.unique()
    names = known.str.strip_prefix("vehicle=").str.replace_all(r"\\([,= ])", "$1")
    return groups.replace_strict(known, names, return_dtype=pl.String).alias("vehicle")


def _ms(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)
