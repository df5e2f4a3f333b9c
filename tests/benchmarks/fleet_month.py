"""A month of 500 mopeds as it arrives, five million rows of status, before anything is sorted or merged."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import polars as pl

from tests.benchmarks.status_rows import copy_to_vehicles, simulated_rows, with_sequence

VEHICLES = 500
_SIMULATED, _DAYS = 25, 31
_TABLES = ("status", "location", "event")
_REPEATED, _LATER = 0.01, timedelta(minutes=1)  # the share of rows that arrive again, and how much later
_SEED = 1


def fleet_month(folder: Path, vehicles: int = VEHICLES) -> Mapping[str, pl.DataFrame]:
    """Return the rows by table, in random order, one in a hundred twice."""
    simulated = simulated_rows(folder, _SIMULATED, _DAYS, _TABLES)
    copies = vehicles // _SIMULATED
    return {name: _arrive(copy_to_vehicles(rows, _SIMULATED, copies), name) for name, rows in simulated.items()}


def rows_of_vehicles(rows: pl.DataFrame, vehicles: int) -> pl.DataFrame:
    """Return the rows of this number of vehicles, with equally many copies of every simulated one."""
    names = rows["vehicle"].unique().sort().head(vehicles)
    return rows.filter(pl.col("vehicle").is_in(names.implode()))


def _arrive(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    repeated = rows.sample(fraction=_REPEATED, seed=_SEED).with_columns(pl.col("received_at") + _LATER)
    all_rows = with_sequence(pl.concat([rows, repeated]), name)
    return all_rows.sample(fraction=1.0, shuffle=True, seed=_SEED)
