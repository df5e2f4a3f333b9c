"""Maintenance of a lake: compact closed days, merge small files of open ones, delete files that are replaced."""

import logging
from datetime import date, datetime, timedelta

from deltalake import write_deltalake

from logger.stores.lake.data_files import DataFile, files_by_day, is_compact_day
from logger.stores.lake.delta import LOOSE_WRITER, VACUUM_HOURS, arrow_stream, compact_writer, partition_column
from logger.stores.lake.delta_tables import DeltaTables
from logger.stores.lake.read import read_files
from logger.stores.lake.slices import merged_slices
from logger.tables import TABLES

log = logging.getLogger(__name__)

_MERGE_FROM_FILES = 64  # loose files of a day that still grows
_MERGED_FILE_BYTES = 64 << 20


def compact_days(tables: DeltaTables, now: datetime, idle: timedelta, slice_rows: int) -> int:
    """Compact past days that were not written for `idle`, merge files of days that have many; return how many days."""
    changed = 0
    for name in TABLES:
        for day, files in files_by_day(tables.files(name)).items():
            if day < now.date() and not is_compact_day(files) and _idle_for(files, now) >= idle:
                compact_day(tables, name, day, slice_rows)
                changed += 1
            elif sum(not file.is_compact for file in files) >= _MERGE_FROM_FILES:
                _merge_files(tables, name, day)
                changed += 1
    return changed


def compact_day(tables: DeltaTables, name: str, day: date, slice_rows: int) -> None:
    """Write one day as one file: one row per key, sorted, compressed tightly."""
    log.debug("compaction begins: %s %s", name, day)
    rows = read_files(name, [file for file in tables.files(name) if file.day == day])
    with tables.errors_as_retry(name):
        delta = tables.ensure(name)
        write_deltalake(
            delta,
            arrow_stream(merged_slices(rows, name, slice_rows), name),
            mode="overwrite",
            predicate=f"{partition_column(name)} = '{day.isoformat()}'",
            target_file_size=1 << 40,
            writer_properties=compact_writer(name),
        )
        tables.sync(name, delta.version())
    log.debug("compaction ends: %s %s", name, day)


def vacuum(tables: DeltaTables) -> None:
    """Delete files that no version of the last hour refers to, and log entries that a checkpoint has replaced.

    What a killed process wrote is in no log entry; `full` finds such files, too.
    """
    for name in TABLES:
        delta = tables.find(name)  # up to date: a file of a newer version must not look unused
        if delta is not None:
            with tables.errors_as_retry(name):
                delta.vacuum(VACUUM_HOURS, dry_run=False, enforce_retention_duration=False, full=True)
                delta.cleanup_metadata()


def _merge_files(tables: DeltaTables, name: str, day: date) -> None:
    """Put the loose files of one day together, rows as they are."""
    log.debug("compaction begins: %s %s (merge)", name, day)
    with tables.errors_as_retry(name):
        delta = tables.ensure(name)
        version = delta.version()
        delta.optimize.compact(
            partition_filters=[(partition_column(name), "=", day.isoformat())],
            target_size=_MERGED_FILE_BYTES,
            max_concurrent_tasks=1,
            writer_properties=LOOSE_WRITER,
        )
        if delta.version() > version:
            tables.sync(name, delta.version())
    log.debug("compaction ends: %s %s (merge)", name, day)


def _idle_for(files: list[DataFile], now: datetime) -> timedelta:
    """Return how long ago the newest of these files was written."""
    newest_ms = max(file.modified_at for file in files)
    return timedelta(milliseconds=now.timestamp() * 1000 - newest_ms)
