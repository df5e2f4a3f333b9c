"""`voltrail rollup`: rollups of the days that changed since the last time, into the lake."""

import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import msgspec
import polars as pl

from analytics.digests import mark
from analytics.engine.checkpoints import read, write
from analytics.engine.state_days import STATES_1D, roll_states
from analytics.fleet.rollups import rolled
from logger.stores.lake.data_files import files_by_day
from logger.stores.lake.delta import day_span
from logger.stores.lake.lake import Lake
from logger.tables import ROLLUPS

_GROUP_ROWS = 2_000_000
_NOTES = "rollups.json"


class Rolled(msgspec.Struct, frozen=True):
    """What became of a rollup: days made anew, rows in them, days left as they were."""

    table: str
    days: int
    rows: int
    same: int


def roll_when_due(lake: Lake, folder: Path, every_s: float = 3_600.0) -> list[Rolled]:
    """Make anew what changed, unless that was done less than an hour ago. Raises `Retry`."""
    notes = folder / _NOTES
    fresh = notes.exists() and time.time() - notes.stat().st_mtime < every_s
    return [] if fresh else roll(lake, folder)


def roll(lake: Lake, folder: Path, progress: Callable[[str], None] = lambda text: None) -> list[Rolled]:
    """Make anew what changed. What was made of which files is noted in `folder`. Raises `Retry`."""
    notes = folder / _NOTES
    made = read(notes)
    results = []
    for name in ROLLUPS:
        results.append(_rolled_days(lake, name, made.setdefault(name, {}), progress))
        write(notes, made)
    results.append(Rolled(STATES_1D, *roll_states(lake, made.setdefault(STATES_1D, {}), progress)))
    write(notes, made)
    progress("")
    return results


def _rolled_days(lake: Lake, name: str, made: dict[str, str], progress: Callable[[str], None]) -> Rolled:
    days, rows, same = 0, 0, 0
    source = files_by_day(lake.files(ROLLUPS[name][0]))
    for day in sorted({*source, *(date.fromisoformat(text) for text in made)}):
        state = mark(source.get(day, ()))
        if made.get(day.isoformat()) == state:
            same += 1
            continue
        progress(f"{name} of {day}")
        rows += _day(lake, name, day)
        days += 1
        made[day.isoformat()] = state
        if not source.get(day):
            del made[day.isoformat()]
    return Rolled(name, days, rows, same)


def _day(lake: Lake, name: str, day: date) -> int:
    """Vehicle by vehicle where the day is large, so that memory stays flat."""
    since, until = day_span(day)
    there = lake.scan(ROLLUPS[name][0], since, until)
    counts = there.group_by("vehicle").len().sort("vehicle").collect()
    groups = counts.with_columns((pl.col("len").cum_sum() // _GROUP_ROWS).alias("group"))
    made = [
        rolled(there.filter(pl.col("vehicle").is_in(part["vehicle"].to_list())), name).collect()
        for _, part in groups.group_by("group", maintain_order=True)
    ]
    rows = pl.concat(made) if made else rolled(there, name).collect()
    lake.replace(name, rows, None, since, until)
    return rows.height
