"""`states_1d` in the lake: made anew for the days that states reach whose files have changed."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta

import polars as pl

from analytics.digests import mark
from analytics.timeline.states import by_utc_day
from logger.stores.lake.data_files import files_by_day
from logger.stores.lake.delta import day_span
from logger.stores.lake.lake import Lake

STATES_1D = "states_1d"
_TOGETHER_DAYS = 28  # of a large fleet, a million states
Notes = dict[str, tuple[str, str]]  # day on which states began → mark of their files, and the last day that they reach


def roll_states(lake: Lake, notes: Notes, progress: Callable[[str], None]) -> tuple[int, int, int]:
    """Make anew what changed, and note it; return days made, rows in them, and days left as they were.

    A state counts for each day that it lasts, so a change of the day on which it began concerns those after it, up to
    where it ends, or ended when that was noted.
    """
    marks = {day: mark(files) for day, files in files_by_day(lake.files("states")).items()}
    days = {*marks, *map(date.fromisoformat, notes)}
    changed = {day for day in days if notes.get(day.isoformat(), ("", ""))[0] != marks.get(day, "")}
    old = {day: date.fromisoformat(notes[day.isoformat()][1]) for day in changed if day.isoformat() in notes}
    new = {day: _last_day(lake, day) for day in changed & {*marks}}
    stale = {day for began in changed for day in _days(began, max(old.get(began, began), new.get(began, began)))}
    rows = sum(_make(lake, first, last, progress) for first, last in _runs(stale))
    for day in changed:
        notes.pop(day.isoformat(), None)
    notes.update({day.isoformat(): (marks[day], reached.isoformat()) for day, reached in new.items()})
    return len(stale), rows, len(days - stale)


def _last_day(lake: Lake, day: date) -> date:
    """The last day that a state reaches which began on this day."""
    last = lake.scan("states", *day_span(day)).select(pl.col("finished_at").max()).collect().item()
    return day if last is None else max(day, last.date())


def _days(first: date, last: date) -> Iterator[date]:
    yield from (first + timedelta(days=number) for number in range((last - first).days + 1))


def _runs(days: set[date]) -> Iterator[tuple[date, date]]:
    """First and last of neighbouring days, as many as are made together."""
    first = None
    for day in sorted(days):
        first = first or day
        following = day + timedelta(days=1)
        if following not in days or (following - first).days >= _TOGETHER_DAYS:
            yield first, day
            first = None


def _make(lake: Lake, first: date, last: date, progress: Callable[[str], None]) -> int:
    """Make these days anew, and write those that differ; return how many rows they have."""
    progress(f"{STATES_1D} of {first}")
    since, until = day_span(first)[0], day_span(last)[1]
    states = lake.scan_overlapping("states", since, until).collect()
    rows = by_utc_day(states).filter(pl.col("time").is_between(since, until, closed="left"))
    there = lake.scan(STATES_1D, since, until).collect()
    differ = pl.concat([rows, there]).unique(keep="none")["time"].unique().sort()
    if differ.len():
        begin, end = differ[0], day_span(differ[-1].date())[1]
        lake.replace(STATES_1D, rows.filter(pl.col("time").is_between(begin, end, closed="left")), None, begin, end)
    return rows.height
