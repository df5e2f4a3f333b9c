"""Rows of status a second to trips: at several sizes and by parts, compared with another library, and their memory."""

import importlib
import itertools
import math
import statistics
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from analytics.observations.observations import observations
from analytics.trips.segments import segments
from analytics.trips.traits import TRAITS, traits
from analytics.trips.trips import trips
from logger.sources import TRAITS as DECLARED
from logger.stores.merge import merge_rows
from logger.tables import RAW
from tests.benchmarks.figures import Figure, pairs
from tests.benchmarks.fleet_month import VEHICLES, fleet_month, rows_of_vehicles
from tests.benchmarks.processes import report, run_module
from tests.score import baselines

_SHARES = (4, 2, 1)  # of the vehicles: a quarter, half, all
_ROUNDS = 5
_LIBRARY_VEHICLES = 3
_MIB = 1 << 20
_PARTS = ("observations", "segments", "trips")
_NO_POSITIONS = RAW["location"].schema.to_frame()


def figures(folder: Path) -> list[Figure]:
    """Measure all with the same month of a fleet."""
    rows = fleet_month(folder)
    return [*_rates(rows["status"], rows["location"]), _memory(rows["status"], folder)]


def make_trips(status: pl.LazyFrame, location: pl.LazyFrame | None = None) -> pl.DataFrame:
    """Return the trips of rows in any order, in which a key may occur more than once."""
    return _in_parts(status, _NO_POSITIONS.lazy() if location is None else location)[0]


def _in_parts(status: pl.LazyFrame, location: pl.LazyFrame) -> tuple[pl.DataFrame, list[float]]:
    """Return the trips, and the seconds that each of `_PARTS` took."""
    times = [time.perf_counter()]
    told = observations(merge_rows(status, RAW["status"].key), merge_rows(location, RAW["location"].key))
    times.append(time.perf_counter())
    steps = segments(told, traits(told, TRAITS.to_frame(), DECLARED, {}))
    times.append(time.perf_counter())
    found = trips(steps)
    times.append(time.perf_counter())
    return found, [after - before for before, after in itertools.pairwise(times)]


# ---- speed ---------------------------------------------------------------------------------------------------------


def _rates(status: pl.DataFrame, location: pl.DataFrame) -> list[Figure]:
    """Measure all sizes and the library in turn, round by round; the library gets few rows, because it is slow."""
    sizes = [rows_of_vehicles(status, VEHICLES // share) for share in _SHARES]
    few = _positions(rows_of_vehicles(status, _LIBRARY_VEHICLES), rows_of_vehicles(location, _LIBRARY_VEHICLES))
    placed = rows_of_vehicles(location, VEHICLES // _SHARES[0])
    parts, with_positions, theirs = [], [], []
    for _ in range(_ROUNDS):
        parts.append([_seconds(rows, _NO_POSITIONS) for rows in sizes])
        with_positions.append(_seconds(sizes[0], placed))
        theirs += [few.height / _library_s(few)] if baselines.HAS_LIBRARY else []
    times = [[sum(each) for each in sized] for sized in parts]
    ours = [status.height / seconds for *_, seconds in times]
    return [
        Figure(f"{status.height:,} rows of status to trips", ours, "/s", bar=600_000, aim=2_000_000),
        *_shares([each for *_, each in parts]),
        *_library_figures(ours, theirs, few.height),
        Figure("  exponent of time over rows: 1/4, 1/2, all", [_exponent(sizes, times)], better="less", bar=1.1),
        Figure(
            f"{sizes[0].height:,} of them with as many positions to trips",
            [sizes[0].height / sum(each) for each in with_positions], "/s",
        ),
        *_shares(with_positions),
    ]  # fmt: skip


def _seconds(status: pl.DataFrame, location: pl.DataFrame) -> list[float]:
    found, seconds = _in_parts(status.lazy(), location.lazy())
    assert found.height
    return seconds


def _shares(rounds: Sequence[Sequence[float]]) -> list[Figure]:
    """What share of the time each part took."""
    return [
        Figure(f"  {name}", [100 * each[place] / sum(each) for each in rounds], "% of the time", "less")
        for place, name in enumerate(_PARTS)
    ]


def _exponent(sizes: Sequence[pl.DataFrame], times: Sequence[Sequence[float]]) -> float:
    """Return the slope of the logarithm of the best time over that of the rows."""
    best = [math.log(min(seconds)) for seconds in zip(*times, strict=True)]
    return statistics.linear_regression([math.log(rows.height) for rows in sizes], best).slope


def _library_figures(ours: Sequence[float], theirs: Sequence[float], rows: int) -> list[Figure]:
    if not theirs:
        return [Figure("  ÷ movingpandas, not installed: `make score` does that", [], bar=75)]
    return [
        Figure(f"  movingpandas, {rows:,} of these rows", theirs, "/s"),
        Figure("  ÷ movingpandas", pairs(ours, theirs), bar=75),
    ]


def _positions(status: pl.DataFrame, location: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of status in order with the vehicle's last known position."""
    key = RAW["status"].key
    rows = status.select(key).unique().sort("vehicle", "time")
    positions = location.select(*key, "lat_deg", "lon_deg").drop_nulls().sort("vehicle", "time")
    joined = rows.join_asof(positions, on="time", by=["provider", "vehicle"], check_sortedness=False)
    return joined.rename({"time": "at"}).drop_nulls()


def _library_s(rows: pl.DataFrame) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's own
        importlib.import_module("movingpandas")
        began = time.perf_counter()
        assert baselines.library(rows, baselines.TUNED).height
        return time.perf_counter() - began


# ---- memory --------------------------------------------------------------------------------------------------------


def _memory(status: pl.DataFrame, folder: Path) -> Figure:
    status.write_parquet(folder / "status.parquet")
    result = run_module(__name__, str(folder))
    return Figure(
        f"  memory at its peak ÷ the frame's own {result.frame_mib:,.0f} MiB",
        [(result.peak_mib - result.before_mib) / result.frame_mib], better="less", bar=4,
    )  # fmt: skip


def _trips(folder: Path) -> float:
    status = pl.read_parquet(folder / "status.parquet")
    assert make_trips(status.lazy()).height
    return status.estimated_size() / _MIB


if __name__ == "__main__":
    report(lambda: _trips(Path(sys.argv[1])))
