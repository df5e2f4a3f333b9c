"""The lake: Delta Lake tables on disk or in an object store, partitioned by the day of `time`.

Loose files, one a commit, are quick and small; a compacted one is folded (one row a key), sorted and coded tightly.
The file's name tells which: appends are written with snappy, compactions with zstd. So a day that is one zstd file is
read as it is, and every other day is folded on the way.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path

import msgspec
import polars as pl
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake
from deltalake.exceptions import TableNotFoundError

from logger.atomic import fsync
from logger.errors import Retry
from logger.stores.lake.data_files import File, as_they_are, by_day, is_compact, to_fold, within
from logger.stores.lake.data_files import list_files as told
from logger.stores.lake.data_files import may_last as lasting
from logger.stores.lake.delta import (
    LOOSE,
    REPLACED,
    VACUUM_HOURS,
    Span,
    compact_properties,
    configuration,
    day_span,
    decode_span,
    empty,
    encode_span,
    missing_columns,
    partition,
    plain_text,
    predicate,
    stream,
    with_partition,
)
from logger.stores.lake.delta import selection as chosen
from logger.stores.lake.slices import slices
from logger.stores.merge import merge_rows
from logger.tables import RAW, TABLES, TIME, table

log = logging.getLogger(__name__)

_MERGE_FROM = 64  # loose files of a day that still fills: put together from here on
_MERGE_TARGET_BYTES = 64 << 20


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
        self._whole: set[str] = set()  # tables that have every column of today's
        self._files: dict[str, tuple[int, list[File]]] = {}  # of a version

    def write(self, table: str, rows: pl.DataFrame) -> int:
        """Append what this log has not delivered yet, by `sequence`; returns how many rows that was."""
        with self._answered(table):
            delta = self._writable(table)
            done = delta.transaction_version(self._log_id) or 0
            fresh = rows.filter(pl.col("sequence") > done)
            if fresh.is_empty():
                return 0
            last = fresh["sequence"].max()
            assert isinstance(last, int)
            write_deltalake(
                delta,
                with_partition(fresh, table),
                mode="append",
                writer_properties=LOOSE,
                commit_properties=CommitProperties(app_transactions=[Transaction(self._log_id, last)]),
            )
            self._sync(table, delta.version())
        return fresh.height

    def replace(
        self,
        table: str,
        rows: pl.DataFrame | Iterator[pl.DataFrame],
        vehicles: Sequence[str] | None,
        since: datetime,
        until: datetime,
    ) -> None:
        """Remove what the table holds of these vehicles (None: all) in this span and write these rows: one commit.

        A stream of frames is never held as a whole. What this log has delivered stays noted: no row comes again.
        """
        frames = iter([rows]) if isinstance(rows, pl.DataFrame) else rows
        with self._answered(table):
            delta = self._writable(table)
            delta.update_incremental()  # a file that we do not know of yet would stay
            write_deltalake(
                delta,
                stream(frames, table),
                mode="overwrite",
                predicate=predicate(table, vehicles, since, until),
                writer_properties=LOOSE,
                commit_properties=CommitProperties(custom_metadata={REPLACED: encode_span(vehicles, since, until)}),
            )
            self._sync(table, delta.version())

    def scan(
        self,
        table: str,
        since: datetime | None = None,
        until: datetime | None = None,
        vehicles: Sequence[str] | None = None,
    ) -> pl.LazyFrame:
        """One row per key, in the columns of the table, in no particular order; `until` is not included."""
        files = [file for file in self.files(table) if within(file.day, since, until)]
        return self._merged(table, files, chosen(since, until, vehicles))

    def lasting(self, table: str, since: datetime, until: datetime, vehicles: Sequence[str]) -> pl.LazyFrame:
        """Rows of a derived table that began before `until`: all that began since `since`, or had not ended then."""
        files = [file for file in self.files(table) if within(file.day, None, until) and lasting(file, since)]
        return self._merged(table, files, chosen(None, until, vehicles))

    def _merged(self, table: str, files: Sequence[File], chosen: pl.Expr) -> pl.LazyFrame:
        """One row per key of the chosen rows in these files."""
        parts = [self._read(table, [file.uri for file in each]).filter(chosen) for each in as_they_are(files)]
        for each in to_fold(files):
            loose = self._read(table, [file.uri for file in each]).filter(chosen)
            parts.append(merge_rows(loose, TABLES[table].key) if TABLES[table].raw else loose)
        return pl.concat([pl.LazyFrame(schema=TABLES[table].schema), *parts])

    def latest(self, table: str, told: str = "time", before: datetime | None = None) -> pl.DataFrame:
        """The newest row of each vehicle (each key but its time), by `time`.

        `told` names a column that must not be null in it; with `before` it was received before that moment.
        """
        found: list[pl.DataFrame] = []
        early = pl.lit(True) if before is None else pl.col("received_at") < before
        for _, files in sorted(by_day(self.files(table)).items(), reverse=True):
            rows = self._merged(table, files, early).filter(pl.col(told).is_not_null())
            newer = pl.concat(found).lazy() if found else pl.LazyFrame(schema=TABLES[table].schema)
            subject = [name for name in TABLES[table].key if name != "time"]
            fresh = rows.join(newer, on=subject, how="anti", nulls_equal=True)
            found.append(fresh.sort("time").group_by(subject).last().select(TABLES[table].schema.names()).collect())
        return pl.concat(found) if found else pl.DataFrame(schema=TABLES[table].schema)

    def count(self, table: str) -> list[tuple[datetime, int]]:
        """How many rows, one per key, each UTC day holds."""
        days = by_day(self.files(table))
        return [(day_span(day)[0], self._counted(table, day, files)) for day, files in sorted(days.items())]

    def _counted(self, table: str, day: date, files: list[File]) -> int:
        if is_compact(files) or not TABLES[table].raw:
            return sum(file.rows for file in files)
        key = self.unmerged(table, day).select(TABLES[table].key)
        return int(key.unique().select(pl.len()).collect().item())

    def replaced(self, table: str, after: int | None) -> tuple[int, list[Span] | None]:
        """The table's version, and what `replace` made anew since version `after`; None where that is not known."""
        with self._answered(table):
            try:
                delta = self._table(table)
            except TableNotFoundError:
                return -1, []
            delta.update_incremental()
            version = delta.version()
            if after is None or after > version:
                return version, None
            entries = delta.history(version - after)
        told = [decode_span(entry[REPLACED]) for entry in reversed(entries) if REPLACED in entry]
        return version, told if len(entries) == version - after else None

    def unmerged(self, table: str, day: date, vehicles: Sequence[str] | None = None) -> pl.LazyFrame:
        """The rows of a day as they lie there, a key perhaps more than once."""
        uris = [file.uri for file in self.files(table) if file.day == day]
        rows = self._read(table, uris) if uris else pl.LazyFrame(schema=TABLES[table].schema)
        return rows.filter(chosen(vehicles=vehicles))

    def delivered(self) -> int:
        """The last sequence of this log that any table holds; 0 where there is none."""
        return max(self._delivered(name) for name in RAW)

    def _delivered(self, name: str) -> int:
        with self._answered(name):
            try:
                delta = self._table(name)
            except TableNotFoundError:
                return 0
            delta.update_incremental()
            return delta.transaction_version(self._log_id) or 0

    def files(self, table: str) -> Sequence[File]:
        """The data files of this table as of now, oldest day first; none where the table is not there yet."""
        with self._answered(table):
            try:
                delta = self._table(table)
            except TableNotFoundError:
                return []
            delta.update_incremental()
            version, files = self._files.get(table, (-1, []))
            if version != delta.version():
                files = told(pl.DataFrame(delta.get_add_actions(flatten=True)), self._uri(table), partition(table))
                self._files[table] = delta.version(), files
        return files

    def days(self, tables: Iterable[str]) -> set[date]:
        """The UTC days of all rows of these tables, which are opened side by side: deltalake needs no interpreter."""
        with ThreadPoolExecutor(len(TABLES)) as pool:
            return {file.day for files in pool.map(self.files, tables) for file in files}

    def tidy(self, now: datetime, rest: timedelta) -> int:
        """House-keeping: compact closed days that rest, merge what piles up; returns how many days it touched."""
        touched = 0
        for name in TABLES:
            for day, files in by_day(self.files(name)).items():
                newest = max(file.modified_at for file in files)
                rested = now.timestamp() * 1000 - newest >= rest.total_seconds() * 1000
                if day < now.date() and not is_compact(files) and rested:
                    self.compact(name, day)
                    touched += 1
                elif sum(not file.compact for file in files) >= _MERGE_FROM:
                    self._merge(name, day)
                    touched += 1
        return touched

    def compact(self, table: str, day: date) -> None:
        """Fold, sort and code one day tightly."""
        log.debug("compaction begins: %s %s", table, day)
        rows = slices(self.unmerged(table, day), table, self._slice_rows)
        with self._answered(table):
            delta = self._writable(table)
            write_deltalake(
                delta,
                stream(rows, table),
                mode="overwrite",
                predicate=f"{partition(table)} = '{day.isoformat()}'",
                target_file_size=1 << 40,
                writer_properties=compact_properties(table),
            )
            self._sync(table, delta.version())
        log.debug("compaction ends: %s %s", table, day)

    def vacuum(self) -> None:
        """Delete files that nothing has referred to for an hour, and the log entries behind the last checkpoints.

        That is a full one: what a kill left of a commit is in no log, so that a lesser one would keep it for ever.
        """
        for name in TABLES:
            with self._answered(name):
                try:
                    delta = self._table(name)
                except TableNotFoundError:
                    continue
                delta.update_incremental()  # a file that we do not know of yet must not look like rubbish
                delta.vacuum(VACUUM_HOURS, dry_run=False, enforce_retention_duration=False, full=True)
                delta.cleanup_metadata()

    def _merge(self, table: str, day: date) -> None:
        log.debug("compaction begins: %s %s (merge)", table, day)
        with self._answered(table):
            delta = self._table(table)
            version = delta.version()
            delta.optimize.compact(
                partition_filters=[(partition(table), "=", day.isoformat())],
                target_size=_MERGE_TARGET_BYTES,
                max_concurrent_tasks=1,
                writer_properties=LOOSE,
            )
            if delta.version() > version:
                self._sync(table, delta.version())
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

    def _read(self, table: str, uris: list[str]) -> pl.LazyFrame:
        schema = TABLES[table].schema
        stored = {name: pl.Datetime("us", "UTC") if dtype == TIME else dtype for name, dtype in schema.items()}
        rows = pl.scan_parquet(uris, schema=stored, missing_columns="insert", hive_partitioning=False)
        return rows.with_columns(pl.col(name).cast(TIME) for name, dtype in schema.items() if dtype == TIME)

    def _table(self, name: str, *, create: bool = False) -> DeltaTable:
        if name not in self._open:
            uri = self._uri(name)
            if create:
                Path(uri).mkdir(parents=True, exist_ok=True) if "://" not in uri else None
                settings, days = configuration(name), [partition(name)]
                DeltaTable.create(
                    uri, empty(name).schema, mode="ignore", partition_by=days, name=name, configuration=settings
                )
            self._open[name] = DeltaTable(uri)
        return self._open[name]

    def _writable(self, name: str) -> DeltaTable:
        """The table with every column of today's; one that an earlier version made may lack some."""
        delta = self._table(name, create=True)
        if name not in self._whole:
            if missing := missing_columns(delta, name):
                delta.alter.add_columns(missing)
            self._whole.add(name)
        return delta

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
            raise Retry(f"the lake at {self._path}: table {name}: {plain_text(error)}", after=1) from error
