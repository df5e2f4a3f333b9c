"""What the Delta library needs to know of a table: its columns and partition, how files are coded, spans as SQL."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta

import msgspec
import polars as pl
from arro3.core import RecordBatchReader, Table
from deltalake import ColumnProperties, DeltaTable, Field, Schema, WriterProperties

from logger.tables import table

LOOSE_WRITER = WriterProperties(compression="SNAPPY")
VACUUM_HOURS = 1  # a reader that has opened the table may still read files that were replaced since
REPLACED_SPAN = "voltrail.replaced"  # in a commit's metadata: the span that `Lake.replace` wrote again
_LOG_DAYS, _DERIVED_LOG_DAYS = 1, 30  # other stores follow the derived tables, and may be down for long
_DELTA_CODED = ("time", "received_at", "sequence")  # neighbours are close: their differences take a byte or two
_SPLIT_CODED = ("odometer_m", "ride_time_s", "range_m", "lat_deg", "lon_deg", "altitude_m")


class Span(msgspec.Struct, frozen=True):
    """Rows of these vehicles (None: all) from `since` up to, but without, `until`."""

    vehicles: tuple[str, ...] | None
    since: datetime
    until: datetime


def encode_span(vehicles: Sequence[str] | None, since: datetime, until: datetime) -> str:
    """Return a span as the JSON text that a commit's metadata holds."""
    return msgspec.json.encode(Span(None if vehicles is None else tuple(vehicles), since, until)).decode()


def decode_span(text: str) -> Span:
    """Return the span that `encode_span` wrote."""
    return msgspec.json.decode(text, type=Span)


def table_configuration(name: str) -> dict[str, str | None]:
    """Return the Delta settings of this table: how long its log and its replaced files are kept."""
    days = _LOG_DAYS if table(name).raw else _DERIVED_LOG_DAYS
    return {
        "delta.checkpointInterval": "100",
        "delta.logRetentionDuration": f"interval {days} days",
        "delta.deletedFileRetentionDuration": f"interval {VACUUM_HOURS} hours",
        "delta.enableExpiredLogCleanup": "true",
    }


def compact_writer(name: str) -> WriterProperties:
    """Return how a compact file of this table is compressed and its columns coded."""
    delta = ColumnProperties(dictionary_enabled=False, encoding="DELTA_BINARY_PACKED")
    split = ColumnProperties(dictionary_enabled=False, encoding="BYTE_STREAM_SPLIT")
    codings = dict.fromkeys(_DELTA_CODED, delta) | dict.fromkeys(_SPLIT_CODED, split)
    columns = {column: coding for column, coding in codings.items() if column in table(name).columns}
    return WriterProperties(
        compression="ZSTD", compression_level=3, max_row_group_size=1 << 20, column_properties=columns
    )


def partition_column(name: str) -> str:
    """Return the column that holds the UTC day of `time`: `day`, or `utc_day` in a table with a local `day`."""
    return "utc_day" if "day" in table(name).columns else "day"


def with_partition_column(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return rows of this table with the column that it is partitioned by."""
    return rows.with_columns(pl.col("time").dt.date().alias(partition_column(name)))


def empty_table(name: str) -> Table:
    """Return no rows of this table, as an Arrow table with its partition column."""
    return Table.from_arrow(with_partition_column(pl.DataFrame(schema=table(name).schema), name))


def missing_columns(delta: DeltaTable, name: str) -> list[Field]:
    """Return the columns of this table that the stored one does not have."""
    stored = {field.name for field in delta.schema().fields}
    return [field for field in Schema.from_arrow(empty_table(name).schema).fields if field.name not in stored]


def arrow_stream(frames: Iterator[pl.DataFrame], name: str) -> RecordBatchReader:
    """Return frames of this table as a stream that reads one after the other and never holds all of them."""
    batches = (batch for frame in frames for batch in Table.from_arrow(with_partition_column(frame, name)).to_batches())
    return RecordBatchReader.from_batches(empty_table(name).schema, batches)


def day_span(day: date) -> tuple[datetime, datetime]:
    """Return when this UTC day and the next one begin."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return start, start + timedelta(days=1)


def sql_condition(name: str, vehicles: Sequence[str] | None, since: datetime, until: datetime) -> str:
    """Return the SQL condition for rows of this table in a span.

    Whole days are named by the partition column alone, so that no file has to be read to find them.
    """
    start, stop = since.astimezone(UTC), until.astimezone(UTC)
    last = (stop - timedelta(microseconds=1)).date()
    day = partition_column(name)
    parts = [f"{day} >= '{start.date().isoformat()}' AND {day} <= '{last.isoformat()}'"]
    if start.time() != time.min:
        parts.append(f"time >= '{start.isoformat()}'")
    if stop.time() != time.min:
        parts.append(f"time < '{stop.isoformat()}'")
    if vehicles is not None:
        quoted = ", ".join("'" + vehicle.replace("'", "''") + "'" for vehicle in vehicles)
        parts.append(f"vehicle IN ({quoted})")
    return " AND ".join(parts)


def row_filter(
    since: datetime | None = None, until: datetime | None = None, vehicles: Sequence[str] | None = None
) -> pl.Expr:
    """Return the condition for rows of these vehicles from `since` up to, but without, `until`; None is no bound."""
    condition = pl.lit(True)
    if since is not None:
        condition &= pl.col("time") >= since
    if until is not None:
        condition &= pl.col("time") < until
    if vehicles is not None:
        condition &= pl.col("vehicle").is_in(list(vehicles))
    return condition


def error_text(error: Exception) -> str:
    """Return the error's text in one line; deltalake draws trees in colour."""
    return " ".join(re.sub("\x1b\\[[0-9;]*m|↳", "", str(error)).split())
