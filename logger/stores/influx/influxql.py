"""InfluxQL for reading: SELECT statements with every name and text quoted, and their CSV answers as rows of a table."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import polars as pl

from logger.stores.influx.line_protocol import ABSENT, EMPTY_SUFFIX, escape_tag, tag_columns, unescape_tags
from logger.tables import TIME, Table

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A count by time needs both ends
ALL_TIME = (datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))
RETRACTED = "retracted"  # true in a row that is no longer valid, where the server cannot delete
TimeRange = tuple[datetime, datetime]  # from the first up to, but without, the second


def select_statement(source: str, columns: Iterable[str], condition: str) -> str:
    """Return the statement for rows with these columns, oldest first."""
    return f"SELECT {', '.join(map(identifier, columns))} FROM {source}{condition}"


def count_statement(source: str, column: str, condition: str, every: str) -> str:
    """Return the statement that counts rows with this column by time, `every` such as `1d`."""
    return f"SELECT count({identifier(column)}) FROM {source}{condition} GROUP BY time({every}) fill(none)"


def newest_statement(source: str, column: str) -> str:
    """Return the statement for the newest row of each series; with another column than `time`, where it is a number."""
    condition = "" if column == "time" else f" WHERE {identifier(column)} >= {-sys.float_info.max:f}"
    return f"SELECT * FROM {source}{condition} GROUP BY * ORDER BY time DESC LIMIT 1"


def where_clause(span: TimeRange, vehicles: Sequence[str] | None, more: str = "") -> str:
    """Return the condition for rows of these vehicles (None: all) in this span that also meet the condition `more`."""
    parts = [f"time >= {_epoch_ms(span[0])}ms AND time < {_epoch_ms(span[1])}ms"]
    if vehicles is not None:
        names = " OR ".join(f'"vehicle" = {string_literal(escape_tag(vehicle))}' for vehicle in vehicles)
        parts.append(f"({names})" if names else "time < 0 AND time > 0")
    return " WHERE " + " AND ".join([*parts, *([more] if more else [])])


def identifier(name: str) -> str:
    """Return a name quoted as an identifier."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def string_literal(text: str) -> str:
    """Return a text quoted as a string."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"


def grouped_by_vehicle(statement: str) -> str:
    """Return the statement for the same rows vehicle by vehicle, with its name in the answer's column `tags`.

    Servers of 1.x and 2.x then do not merge series, which costs them more.
    """
    return f'{statement} GROUP BY "vehicle"'


def rows_from_csv(table: Table, columns: Sequence[str], answer: bytes) -> pl.DataFrame:
    """Return these columns of a table from a CSV answer, in the table's types."""
    if not answer.strip():
        return pl.DataFrame(schema={column: table.schema[column] for column in columns})
    header = answer[: answer.index(b"\n")].decode().strip().split(",")
    values = pl.read_csv(answer, schema={column: csv_type(table, column) for column in header}, low_memory=False)
    if "vehicle" not in header:
        values = values.with_columns(_vehicle_names(values["tags"]))
    return typed_rows(table, columns, values)


def typed_rows(table: Table, columns: Sequence[str], values: pl.DataFrame) -> pl.DataFrame:
    """Return these columns of a table, in its types, from the values of an answer; retracted rows are left out."""
    if RETRACTED in values.columns and RETRACTED not in table.columns:
        values = values.filter(pl.col(RETRACTED).fill_null(False).not_())
    tags = [unescape_tags(values[tag]) for tag in tag_columns(table) if tag in values.columns]
    return values.with_columns(tags).select(_column_value(table, column, values) for column in columns)


def counts_from_csv(answer: bytes) -> list[tuple[datetime, int]]:
    """Return the beginning of each interval that has rows, and their number, from the answer to `count_statement`."""
    if not answer.strip():
        return []
    counts = pl.read_csv(answer, columns=["time", "count"])
    return [(EPOCH + timedelta(milliseconds=at), count) for at, count in counts.iter_rows() if count]


def merged_windows(
    counts: Sequence[tuple[datetime, int]], length: timedelta, most_rows: int
) -> Iterator[tuple[TimeRange, int]]:
    """Yield windows of neighbouring intervals of this length that have up to `most_rows` together, each with its count.

    An interval that has more rows is a window of its own.
    """
    begin, end, total = EPOCH, EPOCH, 0
    for at, count in counts:
        if total and total + count > most_rows:
            yield (begin, end), total
            total = 0
        begin, end, total = (begin if total else at), at + length, total + count
    if total:
        yield (begin, end), total


def csv_type(table: Table, column: str) -> pl.DataType:
    """Return the type that a column of the table, or a helper column, has in an answer."""
    if column == "time":
        return pl.Int64()
    if column == RETRACTED or column.endswith(EMPTY_SUFFIX):
        return pl.Boolean()
    dtype = table.schema.get(column)
    if column in tag_columns(table) or dtype is None or isinstance(dtype, pl.List):
        return pl.String()
    return pl.Float64() if dtype.is_numeric() or isinstance(dtype, pl.Datetime) else dtype


def _column_value(table: Table, column: str, values: pl.DataFrame) -> pl.Expr:
    """Return the expression for a column of the table from the values of an answer."""
    dtype, raw = table.schema[column], pl.col(column)
    if column not in values.columns:
        return pl.lit(None, dtype=dtype).alias(column)
    if column in tag_columns(table) and column not in ("provider", "vehicle"):
        return pl.when(raw != ABSENT).then(raw).alias(column)
    if isinstance(dtype, pl.List):
        return raw.str.split(",").alias(column)
    if isinstance(dtype, pl.Datetime):
        return raw.cast(pl.Int64).cast(TIME)
    if (empty := f"{column}{EMPTY_SUFFIX}") in values.columns:
        return pl.when(raw.is_null() & pl.col(empty)).then(pl.lit("")).otherwise(raw).alias(column)
    return raw.cast(dtype)


def _vehicle_names(groups: pl.Series) -> pl.Series:
    """Return the vehicle's tag from the answer's column `tags`: `vehicle=NAME`, with line protocol's escapes."""
    distinct = groups.unique()
    names = distinct.str.strip_prefix("vehicle=").str.replace_all(r"\\([,= ])", "$1")
    return groups.replace_strict(distinct, names, return_dtype=pl.String).alias("vehicle")


def _epoch_ms(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)
