"""The lake: Delta Lake tables on disk or in an object store, partitioned by the day of `time`.

Loose files, one a commit, are quick and small; a compacted one is folded (one row a key), sorted and coded tightly.
The file's name tells which: appends are written with snappy, compactions with zstd. So a day that is one zstd file is
read as it is, and every other day is folded on the way.
"""

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import polars as pl
from arro3.core import RecordBatchReader, Table
from deltalake import (
    ColumnProperties,
    CommitProperties,
    DeltaTable,
    Transaction,
    WriterProperties,
    write_deltalake,
)
from deltalake.exceptions import TableNotFoundError

from logger.errors import Retry
from logger.fold import folded
from logger.raw import fsync
from logger.tables import RAW, TIME, table

log = logging.getLogger(__name__)

_LOOSE = WriterProperties(compression="SNAPPY")
_COMPACT_MARK = ".zstd."
_MERGE_FROM = 64  # loose files of a day that still fills: put together from here on
_MERGE_TARGET_BYTES = 64 << 20
_VACUUM_HOURS = 1  # a reader that opened the table may still hold what was replaced since
_DELTA_CODED = ("time", "received_at", "sequence")  # near each other in order: differences take a byte or two
_SPLIT_CODED = ("odometer_m", "ride_time_s", "range_m", "lat_deg", "lon_deg", "altitude_m")
_CONFIGURATION = {
    "delta.checkpointInterval": "100",
    "delta.logRetentionDuration": "interval 1 days",
    "delta.deletedFileRetentionDuration": f"interval {_VACUUM_HOURS} hours",
    "delta.enableExpiredLogCleanup": "true",
}


class File(msgspec.Struct, frozen=True):
    """One data file of a table."""

    uri: str
    day: date
    rows: int
    bytes: int
    modified_at: int

    @property
    def compact(self) -> bool:
        """Whether it is folded and sorted."""
        return _COMPACT_MARK in self.uri


class Lake:
    """The tables below one folder or URL, written for the spool `log_id`. Raises `Retry` where the store refuses.

    A day is folded in slices of whole vehicles, of about `slice_rows`, so that memory stays flat; the writer may
    change the order of slices, never that within one.
    """

    name = "lake"

    def __init__(self, path: str, log_id: str = "none", slice_rows: int = 2_000_000) -> None:
        self._path = path.rstrip("/")
        self._log_id = log_id
        self._slice_rows = slice_rows
        self._open: dict[str, DeltaTable] = {}

    def write(self, table: str, rows: pl.DataFrame) -> int:
        """Append what this log has not delivered yet, by `sequence`; returns how many rows that was."""
        with self._answered(table):
            delta = self._table(table, create=True)
            done = delta.transaction_version(self._log_id) or 0
            fresh = rows.filter(pl.col("sequence") > done)
            if fresh.is_empty():
                return 0
            last = fresh["sequence"].max()
            assert isinstance(last, int)
            write_deltalake(
                delta,
                _dated(fresh),
                mode="append",
                writer_properties=_LOOSE,
                commit_properties=CommitProperties(app_transactions=[Transaction(self._log_id, last)]),
            )
            self._sync(table, delta.version())
        return fresh.height

    def replace(
        self, table: str, rows: pl.DataFrame, vehicles: Sequence[str] | None, since: datetime, until: datetime
    ) -> None:
        """Remove what the table holds of these vehicles (None: all) in this span and write these rows: one commit."""
        with self._answered(table):
            write_deltalake(
                self._table(table, create=True),
                _dated(rows),
                mode="overwrite",
                predicate=_predicate(vehicles, since, until),
                writer_properties=_LOOSE,
            )

    def scan(
        self,
        table: str,
        since: datetime | None = None,
        until: datetime | None = None,
        vehicles: Sequence[str] | None = None,
    ) -> pl.LazyFrame:
        """One row per key, in the columns of the table, in no particular order; `until` is not included."""
        chosen = [file for file in self.files(table) if _within(file.day, since, until)]
        parts = [self._read(table, [file.uri for file in files]) for files in _as_they_are(chosen)]
        parts = [_filtered(part, since, until, vehicles) for part in parts]
        for files in _to_fold(chosen):
            loose = _filtered(self._read(table, [file.uri for file in files]), since, until, vehicles)
            parts.append(folded(loose, RAW[table].key))
        schema = RAW[table].schema
        return pl.concat([pl.LazyFrame(schema=schema), *parts])

    def latest(self, table: str) -> pl.DataFrame:
        """The newest row of each vehicle (each key but its time), by `time`."""
        found: list[pl.DataFrame] = []
        for day in sorted({file.day for file in self.files(table)}, reverse=True):
            start = datetime(day.year, day.month, day.day, tzinfo=UTC)
            rows = self.scan(table, start, start + timedelta(days=1))
            newer = pl.concat(found).lazy() if found else pl.LazyFrame(schema=RAW[table].schema)
            subject = [name for name in RAW[table].key if name != "time"]
            fresh = rows.join(newer, on=subject, how="anti", nulls_equal=True)
            found.append(fresh.sort("time").group_by(subject).last().select(RAW[table].schema.names()).collect())
        return pl.concat(found) if found else pl.DataFrame(schema=RAW[table].schema)

    def files(self, table: str) -> list[File]:
        """The data files of this table as of now, oldest day first; none where the table is not there yet."""
        with self._answered(table):
            try:
                delta = self._table(table)
            except TableNotFoundError:
                return []
            delta.update_incremental()
            actions = pl.DataFrame(delta.get_add_actions(flatten=True))
        if actions.is_empty():
            return []
        columns = ("path", "partition.day", "num_records", "size_bytes", "modification_time")
        rows = (
            actions.sort("partition.day", "path")
            .select(columns)
            .with_columns(pl.col("modification_time").cast(pl.Int64))
        )
        return [File(f"{self._uri(table)}/{path}", day, *rest) for path, day, *rest in rows.iter_rows()]

    def tidy(self, now: datetime, rest: timedelta) -> int:
        """House-keeping: compact closed days that rest, merge what piles up; returns how many days it touched."""
        touched = 0
        for name in RAW:
            for day, files in _by_day(self.files(name)).items():
                newest = max(file.modified_at for file in files)
                rested = now.timestamp() * 1000 - newest >= rest.total_seconds() * 1000
                if day < now.date() and not _settled(files) and rested:
                    self.compact(name, day)
                    touched += 1
                elif sum(not file.compact for file in files) >= _MERGE_FROM:
                    self._merge(name, day)
                    touched += 1
        return touched

    def compact(self, table: str, day: date) -> None:
        """Fold, sort and code one day tightly."""
        log.debug("compaction begins: %s %s", table, day)
        files = [file for file in self.files(table) if file.day == day]
        with self._answered(table):
            write_deltalake(
                self._table(table),
                _stream(self._slices(table, files), _dated(pl.DataFrame(schema=RAW[table].schema))),
                mode="overwrite",
                predicate=f"day = '{day.isoformat()}'",
                target_file_size=1 << 40,
                writer_properties=_tight(table),
            )
        log.debug("compaction ends: %s %s", table, day)

    def vacuum(self) -> None:
        """Delete files that nothing has referred to for an hour, and the log entries behind the last checkpoints.

        That is a full one: what a kill left of a commit is in no log, so that a lesser one would keep it for ever.
        """
        for name in RAW:
            with self._answered(name):
                try:
                    delta = self._table(name)
                except TableNotFoundError:
                    continue
                delta.update_incremental()  # a file that we do not know of yet must not look like rubbish
                delta.vacuum(_VACUUM_HOURS, dry_run=False, enforce_retention_duration=False, full=True)
                delta.cleanup_metadata()

    def _merge(self, table: str, day: date) -> None:
        log.debug("compaction begins: %s %s (merge)", table, day)
        with self._answered(table):
            self._table(table).optimize.compact(
                partition_filters=[("day", "=", day.isoformat())],
                target_size=_MERGE_TARGET_BYTES,
                max_concurrent_tasks=1,
                writer_properties=_LOOSE,
            )
        log.debug("compaction ends: %s %s (merge)", table, day)

    def _sync(self, table: str, version: int) -> None:
        """Put a commit on disk, which deltalake leaves to the kernel: the spool forgets what it settles."""
        if "://" in self._path:
            return  # an object store answers when it is safe
        folder = Path(self._uri(table))
        entry = folder / "_delta_log" / f"{version:020d}.json"
        actions = map(msgspec.json.decode, entry.read_bytes().splitlines())
        added = [folder / action["add"]["path"] for action in actions if "add" in action]
        for path in (*added, entry, *{file.parent for file in added}, entry.parent, folder, folder.parent):
            fsync(path)

    def _slices(self, name: str, files: list[File]) -> Iterator[pl.DataFrame]:
        rows = self._read(name, [file.uri for file in files])
        order = ["provider", "vehicle", "time", *RAW[name].key[3:]]
        for low, high in _vehicle_ranges(rows, self._slice_rows):
            part = rows.filter(pl.col("vehicle").is_between(pl.lit(low), pl.lit(high)))
            yield _dated(folded(part, RAW[name].key).sort(order).collect())

    def _read(self, table: str, uris: list[str]) -> pl.LazyFrame:
        schema = RAW[table].schema
        stored = {name: pl.Datetime("us", "UTC") if dtype == TIME else dtype for name, dtype in schema.items()}
        rows = pl.scan_parquet(uris, schema=stored, missing_columns="insert", hive_partitioning=False)
        return rows.with_columns(pl.col(name).cast(TIME) for name, dtype in schema.items() if dtype == TIME)

    def _table(self, name: str, *, create: bool = False) -> DeltaTable:
        if name not in self._open:
            uri = self._uri(name)
            if create:
                Path(uri).mkdir(parents=True, exist_ok=True) if "://" not in uri else None
                schema = Table.from_arrow(_dated(pl.DataFrame(schema=RAW[name].schema))).schema
                DeltaTable.create(
                    uri, schema, mode="ignore", partition_by=["day"], name=name, configuration=_CONFIGURATION
                )
            self._open[name] = DeltaTable(uri)
        return self._open[name]

    def _uri(self, name: str) -> str:
        return f"{self._path}/{table(name).name}"

    @contextmanager
    def _answered(self, name: str) -> Iterator[None]:
        try:
            yield
        except TableNotFoundError:
            raise
        except Exception as error:  # the border: deltalake, polars and the disk each have trees of their own
            self._open.pop(name, None)  # what it knows of the table may be stale now
            raise Retry(f"the lake at {self._path}: table {name}: {_plain(error)}", after=1) from error


def _plain(error: Exception) -> str:
    """Its words in one line; deltalake draws trees in colour."""
    return " ".join(re.sub("\x1b\\[[0-9;]*m|↳", "", str(error)).split())


def _stream(frames: Iterator[pl.DataFrame], like: pl.DataFrame) -> RecordBatchReader:
    """Frames one after the other as an Arrow stream that never holds them all."""
    batches = (batch for frame in frames for batch in Table.from_arrow(frame).to_batches())
    return RecordBatchReader.from_batches(Table.from_arrow(like).schema, batches)


def _dated(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(pl.col("time").dt.date().alias("day"))


def _tight(name: str) -> WriterProperties:
    columns = table(name).columns
    delta = ColumnProperties(dictionary_enabled=False, encoding="DELTA_BINARY_PACKED")
    split = ColumnProperties(dictionary_enabled=False, encoding="BYTE_STREAM_SPLIT")
    coded = {column: delta for column in _DELTA_CODED} | {column: split for column in _SPLIT_CODED if column in columns}
    return WriterProperties(
        compression="ZSTD", compression_level=3, max_row_group_size=1 << 20, column_properties=coded
    )


def _by_day(files: Sequence[File]) -> dict[date, list[File]]:
    days: dict[date, list[File]] = {}
    for file in files:
        days.setdefault(file.day, []).append(file)
    return days


def _settled(files: Sequence[File]) -> bool:
    return len(files) == 1 and files[0].compact


def _as_they_are(files: Sequence[File]) -> list[list[File]]:
    settled = [day[0] for day in _by_day(files).values() if _settled(day)]
    return [settled] if settled else []


def _to_fold(files: Sequence[File]) -> list[list[File]]:
    return [day for day in _by_day(files).values() if not _settled(day)]


def _within(day: date, since: datetime | None, until: datetime | None) -> bool:
    after = since is None or day >= since.astimezone(UTC).date()
    return after and (until is None or day <= until.astimezone(UTC).date())


def _filtered(
    rows: pl.LazyFrame, since: datetime | None, until: datetime | None, vehicles: Sequence[str] | None
) -> pl.LazyFrame:
    if since is not None:
        rows = rows.filter(pl.col("time") >= since)
    if until is not None:
        rows = rows.filter(pl.col("time") < until)
    if vehicles is not None:
        rows = rows.filter(pl.col("vehicle").is_in(list(vehicles)))
    return rows


def _vehicle_ranges(rows: pl.LazyFrame, slice_rows: int) -> list[tuple[str, str]]:
    """First and last vehicle of each slice of about so many rows."""
    counts = rows.group_by("vehicle").len().sort("vehicle").collect()
    slices = counts.with_columns((pl.col("len").cum_sum() // slice_rows).alias("slice"))
    return list(slices.group_by("slice", maintain_order=True).agg(
        pl.col("vehicle").min().alias("low"), pl.col("vehicle").max().alias("high")
    ).select("low", "high").iter_rows())  # fmt: skip


def _predicate(vehicles: Sequence[str] | None, since: datetime, until: datetime) -> str:
    start, stop = since.astimezone(UTC), until.astimezone(UTC)
    parts = [
        f"day >= '{start.date().isoformat()}' AND day <= '{stop.date().isoformat()}'",
        f"time >= '{start.isoformat()}' AND time < '{stop.isoformat()}'",
    ]
    if vehicles is not None:
        quoted = ", ".join("'" + vehicle.replace("'", "''") + "'" for vehicle in vehicles)
        parts.append(f"vehicle IN ({quoted})")
    return " AND ".join(parts)
