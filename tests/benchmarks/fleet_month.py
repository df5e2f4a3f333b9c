"""A month of 500 mopeds as it arrives, five million rows of status, before anything is sorted or folded."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import polars as pl

from tests.benchmarks.status_rows import numbered, retold, stories

VEHICLES = 500
_STORIES, _DAYS = 25, 31
_TABLES = ("status", "location", "event")
_TWICE, _LATER = 0.01, timedelta(minutes=1)  # so many rows came again, so much later
_SEED = 1


def month(folder: Path, vehicles: int = VEHICLES) -> Mapping[str, pl.DataFrame]:
    """The rows by table, in no order, one in a hundred twice; a story has as many tellers as it takes."""
    told = stories(folder, _STORIES, _DAYS, _TABLES)
    return {name: _arrived(retold(rows, _STORIES, vehicles // _STORIES), name) for name, rows in told.items()}


def of_vehicles(rows: pl.DataFrame, vehicles: int) -> pl.DataFrame:
    """The rows of so many vehicles, of every story as many."""
    names = rows["vehicle"].unique().sort().head(vehicles)
    return rows.filter(pl.col("vehicle").is_in(names.implode()))


def _arrived(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    again = rows.sample(fraction=_TWICE, seed=_SEED).with_columns(pl.col("received_at") + _LATER)
    whole = numbered(pl.concat([rows, again]), name)
    return whole.sample(fraction=1.0, shuffle=True, seed=_SEED)
