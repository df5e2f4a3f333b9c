"""What is read for an analysis: from when to when, and which vehicles together."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import polars as pl

from analytics.engine.changes import merged
from analytics.engine.windows import reaching_back
from analytics.frames import DAY, WHO, Read
from analytics.observations.dates import APART_DAYS, DAYS, wrong_dates
from analytics.schemas import TOUCHED
from logger.stores.contract import Store
from logger.stores.lake.data_files import files_in_span
from logger.stores.lake.delta import day_span
from logger.stores.lake.lake import Lake

MARGIN = 4 * DAY  # read before and after what was touched, to begin with; more where that is not enough
_WASTE, _CHEAP_ROWS = 2.0, 100_000  # vehicles are read together up to twice what each needs, or as few rows as these
GROUP_ROWS = 1_200_000  # that are analysed together, so that memory stays flat: below one and a half gigabytes
_LARGE = ("status", "location")  # tables that have nearly all rows


class Plan:
    """Of raw rows of a store, and of derived ones in the lake; nothing lies before `begin` and after `end`.

    Between `first` and `last` lies all but a few rows whose date is years from all others, and probably wrong: what
    reaches to them reads to the edge.
    """

    def __init__(
        self, store: Store, lake: Lake, reads: Sequence[str], tables: Sequence[str], group_rows: int = GROUP_ROWS
    ) -> None:
        self._store, self._lake = store, lake
        self._reads, self._tables, self._group_rows = reads, tables, group_rows
        days = self._days()
        self.begin, self.end = _edges(days)
        likely, today = self._likely(days), datetime.now(UTC).date()
        self.first, self.last = _edges(likely)[0], _edges(likely | {day for day in days if day <= today})[1]

    def _days(self) -> set[date]:
        """The days on which there is any row."""
        all_in_lake = isinstance(self._store, Lake)
        days = self._lake.days({*self._tables, *self._reads} if all_in_lake else self._tables)
        if not all_in_lake:
            days |= {day.date() for name in self._reads for day, _ in self._store.count(name)}
        return days

    def _likely(self, days: set[date]) -> set[date]:
        """Of these days those that are not wrong, all vehicles as one; rows are counted where some are years apart."""
        if not any(late - early > APART_DAYS * DAY for early, late in pairwise(sorted(days))):
            return days
        rows = [row for name in self._reads for row in self._counts(name)]
        counted = pl.DataFrame(rows, schema={"day": pl.Date, "rows": pl.Int64}, orient="row").group_by("day").sum()
        one = counted.with_columns(pl.lit("").alias(name) for name in WHO)
        wrong = wrong_dates(one.select(pl.col(name).cast(kind) for name, kind in DAYS.items()))
        spans = [(begin.date(), end.date()) for *_, begin, end in wrong.iter_rows()]
        return {day for day in days if not any(begin <= day < end for begin, end in spans)}

    def _counts(self, name: str) -> list[tuple[date, int]]:
        if isinstance(self._store, Lake):
            return [(file.day, file.rows) for file in self._store.files(name)]
        return [(day.date(), rows) for day, rows in self._store.count(name)]

    def vehicles(self, since: datetime, until: datetime) -> pl.DataFrame:
        """All that have rows in this span, in order."""
        raw = [self._store.scan(name, since, until).select("vehicle") for name in self._reads]
        made = [self._lake.scan(name, since, until).select("vehicle") for name in self._tables]
        return pl.concat([*raw, *made]).unique().sort("vehicle").collect()

    def reaching_back(self, touched: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
        """`touched`, from the start of rows of these derived tables that may go on into it."""
        for name in names:
            touched = self._back(name, touched, MARGIN)
        return touched

    def _back(self, name: str, touched: pl.DataFrame, margin: timedelta) -> pl.DataFrame:
        """By the rows of one table: read so far back, and farther for vehicles that have none there."""
        if touched.is_empty():
            return touched
        since = min(touched["first_at"]) - margin
        there = self._lake.scan_overlapping(name, since, max(touched["first_at"]), touched["vehicle"].to_list())
        found = reaching_back(touched, there, since if since > self.begin else None)
        missing = touched.join(found, on="vehicle", how="anti")
        return merged([found, self._back(name, missing, 4 * margin)])

    def groups(self, touched: pl.DataFrame, margin: timedelta) -> Iterator[tuple[pl.DataFrame, Read]]:
        """Vehicles of near days together, as many as memory takes, and what to read for them."""
        for part in self._near(touched, margin):
            for each in self._split(part.sort("vehicle"), self._reach(*_ends(part), margin)):
                yield each, self._reach(*_ends(each), margin)

    def _near(self, touched: pl.DataFrame, margin: timedelta) -> Iterator[pl.DataFrame]:
        """Vehicles of near days: reading all of them over all these days costs little more than each over its own."""
        rows = touched.sort("first_at", "last_at", "vehicle")
        begin, own, ends = 0, timedelta(0), (datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC))
        for place, (_, first, last) in enumerate(rows.iter_rows()):
            both = min(ends[0], first), max(ends[1], last)
            mine, read = last - first + 2 * margin, self._reach(*both, margin)
            wasteful = (place + 1 - begin) * (read.until - read.since) > _WASTE * (own + mine)
            if place > begin and wasteful and self._count_rows(read) > _CHEAP_ROWS:
                yield rows[begin:place]
                begin, own, both = place, timedelta(0), (first, last)
            own, ends = own + mine, both
        if rows.height:
            yield rows[begin:]

    def _count_rows(self, read: Read) -> int:
        """How many rows there are in these days; many where nobody counts them."""
        if not isinstance(self._store, Lake):
            return self._group_rows + 1
        spans = (files_in_span(self._store.files(name), read.since, read.until) for name in _LARGE)
        return sum(file.rows for files in spans for file in files)

    def _split(self, part: pl.DataFrame, read: Read) -> Iterator[pl.DataFrame]:
        if part.height == 1 or self._count_rows(read) <= self._group_rows:
            yield part
            return
        whose = part["vehicle"].to_list()
        rows = [self._store.scan(name, read.since, read.until, whose).select("vehicle") for name in _LARGE]
        counts = pl.concat(rows).group_by("vehicle").len().collect()
        counted = part.join(counts, on="vehicle", how="left").sort("vehicle")
        place = counted.with_columns((pl.col("len").fill_null(0).cum_sum() // self._group_rows).alias("place"))
        for _, each in place.group_by("place", maintain_order=True):
            yield each.select(TOUCHED.names())

    def _reach(self, first: datetime, last: datetime, margin: timedelta) -> Read:
        first_day, last_day = (at.replace(hour=0, minute=0, second=0, microsecond=0) for at in (first, last))
        since, until = min(first_day, self.last) - margin, max(last_day, self.first) + DAY + margin
        whole = since <= self.first, until >= self.last
        return Read(self.begin if whole[0] else since, self.end if whole[1] else until, *whole)


def _ends(part: pl.DataFrame) -> tuple[datetime, datetime]:
    first, last = part.select(pl.col("first_at").min(), pl.col("last_at").max()).row(0)
    return first, last


def _edges(days: set[date]) -> tuple[datetime, datetime]:
    """The first of these days, less one for local days, and the one after the last."""
    today = datetime.now(UTC).date()
    return day_span(min(days, default=today))[0] - DAY, day_span(max(days, default=today))[1] + DAY
