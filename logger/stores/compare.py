"""Two stores side by side: what each holds by table and day, and filling one from the other."""

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


class Difference(msgspec.Struct, frozen=True):
    """A day of a table of which two stores do not hold as many rows."""

    table: str
    day: str
    left: int
    right: int


class Copied(msgspec.Struct, frozen=True):
    """What was copied of a table: how many days and rows, and how many days were left as they were."""

    table: str
    days: int
    rows: int
    same: int


def differences(left: Store, right: Store, progress: Progress = lambda text: None) -> list[Difference]:
    """Days, of UTC, of which the stores hold different numbers of rows. Raises `Retry` and `LoginNeeded`."""
    found = []
    for name in COMPARED_TABLES:
        progress(f"counting {name}")
        for day, (there, here) in counts(left, right, name):
            if there != here:
                found.append(Difference(name, day.date().isoformat(), there, here))
    progress("")
    return found


def copy_days(
    source: Store,
    target: Store,
    since: datetime | None = None,
    until: datetime | None = None,
    progress: Progress = lambda text: None,
) -> list[Copied]:
    """Make the target's days as the source's: all days of a span that is given, else those that differ in number.

    Each day is replaced, so that another copy goes on where one broke off. Raises `Retry` and `LoginNeeded`.
    """
    return [_copied(source, target, name, since, until, progress) for name in COMPARED_TABLES]


def counts(left: Store, right: Store, name: str) -> Iterator[tuple[datetime, tuple[int, int]]]:
    """Each day of a table that either store holds, and how many rows each has."""
    there, here = dict(left.count(name)), dict(right.count(name))
    for day in sorted(there | here):
        yield day, (there.get(day, 0), here.get(day, 0))


def replace_span(
    source: Store, target: Store, name: str, vehicles: Sequence[str] | None, since: datetime, until: datetime
) -> int:
    """Make this span of the target as the source's, some vehicles at a time; returns how many rows that was."""
    rows = 0

    def frames() -> Iterator[pl.DataFrame]:
        nonlocal rows
        for group in _groups(source.scan(name, since, until, vehicles)):
            frame = source.scan(name, since, until, group).collect()
            rows += frame.height
            yield frame

    target.replace(name, frames(), vehicles, since, until)
    return rows


def lines(found: Sequence[Difference], names: tuple[str, str]) -> Iterator[str]:
    """The differences for people."""
    if not found:
        yield f"{names[0]} and {names[1]} hold the same number of rows of every table and day"
        return
    yield f"{'table':<14}{'day':<12}{names[0]:>14}{names[1]:>14}"
    for each in found:
        yield f"{each.table:<14}{each.day:<12}{each.left:>14,}{each.right:>14,}"


def _copied(
    source: Store, target: Store, name: str, since: datetime | None, until: datetime | None, progress: Progress
) -> Copied:
    days, rows, same = 0, 0, 0
    for day, (there, here) in counts(source, target, name):
        begin, end = max(day, since or day), min(day + DAY, until or day + DAY)
        if begin >= end:
            continue
        if there == here and since is None and until is None:
            same += 1
            continue
        progress(f"{name} of {day.date()}: {there:,} rows")
        rows += replace_span(source, target, name, None, begin, end)
        days += 1
    progress("")
    return Copied(name, days, rows, same)


def _groups(rows: pl.LazyFrame) -> Iterator[list[str]]:
    """Vehicles that have about so many rows together, so that memory stays flat however large the fleet is."""
    found = rows.group_by("vehicle").len().sort("vehicle").collect()
    numbered = found.with_columns((pl.col("len").cum_sum() // _GROUP_ROWS).alias("group"))
    for _, part in numbered.group_by("group", maintain_order=True):
        yield part["vehicle"].to_list()
