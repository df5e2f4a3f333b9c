"""A first `analyze` of all tables, in a new process: vehicles of unequal days, a polled car, a month of mopeds."""

import itertools
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from analytics.engine.jobs import Wish, analyze
from logger.settings.schema import Model, Settings
from logger.spool.open import open_spool
from logger.stores import open_lake
from tests.benchmarks.figures import Figure, pairs
from tests.benchmarks.fleet_month import fleet_month, rows_of_vehicles
from tests.benchmarks.messages import BEGIN_S, settings
from tests.benchmarks.processes import ProcessResult, report, run_module
from tests.benchmarks.status_rows import with_sequence

_BEGIN = datetime.fromtimestamp(BEGIN_S, UTC)
_ROUNDS = 3
_APART = 50  # vehicles, and the days on which they live
_POLLED_DAYS, _POLL = 730, timedelta(hours=8)
_FLEET = 50  # vehicles of a month that make a million rows of raw tables
_MOST_MIB = 1536


def few_rows(folder: Path) -> list[Figure]:
    """Measure what vehicles of few rows take."""
    return [*_unequal_days(folder), _polled(folder)]


def fleet(folder: Path) -> list[Figure]:
    """Measure a million rows of raw tables, and twice as many."""
    twice = fleet_month(folder, 2 * _FLEET)
    once = {name: rows_of_vehicles(rows, _FLEET) for name, rows in twice.items()}
    (count, one), (twice_count, two) = (
        (sum(rows.height for rows in tables.values()), _analyse(tables, folder / f"fleet{number}"))
        for number, tables in enumerate((once, twice))
    )
    what = "rows of raw tables, a month of mopeds: all tables"
    return [
        Figure(f"{count:,} {what}", [count / one.seconds], "/s", bar=150_000),
        Figure("  memory at its peak", [one.peak_mib], "MiB", "less", bar=_MOST_MIB),
        Figure(f"{twice_count:,} {what}", [twice_count / two.seconds], "/s"),
        Figure("  memory at its peak", [two.peak_mib], "MiB", "less", bar=_MOST_MIB),
    ]


def _analyse(tables: Mapping[str, pl.DataFrame], folder: Path) -> ProcessResult:
    """Write these rows to a new lake in this folder, and analyse them in a process of its own."""
    folder.mkdir()
    ours = _settings(folder)
    spool = open_spool(ours)
    store = open_lake(ours, spool.log_id)
    spool.close()
    for name, rows in {**tables, "vehicles": _vehicles(tables["status"])}.items():
        store.write(name, rows)
    return run_module(__name__, str(folder))


def _settings(folder: Path) -> Settings:
    return msgspec.structs.replace(settings(folder), models={"moped": Model(capacity_wh=1440, wh_per_km=31)})


def _vehicles(status: pl.DataFrame) -> pl.DataFrame:
    """Return vehicles of one model, so that trips have an energy."""
    who = status.group_by("provider", "vehicle").agg(pl.col("time").min()).sort("provider", "vehicle")
    told = who.with_columns(received_at="time", via=pl.lit("import"), clock=pl.lit("server"), model=pl.lit("moped"))
    return with_sequence(told, "vehicles")


def _unequal_days(folder: Path) -> list[Figure]:
    days: dict[bool, list[float]] = {True: [], False: []}
    for number, apart in itertools.product(range(_ROUNDS), days):
        rows = pl.concat(_day(vehicle, vehicle if apart else 0) for vehicle in range(_APART))
        days[apart].append(_analyse({"status": with_sequence(rows, "status")}, folder / f"{apart}{number}").seconds)
    what = f"{_APART} vehicles on {_APART} different days, 31 rows each"
    return [
        Figure(f"{what}: all tables", days[True], "s", "less", bar=5),
        Figure("  ÷ the same vehicles on one day", pairs(days[True], days[False]), better="less", bar=2.5),
    ]


def _day(vehicle: int, day: int) -> pl.DataFrame:
    """Return a moped's day: locked every hour, and half past twelve a ride of ten minutes, with a row a minute."""
    begin = _BEGIN + timedelta(day)
    parked = [(begin + timedelta(hours=hour), True, 3000.0 * (hour > 12)) for hour in range(2, 22)]
    start = begin + timedelta(hours=12, minutes=30)
    ridden = [(start + timedelta(minutes=minute), False, 300.0 * minute) for minute in range(11)]
    rows = [
        {"vehicle": str(vehicle), "time": at, "locked": locked, "speed_kmh": 0.0 if locked else 18.0,
         "soc_pct": 90.0 - way_m // 500, "odometer_m": 1e6 + way_m, "ride_time_s": 2e5 + way_m / 5}
        for at, locked, way_m in sorted(parked + ridden)
    ]  # fmt: skip
    return _told(rows, provider="segway", via="push", clock="device")


def _polled(folder: Path) -> Figure:
    """Measure a car of which three polls a day tell that it was driven and charged."""
    rows = [_poll(number) for number in range(_POLLED_DAYS * timedelta(days=1) // _POLL)]
    told = _told(rows, provider="smartcar", via="poll", clock="server", vehicle="car")
    seconds = [_analyse({"status": told}, folder / f"polled{number}").seconds for number in range(_ROUNDS)]
    return Figure(f"a car polled every 8 hours for {_POLLED_DAYS} days: all tables", seconds, "s", "less", bar=3)


def _poll(number: int) -> dict[str, Any]:
    """Return what a poll says: 30 km a day, 6 % of charge, which are charged at night."""
    day, third = divmod(number, 3)
    driven = third == 2  # by day, from the second poll to the third
    return {
        "time": _BEGIN + number * _POLL,
        "odometer_m": 1e7 + 30_000.0 * (day + driven),
        "soc_pct": 74.0 if driven else 80.0,
    }


def _told(rows: list[dict[str, Any]], **origin: str) -> pl.DataFrame:
    said = pl.DataFrame(rows).with_columns(pl.lit(value).alias(name) for name, value in origin.items())
    return with_sequence(said.with_columns(received_at="time"), "status")


def _analyze(folder: Path) -> float:
    assert {each.table: each.rows for each in analyze(_settings(folder), Wish())}["trips"]
    return 0


if __name__ == "__main__":
    report(lambda: _analyze(Path(sys.argv[1])))
