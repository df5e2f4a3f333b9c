"""Which days of the lake can be made again: those of which every raw message is still kept."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec
import polars as pl

from logger.decode.messages import AHEAD_MS
from logger.spool.archive_index import Run
from logger.spool.log import COMMIT_MS
from logger.spool.vehicle_index import UNKNOWN_VEHICLE
from logger.stores.lake.delta import day_span
from logger.stores.lake.lake import Lake
from logger.tables import RAW


class Days(msgspec.Struct, frozen=True):
    """A span of whole days of UTC, `until` not included; None is open. Those `left` keep what they hold."""

    since: date | None = None
    until: date | None = None
    left: frozenset[date] = frozenset()

    @classmethod
    def around(cls, since: datetime | None, until: datetime | None) -> "Days":
        """The days that this span touches."""
        last = None if until is None else (until.astimezone(UTC) - timedelta(microseconds=1)).date()
        return cls(since and since.astimezone(UTC).date(), last and last + timedelta(days=1))

    def hold(self, day: date) -> bool:
        """Whether this day is to be made again."""
        after = self.since is None or day >= self.since
        return after and (self.until is None or day < self.until) and day not in self.left

    def among(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Those of these rows that lie in these days."""
        day = pl.col("time").dt.date()
        after = pl.lit(True) if self.since is None else day >= self.since
        before = pl.lit(True) if self.until is None else day < self.until
        return rows.filter(after & before & ~day.is_in(list(self.left)))


class Origin(msgspec.Struct, frozen=True):
    """Where the rows of a day come from: whether any message of theirs is gone, and when the first of all came."""

    day: date
    gone: bool
    first_at: datetime | None


def row_origins(store: Lake, kept: Sequence[Run], days: Days, vehicles: Sequence[str] | None) -> list[Origin]:
    """Of each table and each of these days in the lake, the origin of these vehicles' rows (None: of all)."""
    return [
        _origin(store.unmerged_rows(name, day, vehicles_of_table(name, vehicles)), day, kept)
        for name in RAW
        for day in sorted({file.day for file in store.files(name)})
        if days.hold(day)
    ]


def vehicles_of_table(table: str, vehicles: Sequence[str] | None) -> Sequence[str] | None:
    """Whose rows of this table are made again; a message that nobody could read may turn out to be anybody's."""
    return [*vehicles, UNKNOWN_VEHICLE] if vehicles is not None and table == "quarantine" else vehicles


def _origin(rows: pl.LazyFrame, day: date, kept: Sequence[Run]) -> Origin:
    """A row whose message is none of those kept is of a message that is gone.

    Rows of one key are one row after a compaction, which hides the earlier message behind the later. So a day that
    began before the messages that are kept counts as whole only if it holds nothing but imports.
    """
    is_kept = pl.any_horizontal(pl.lit(False), *map(_of, kept))
    begun = day_span(day)[0].timestamp() * 1000 - AHEAD_MS < _whole_since(kept)
    gone = ~is_kept | (pl.lit(begun) & (pl.col("via") != "import"))
    found = rows.select(gone.any().alias("gone"), pl.col("received_at").min()).collect().row(0)
    return Origin(day, *found)


def _of(run: Run) -> pl.Expr:
    """Whether a row's message is one of these: another log has the same sequences, but not at the same time."""
    then = pl.col("received_at").dt.epoch("ms").is_between(run.first_at - COMMIT_MS, run.last_at + COMMIT_MS)
    return pl.col("sequence").is_between(run.first, run.last) & then


def _whole_since(kept: Sequence[Run]) -> float:
    """From which receipt on every message is kept [epoch ms]."""
    if not kept:
        return float("inf")
    begin = kept[-1]
    for run in reversed(kept[:-1]):
        if run.last + 1 != begin.first:
            break
        begin = run
    return float("-inf") if begin.first == 1 else begin.first_at


def first_replayable_day(found: Iterable[Origin]) -> date | None:
    """The first day from which on no message is gone; None where none ever was."""
    gone = [each.day for each in found if each.gone]
    return max(gone) + timedelta(days=1) if gone else None
