"""The data files of a lake's table, and what their names tell: whether a day is read as it is or folded on the way."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

import msgspec
import polars as pl

_COMPACT_MARK = ".zstd."


class File(msgspec.Struct, frozen=True):
    """One data file of a table; `ended_at` is the last `finished_at` of its rows, None where that is not known."""

    uri: str
    day: date
    rows: int
    bytes: int
    modified_at: int
    ended_at: datetime | None = None

    @property
    def compact(self) -> bool:
        """Whether it is folded and sorted."""
        return _COMPACT_MARK in self.uri


def list_files(actions: pl.DataFrame, folder: str, partition: str) -> list[File]:
    """The files of a table below this folder, as its log tells of them, oldest day first."""
    if actions.is_empty():
        return []
    day, ended = f"partition.{partition}", pl.lit(None)
    if "max.finished_at" in actions.columns:
        ended = pl.when(pl.col("null_count.finished_at") == 0).then("max.finished_at")
    modified = pl.col("modification_time").cast(pl.Int64)
    rows = actions.sort(day, "path").select("path", day, "num_records", "size_bytes", modified, ended.alias("ended_at"))
    return [File(f"{folder}/{path}", *rest) for path, *rest in rows.iter_rows()]


def by_day(files: Sequence[File]) -> dict[date, list[File]]:
    """The files of each day, in the order in which they stand."""
    days: dict[date, list[File]] = {}
    for file in files:
        days.setdefault(file.day, []).append(file)
    return days


def is_compact(files: Sequence[File]) -> bool:
    """Whether a day of these files holds each key once."""
    return len(files) == 1 and files[0].compact


def as_they_are(files: Sequence[File]) -> list[list[File]]:
    """The files of settled days, as one list to read at once."""
    found = [day[0] for day in by_day(files).values() if is_compact(day)]
    return [found] if found else []


def to_fold(files: Sequence[File]) -> list[list[File]]:
    """The files of every other day."""
    return [day for day in by_day(files).values() if not is_compact(day)]


def may_last(file: File, since: datetime) -> bool:
    """Whether a row of this file may have begun since then, or not ended before."""
    return within(file.day, since, None) or file.ended_at is None or file.ended_at >= since


def within(day: date, since: datetime | None, until: datetime | None) -> bool:
    """Whether a row of this day may lie in the span."""
    after = since is None or day >= since.astimezone(UTC).date()
    return after and (until is None or day <= until.astimezone(UTC).date())
