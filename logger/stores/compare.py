"""Compare two stores by the number of rows of each table and day, and fill one from the other."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

import msgspec
import polars as pl

from logger.stores.contract import Store
from logger.tables import TABLES

DAY = timedelta(days=1)
COMPARED_TABLES = tuple(name for name, table in TABLES.items() if not table.lake_only)
_GROUP_ROWS = 500_000
Progress = Callable[[str], None]


def _no_progress(text: str) -> None:
    """Show nothing."""


class Difference(msgspec.Struct, frozen=True):
    """A table and UTC day (YYYY-MM-DD) of which two stores hold different numbers of rows."""

    table: str
    day: str
    left: int
    right: int


class TableCopy(msgspec.Struct, frozen=True):
    """The result of copying a table: days and rows copied, and days left alone because both had as many rows."""

    table: str
    days: int
    rows: int
    same: int


def differences(left: Store, right: Store, progress: Progress = _no_progress) -> list[Difference]:
    """Return the days of which the stores hold different numbers of rows. Raises `Retry` and `LoginNeeded`."""
    days = []
    for name in COMPARED_TABLES:
        progress(f"counting {name}")
        for day, (left_rows, right_rows) in daily_counts(left, right, name):
            if left_rows != right_rows:
                days.append(Difference(name, day.date().isoformat(), left_rows, right_rows))
    progress("")
    return days


def daily_counts(left: Store, right: Store, table_name: str) -> Iterator[tuple[datetime, tuple[int, int]]]:
    """Yield each UTC day of a table that either store holds, and how many rows each has."""
    left_counts, right_counts = dict(left.count(table_name)), dict(right.count(table_name))
    for day in sorted(left_counts | right_counts):
        yield day, (left_counts.get(day, 0), right_counts.get(day, 0))


def copy_days(
    source: Store,
    target: Store,
    since: datetime | None = None,
    until: datetime | None = None,
    progress: Progress = _no_progress,
) -> list[TableCopy]:
    """Replace days of `target` by those of `source`, and return what was copied of each table.

    With a bound all days between `since` and `until` are copied, without any those that have different numbers of rows.
    Each day is replaced as a whole: a copy that broke off can be repeated. Raises `Retry` and `LoginNeeded`.
    """
    return [_copy_table(source, target, name, since, until, progress) for name in COMPARED_TABLES]


def copy_span(
    source: Store, target: Store, table_name: str, vehicles: Sequence[str] | None, since: datetime, until: datetime
) -> int:
    """Replace this span of `target` by that of `source`, some vehicles at a time; return the number of rows."""
    rows = 0

    def frames() -> Iterator[pl.DataFrame]:
        nonlocal rows
        for group in _vehicle_groups(source.scan(table_name, since, until, vehicles)):
            frame = source.scan(table_name, since, until, group).collect()
            rows += frame.height
            yield frame

    target.replace(table_name, frames(), vehicles, since, until)
    return rows


def _copy_table(
    source: Store,
    target: Store,
    table_name: str,
    since: datetime | None,
    until: datetime | None,
    progress: Progress,
) -> TableCopy:
    days, rows, same = 0, 0, 0
    for day, (source_rows, target_rows) in daily_counts(source, target, table_name):
        begin, end = max(day, since or day), min(day + DAY, until or day + DAY)
        if begin >= end:
            continue
        if source_rows == target_rows and since is None and until is None:
            same += 1
            continue
        progress(f"{table_name} of {day.date()}: {source_rows:,} rows")
        rows += copy_span(source, target, table_name, None, begin, end)
        days += 1
    progress("")
    return TableCopy(table_name, days, rows, same)


def _vehicle_groups(rows: pl.LazyFrame) -> Iterator[list[str]]:
    """Yield groups of vehicles that have about `_GROUP_ROWS` rows together, so that memory stays flat."""
    counts = rows.group_by("vehicle").len().sort("vehicle").collect()
    numbered = counts.with_columns((pl.col("len").cum_sum() // _GROUP_ROWS).alias("group"))
    for _, group in numbered.group_by("group", maintain_order=True):
        yield group["vehicle"].to_list()
