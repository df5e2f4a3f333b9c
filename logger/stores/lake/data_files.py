"""The data files of a lake's table: list them, group them by day, and say which days are compact.

The file name says how a file was written: appends use snappy, compactions zstd. A day that consists of one zstd file
holds each key once.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime

import msgspec
import polars as pl

_COMPACT_MARK = ".zstd."


class DataFile(msgspec.Struct, frozen=True):
    """One data file of a table.

    `modified_at` is in epoch ms; `ended_at` is the latest `finished_at` of its rows, None where that is not known.
    """

    uri: str
    day: date
    rows: int
    bytes: int
    modified_at: int
    ended_at: datetime | None = None

    @property
    def is_compact(self) -> bool:
        """Whether a compaction wrote it: one row per key, sorted."""
        return _COMPACT_MARK in self.uri


def list_files(actions: pl.DataFrame, folder: str, partition: str) -> list[DataFile]:
    """Return the files in `folder` that the `add` actions of a Delta log name, oldest day first.

    `partition` is the name of the column that holds the day.
    """
    if actions.is_empty():
        return []
    day, ended = f"partition.{partition}", pl.lit(None)
    if "max.finished_at" in actions.columns:
        ended = pl.when(pl.col("null_count.finished_at") == 0).then("max.finished_at")
    modified = pl.col("modification_time").cast(pl.Int64)
    rows = actions.sort(day, "path").select("path", day, "num_records", "size_bytes", modified, ended.alias("ended_at"))
    return [DataFile(f"{folder}/{path}", *rest) for path, *rest in rows.iter_rows()]


def files_by_day(files: Sequence[DataFile]) -> dict[date, list[DataFile]]:
    """Return the files of each day, both in the order of `files`."""
    days: dict[date, list[DataFile]] = {}
    for file in files:
        days.setdefault(file.day, []).append(file)
    return days


def is_compact_day(files: Sequence[DataFile]) -> bool:
    """Whether the day that consists of these files holds each key once."""
    return len(files) == 1 and files[0].is_compact


def compact_files(files: Sequence[DataFile]) -> list[DataFile]:
    """Return the files of compact days, which are read as they are."""
    return [day[0] for day in files_by_day(files).values() if is_compact_day(day)]


def loose_days(files: Sequence[DataFile]) -> list[list[DataFile]]:
    """Return the files of each other day, whose rows must be merged when they are read."""
    return [day for day in files_by_day(files).values() if not is_compact_day(day)]


def days_together(days: Iterable[Sequence[DataFile]], most_rows: int) -> list[list[DataFile]]:
    """Return the files of days, neighbours together up to this number of rows; a larger day is alone."""
    groups: list[list[DataFile]] = []
    held = 0
    for files in days:
        rows = sum(file.rows for file in files)
        if not groups or held + rows > most_rows:
            groups.append([])
            held = 0
        groups[-1] += files
        held += rows
    return groups


def may_reach(file: DataFile, since: datetime) -> bool:
    """Whether a row of this file may begin at or after `since`, or end at or after it."""
    return file.day >= since.astimezone(UTC).date() or file.ended_at is None or file.ended_at >= since


def files_in_span(files: Sequence[DataFile], since: datetime | None, until: datetime | None) -> Sequence[DataFile]:
    """Return those of these files, oldest day first, of whose rows one may lie in the span (None: no bound)."""
    first = 0 if since is None else bisect_left(files, since.astimezone(UTC).date(), key=_day)
    return files[first : None if until is None else bisect_right(files, until.astimezone(UTC).date(), key=_day)]


def _day(file: DataFile) -> date:
    return file.day
