"""Rows of status to trips, a second: at several sizes, beside another library, with the memory that it takes.

Then all analyses of the same rows by `analyze`, in less memory than these rows take.
"""

import importlib
import math
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
import polars as pl

from analytics.clean import readings
from analytics.intervals import intervals
from analytics.jobs import Wish, analyze
from analytics.trips import trips
from logger.spool.open import open_spool
from logger.stores import open_lake
from logger.stores.merge import merge_rows
from logger.tables import RAW
from tests.benchmarks.figures import Figure, pairs
from tests.benchmarks.fleet_month import VEHICLES, month, of_vehicles
from tests.benchmarks.messages import settings
from tests.helpers.process_memory import peak_mib, resident_mib
from tests.score import baselines

_SHARES = (4, 2, 1)  # of the vehicles: a quarter, half, all
_ROUNDS = 5
_LIBRARY_VEHICLES = 3
_MIB = 1 << 20


class Held(msgspec.Struct, frozen=True):
    """What came of a process of its own: seconds, the most memory beyond that after its imports, its frame [MiB]."""

    seconds: float
    peak_mib: float
    frame_mib: float


def figures(folder: Path) -> list[Figure]:
    """All of the same month of a fleet."""
    told = month(folder)
    return [*_rates(told["status"], told["location"]), _memory(told["status"], folder), *_whole(told, folder)]


def found(status: pl.LazyFrame) -> pl.DataFrame:
    """Trips of rows in any order, a key perhaps more than once."""
    return trips(intervals(readings(merge_rows(status, RAW["status"].key))[0]))


# ---- how fast ------------------------------------------------------------------------------------------------------


def _rates(status: pl.DataFrame, location: pl.DataFrame) -> list[Figure]:
    """All sizes and the library in turn, round by round; it gets few of the rows, for it is slow."""
    sizes = [of_vehicles(status, VEHICLES // share) for share in _SHARES]
    few = _positions(of_vehicles(status, _LIBRARY_VEHICLES), of_vehicles(location, _LIBRARY_VEHICLES))
    times, theirs = [], []
    for _ in range(_ROUNDS):
        times.append([_seconds(rows) for rows in sizes])
        theirs += [few.height / _library_s(few)] if baselines.HAS_LIBRARY else []
    ours = [status.height / seconds for *_, seconds in times]
    return [
        Figure(f"{status.height:,} rows of status to trips", ours, "/s", bar=800_000, aim=2_000_000),
        *_beside(ours, theirs, few.height),
        Figure("  exponent of time over rows: 1/4, 1/2, all", [_exponent(sizes, times)], better="less", bar=1.1),
    ]


def _seconds(rows: pl.DataFrame) -> float:
    began = time.perf_counter()
    assert found(rows.lazy()).height
    return time.perf_counter() - began


def _exponent(sizes: Sequence[pl.DataFrame], times: Sequence[Sequence[float]]) -> float:
    """The slope of the logarithm of the best time over that of the rows."""
    best = [math.log(min(seconds)) for seconds in zip(*times, strict=True)]
    return statistics.linear_regression([math.log(rows.height) for rows in sizes], best).slope


def _beside(ours: Sequence[float], theirs: Sequence[float], rows: int) -> list[Figure]:
    if not theirs:
        return [Figure("  ÷ movingpandas, not installed: `make score` does that", [], bar=100)]
    return [
        Figure(f"  movingpandas, {rows:,} of these rows", theirs, "/s"),
        Figure("  ÷ movingpandas", pairs(ours, theirs), bar=100),
    ]


def _positions(status: pl.DataFrame, location: pl.DataFrame) -> pl.DataFrame:
    """The rows of status in order, where the vehicle was."""
    key = RAW["status"].key
    rows = status.select(key).unique().sort("vehicle", "time")
    where = location.select(*key, "lat_deg", "lon_deg").drop_nulls().sort("vehicle", "time")
    placed = rows.join_asof(where, on="time", by=["provider", "vehicle"], check_sortedness=False)
    return placed.rename({"time": "at"}).drop_nulls()


def _library_s(rows: pl.DataFrame) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's own
        importlib.import_module("movingpandas")
        began = time.perf_counter()
        assert baselines.library(rows, baselines.TUNED).height
        return time.perf_counter() - began


# ---- in how much memory --------------------------------------------------------------------------------------------


def _memory(status: pl.DataFrame, folder: Path) -> Figure:
    status.write_parquet(folder / "status.parquet")
    held = _in_a_process("trips", folder)
    return Figure(
        f"  memory at its peak ÷ the frame's own {held.frame_mib:,.0f} MiB",
        [held.peak_mib / held.frame_mib], better="less", bar=4,
    )  # fmt: skip


def _whole(told: Mapping[str, pl.DataFrame], folder: Path) -> list[Figure]:
    """`analyze` of the same rows in a lake, all analyses."""
    ours = settings(folder)
    log_spool = open_spool(ours)
    store = open_lake(ours, log_spool.log_id)
    log_spool.close()
    for name, rows in told.items():
        store.write(name, rows)
    held = _in_a_process("analyze", folder)
    mib = sum(store.scan(name).collect().estimated_size() for name in told) / _MIB
    return [
        Figure("the same in a lake: `analyze`, all analyses", [told["status"].height / held.seconds], "/s"),
        Figure(f"  memory at its peak ÷ the {mib:,.0f} MiB of all rows", [held.peak_mib / mib], better="less", bar=1),
    ]


def _in_a_process(role: str, folder: Path) -> Held:
    words = [sys.executable, "-m", __name__, role, str(folder)]
    return msgspec.json.decode(subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout, type=Held)


def _trips(folder: Path) -> float:
    status = pl.read_parquet(folder / "status.parquet")
    assert found(status.lazy()).height
    return status.estimated_size() / _MIB


def _analyze(folder: Path) -> float:
    assert {each.table: each.rows for each in analyze(settings(folder), Wish())}["trips"]
    return 0


_ROLES: Mapping[str, Callable[[Path], float]] = {"trips": _trips, "analyze": _analyze}


def main(role: str, folder: str) -> None:
    """`python -m tests.benchmarks.analyses ROLE FOLDER`: what it took."""
    before_mib, began = resident_mib(), time.perf_counter()
    frame_mib = _ROLES[role](Path(folder))
    told = Held(time.perf_counter() - began, peak_mib() - before_mib, frame_mib)
    sys.stdout.buffer.write(msgspec.json.encode(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
