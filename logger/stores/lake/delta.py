"""What is said to the Delta library: frames as streams, spans as predicates, how a file is coded."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta

import msgspec
import polars as pl
from arro3.core import RecordBatchReader, Table
from deltalake import ColumnProperties, DeltaTable, Field, Schema, WriterProperties

from logger.tables import table

LOOSE = WriterProperties(compression="SNAPPY")
VACUUM_HOURS = 1  # a reader that opened the table may still hold what was replaced since
REPLACED = "voltrail.replaced"  # in a commit: whose rows of which span it made anew
_LOG_DAYS, _DERIVED_LOG_DAYS = 1, 30  # other stores follow what is derived, and may be down for long
_DELTA_CODED = ("time", "received_at", "sequence")  # near each other in order: differences take a byte or two
_SPLIT_CODED = ("odometer_m", "ride_time_s", "range_m", "lat_deg", "lon_deg", "altitude_m")


class Span(msgspec.Struct, frozen=True):
    """Rows from `since` up to, but without, `until`, of these vehicles (None: of all)."""

    vehicles: tuple[str, ...] | None
    since: datetime
    until: datetime


def encode_span(vehicles: Sequence[str] | None, since: datetime, until: datetime) -> str:
    """A span as it stands in a commit."""
    return msgspec.json.encode(Span(None if vehicles is None else tuple(vehicles), since, until)).decode()


def decode_span(text: str) -> Span:
    """The span that `noted` wrote."""
    return msgspec.json.decode(text, type=Span)


def configuration(name: str) -> dict[str, str | None]:
    """How long the table's log and its files are kept."""
    days = _LOG_DAYS if table(name).raw else _DERIVED_LOG_DAYS
    return {
        "delta.checkpointInterval": "100",
        "delta.logRetentionDuration": f"interval {days} days",
        "delta.deletedFileRetentionDuration": f"interval {VACUUM_HOURS} hours",
        "delta.enableExpiredLogCleanup": "true",
    }


def compact_properties(name: str) -> WriterProperties:
    """How a compacted file of this table is coded."""
    columns = table(name).columns
    delta = ColumnProperties(dictionary_enabled=False, encoding="DELTA_BINARY_PACKED")
    split = ColumnProperties(dictionary_enabled=False, encoding="BYTE_STREAM_SPLIT")
    coded = dict.fromkeys(_DELTA_CODED, delta) | dict.fromkeys(_SPLIT_CODED, split)
    coded = {column: coding for column, coding in coded.items() if column in columns}
    return WriterProperties(
        compression="ZSTD", compression_level=3, max_row_group_size=1 << 20, column_properties=coded
    )


def partition(name: str) -> str:
    """The column that a table is partitioned by: the day of `time`, by UTC. Some tables tell of a local `day`."""
    return "utc_day" if "day" in table(name).columns else "day"


def with_partition(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """Rows of this table and the column that it is partitioned by."""
    return rows.with_columns(pl.col("time").dt.date().alias(partition(name)))


def empty(name: str) -> Table:
    """No rows of this table, as it is stored."""
    return Table.from_arrow(with_partition(pl.DataFrame(schema=table(name).schema), name))


def missing_columns(delta: DeltaTable, name: str) -> list[Field]:
    """The columns of this table that the stored one has not."""
    stored = {field.name for field in delta.schema().fields}
    return [field for field in Schema.from_arrow(empty(name).schema).fields if field.name not in stored]


def stream(frames: Iterator[pl.DataFrame], name: str) -> RecordBatchReader:
    """Frames of this table one after the other, never all of them at once."""
    batches = (batch for frame in frames for batch in Table.from_arrow(with_partition(frame, name)).to_batches())
    return RecordBatchReader.from_batches(empty(name).schema, batches)


def day_span(day: date) -> tuple[datetime, datetime]:
    """The moments at which this day and the next begin."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return start, start + timedelta(days=1)


def predicate(name: str, vehicles: Sequence[str] | None, since: datetime, until: datetime) -> str:
    """Rows of this table, in SQL; whole days are named by their day alone: nothing must be read to find them."""
    start, stop = since.astimezone(UTC), until.astimezone(UTC)
    last = (stop - timedelta(microseconds=1)).date()
    day = partition(name)
    parts = [f"{day} >= '{start.date().isoformat()}' AND {day} <= '{last.isoformat()}'"]
    if start.time() != time.min:
        parts.append(f"time >= '{start.isoformat()}'")
    if stop.time() != time.min:
        parts.append(f"time < '{stop.isoformat()}'")
    if vehicles is not None:
        quoted = ", ".join("'" + vehicle.replace("'", "''") + "'" for vehicle in vehicles)
        parts.append(f"vehicle IN ({quoted})")
    return " AND ".join(parts)


def selection(
    since: datetime | None = None, until: datetime | None = None, vehicles: Sequence[str] | None = None
) -> pl.Expr:
    """Rows of these vehicles in this span, where there are such bounds."""
    where = pl.lit(True)
    if since is not None:
        where &= pl.col("time") >= since
    if until is not None:
        where &= pl.col("time") < until
    if vehicles is not None:
        where &= pl.col("vehicle").is_in(list(vehicles))
    return where


def plain_text(error: Exception) -> str:
    """Its words in one line; deltalake draws trees in colour."""
    return " ".join(re.sub("\x1b\\[[0-9;]*m|↳", "", str(error)).split())
