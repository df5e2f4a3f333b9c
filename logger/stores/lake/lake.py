"""The lake: Delta Lake tables on disk or in an object store, partitioned by the UTC day of `time`.

Each commit appends a loose file, which is quick and small. A compacted day is one file that holds one row per key,
sorted and compressed tightly, and is read as it is; the rows of every other day are merged when they are read.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta

import polars as pl
from deltalake import CommitProperties, Transaction, write_deltalake

from logger.stores.lake import compaction
from logger.stores.lake.data_files import DataFile, files_by_day, files_in_span, is_compact_day, may_reach
from logger.stores.lake.delta import (
    LOOSE_WRITER,
    REPLACED_SPAN,
    Span,
    arrow_stream,
    day_span,
    decode_span,
    encode_span,
    row_filter,
    sql_condition,
    with_partition_column,
)
from logger.stores.lake.delta_tables import DeltaTables
from logger.stores.lake.read import read_files, read_merged
from logger.tables import RAW, TABLES


class Lake:
    """The tables below one folder or URL, written for the spool `log_id`. Raises `Retry` where the disk refuses.

    A day is compacted in slices of whole vehicles, about `slice_rows` rows each, so that memory stays flat. The writer
    may change the order of slices, never that of rows within one.
    """

    name = "lake"

    def __init__(self, path: str, log_id: str = "none", slice_rows: int = 2_000_000) -> None:
        self._tables = DeltaTables(path)
        self._log_id = log_id
        self._slice_rows = slice_rows

    # ---- write -----------------------------------------------------------------------------------------------------

    def write(self, table_name: str, rows: pl.DataFrame) -> int:
        """Append the rows that this log has not delivered yet, by `sequence`; return how many."""
        delta = self._tables.ensure(table_name)
        with self._tables.errors_as_retry(table_name):
            delivered = delta.transaction_version(self._log_id) or 0
            new = rows.filter(pl.col("sequence") > delivered)
            if new.is_empty():
                return 0
            last = new["sequence"].max()
            assert isinstance(last, int)
            write_deltalake(
                delta,
                with_partition_column(new, table_name),
                mode="append",
                writer_properties=LOOSE_WRITER,
                commit_properties=CommitProperties(app_transactions=[Transaction(self._log_id, last)]),
            )
            self._tables.sync(table_name, delta.version())
        return new.height

    def replace(
        self,
        table_name: str,
        rows: pl.DataFrame | Iterator[pl.DataFrame],
        vehicles: Sequence[str] | None,
        since: datetime,
        until: datetime,
    ) -> None:
        """Remove the rows of these vehicles (None: all) in this span and write `rows` instead, in one commit.

        Frames are written one after the other and never held as a whole. `write` still leaves out what this log has
        delivered before.
        """
        frames = iter([rows]) if isinstance(rows, pl.DataFrame) else rows
        delta = self._tables.ensure(table_name)
        with self._tables.errors_as_retry(table_name):
            delta.update_incremental()  # or files that another process has added meanwhile would stay
            write_deltalake(
                delta,
                arrow_stream(frames, table_name),
                mode="overwrite",
                predicate=sql_condition(table_name, vehicles, since, until),
                writer_properties=LOOSE_WRITER,
                commit_properties=CommitProperties(
                    custom_metadata={REPLACED_SPAN: encode_span(vehicles, since, until)}
                ),
            )
            self._tables.sync(table_name, delta.version())

    # ---- read ------------------------------------------------------------------------------------------------------

    def scan(
        self,
        table_name: str,
        since: datetime | None = None,
        until: datetime | None = None,
        vehicles: Sequence[str] | None = None,
    ) -> pl.LazyFrame:
        """Return one row per key of these vehicles from `since` up to, but without, `until`, in no particular order."""
        files = files_in_span(self.files(table_name), since, until)
        return read_merged(table_name, files, row_filter(since, until, vehicles))

    def scan_overlapping(
        self, table_name: str, since: datetime, until: datetime, vehicles: Sequence[str] | None = None
    ) -> pl.LazyFrame:
        """Return rows of a derived table that overlap the span: begun before `until`, not finished before `since`.

        Whole files are left out, so that some rows that finished earlier may be among them.
        """
        files = [file for file in files_in_span(self.files(table_name), None, until) if may_reach(file, since)]
        return read_merged(table_name, files, row_filter(None, until, vehicles))

    def unmerged_rows(
        self, table_name: str, days: Collection[date], vehicles: Sequence[str] | None = None
    ) -> pl.LazyFrame:
        """Return the rows of these UTC days as they were written, perhaps several per key."""
        files = [file for file in self.files(table_name) if file.day in days]
        return read_files(table_name, files).filter(row_filter(vehicles=vehicles))

    def latest(self, table_name: str, column: str = "time", before: datetime | None = None) -> pl.DataFrame:
        """Return the newest row, by `time`, of each vehicle (each key without its time) whose `column` is not null.

        With `before`, only rows received before that moment count.
        """
        table = TABLES[table_name]
        subject = [name for name in table.key if name != "time"]
        received = pl.lit(True) if before is None else pl.col("received_at") < before
        newest = pl.DataFrame(schema=table.schema)
        for _, files in sorted(files_by_day(self.files(table_name)).items(), reverse=True):
            rows = read_merged(table_name, files, received).filter(pl.col(column).is_not_null())
            others = rows.join(newest.lazy(), on=subject, how="anti", nulls_equal=True)
            found = others.sort("time").group_by(subject).last().select(table.schema.names()).collect()
            newest = pl.concat([newest, found])
        return newest

    def count(self, table_name: str) -> list[tuple[datetime, int]]:
        """Return the beginning of each UTC day that has rows, and their number, one per key."""
        days = files_by_day(self.files(table_name))
        return [(day_span(day)[0], self._count_day(table_name, day, files)) for day, files in sorted(days.items())]

    def _count_day(self, table_name: str, day: date, files: Sequence[DataFile]) -> int:
        if is_compact_day(files) or not TABLES[table_name].raw:
            return sum(file.rows for file in files)
        keys = self.unmerged_rows(table_name, [day]).select(TABLES[table_name].key)
        return int(keys.unique().select(pl.len()).collect().item())

    # ---- state -----------------------------------------------------------------------------------------------------

    def replaced_since(self, table_name: str, version: int | None) -> tuple[int, list[Span] | None]:
        """Return the table's version now (-1: no table) and the spans that `replace` has written since `version`.

        The spans are None where the log no longer reaches back that far, or `version` is None or newer than the table.
        """
        delta = self._tables.find(table_name)
        if delta is None:
            return -1, []
        with self._tables.errors_as_retry(table_name):
            current = delta.version()
            if version is None or version > current:
                return current, None
            entries = delta.history(current - version)
        spans = [decode_span(entry[REPLACED_SPAN]) for entry in reversed(entries) if REPLACED_SPAN in entry]
        return current, spans if len(entries) == current - version else None

    def last_delivered_sequence(self) -> int:
        """Return the last sequence of this log that any table holds; 0 where there is none."""
        return max(self._last_delivered(name) for name in RAW)

    def _last_delivered(self, table_name: str) -> int:
        delta = self._tables.find(table_name)
        if delta is None:
            return 0
        with self._tables.errors_as_retry(table_name):
            return delta.transaction_version(self._log_id) or 0

    def files(self, table_name: str) -> Sequence[DataFile]:
        """Return the table's data files as of now, oldest day first; none where it does not exist."""
        return self._tables.files(table_name)

    def days(self, table_names: Iterable[str]) -> set[date]:
        """Return the UTC days on which any of these tables has rows; tables are opened in parallel."""
        with ThreadPoolExecutor(len(TABLES)) as pool:
            return {file.day for files in pool.map(self.files, table_names) for file in files}

    # ---- maintenance -----------------------------------------------------------------------------------------------

    def compact_days(self, now: datetime, idle: timedelta) -> int:
        """Compact past days that were not written for `idle`, merge files of days that have many; return how many."""
        return compaction.compact_days(self._tables, now, idle, self._slice_rows)

    def compact_day(self, table_name: str, day: date) -> None:
        """Write one day as one file: one row per key, sorted, compressed tightly."""
        compaction.compact_day(self._tables, table_name, day, self._slice_rows)

    def vacuum(self) -> None:
        """Delete files that no version of the last hour refers to, and log entries that a checkpoint has replaced."""
        compaction.vacuum(self._tables)
