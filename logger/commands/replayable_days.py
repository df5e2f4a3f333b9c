"""Which days of the lake can be replayed: those of which every raw message can still be read."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec
import polars as pl

from logger.decode.row_times import AHEAD_MS
from logger.spool.chunks import Run
from logger.spool.log import COMMIT_MS
from logger.spool.vehicle_index import UNKNOWN_VEHICLE
from logger.stores.lake.delta import day_span
from logger.stores.lake.lake import Lake
from logger.tables import RAW


class Days(msgspec.Struct, frozen=True):
    """Whole days of UTC from `since` up to `until`, not included, without those in `left`; None is open."""

    since: date | None = None
    until: date | None = None
    left: frozenset[date] = frozenset()

    @classmethod
    def overlapping(cls, since: datetime | None, until: datetime | None) -> "Days":
        """Return the days that have a moment of this span."""
        last = None if until is None else (until.astimezone(UTC) - timedelta(microseconds=1)).date()
        return cls(since and since.astimezone(UTC).date(), last and last + timedelta(days=1))

    def includes(self, day: date) -> bool:
        """Return whether this is one of the days."""
        is_after = self.since is None or day >= self.since
        return is_after and (self.until is None or day < self.until) and day not in self.left

    def filter_rows(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return the rows whose time is in one of the days."""
        day = pl.col("time").dt.date()
        is_after = pl.lit(True) if self.since is None else day >= self.since
        is_before = pl.lit(True) if self.until is None else day < self.until
        return rows.filter(is_after & is_before & ~day.is_in(list(self.left)))


class Origin(msgspec.Struct, frozen=True):
    """The messages that the rows of a table's day are from.

    `incomplete`: at least one of them cannot be read any more; `first_at`: when the first was received.
    """

    day: date
    incomplete: bool
    first_at: datetime | None


def row_origins(store: Lake, runs: Sequence[Run], days: Days, vehicles: Sequence[str] | None) -> list[Origin]:
    """Return the origin of these vehicles' rows (None: of all) for each table and each of these days in the lake.

    `runs` are the messages that can still be read.
    """
    return [
        _origin(store.unmerged_rows(name, [day], vehicles_of_table(name, vehicles)), day, runs)
        for name in RAW
        for day in sorted({file.day for file in store.files(name)})
        if days.includes(day)
    ]


def vehicles_of_table(table: str, vehicles: Sequence[str] | None) -> Sequence[str] | None:
    """Return the vehicles whose rows of this table are replayed.

    A message in quarantine that could not be read may turn out to be from any vehicle.
    """
    return [*vehicles, UNKNOWN_VEHICLE] if vehicles is not None and table == "quarantine" else vehicles


def first_replayable_day(origins: Iterable[Origin]) -> date | None:
    """Return the first day from which on all messages can be read; None where all days are complete."""
    incomplete = [each.day for each in origins if each.incomplete]
    return max(incomplete) + timedelta(days=1) if incomplete else None


def _origin(rows: pl.LazyFrame, day: date, runs: Sequence[Run]) -> Origin:
    """The origin of a day's rows: it is incomplete where a row is from a message outside of the runs.

    A compaction merges rows of one key, which hides the earlier message behind the later. So a day that began before
    the runs did is complete only if all its rows are imported.
    """
    is_readable = pl.any_horizontal(pl.lit(False), *map(_is_within, runs))
    began_before = day_span(day)[0].timestamp() * 1000 - AHEAD_MS < _complete_since(runs)
    incomplete = ~is_readable | (pl.lit(began_before) & (pl.col("via") != "import"))
    row = rows.select(incomplete.any().alias("incomplete"), pl.col("received_at").min()).collect().row(0)
    return Origin(day, *row)


def _is_within(run: Run) -> pl.Expr:
    """Whether a row's message is in this run: another log may have the same sequences, but received at other times."""
    received_at = pl.col("received_at").dt.epoch("ms")
    is_same_time = received_at.is_between(run.first_at - COMMIT_MS, run.last_at + COMMIT_MS)
    return pl.col("sequence").is_between(run.first, run.last) & is_same_time


def _complete_since(runs: Sequence[Run]) -> float:
    """The receipt from which on every message can be read [epoch ms]."""
    if not runs:
        return float("inf")
    begin = runs[-1]
    for run in reversed(runs[:-1]):
        if run.last + 1 != begin.first:
            break
        begin = run
    return float("-inf") if begin.first == 1 else begin.first_at
