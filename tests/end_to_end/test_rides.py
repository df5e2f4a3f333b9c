"""Real recordings as signed pushes through a real receiver: every value is found back, to the unit's resolution."""

import csv
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from logger.settings.load import load_settings
from logger.simulator.demo.collector import Collector
from logger.simulator.demo.pushes import request
from logger.simulator.demo.sender import send
from logger.stores import open_lake
from tests.conftest import SHARED

EVERY = timedelta(seconds=10)
TWIZY = {"Soc": "powerPercent", "Speed": "speed"}
WHEEL = {"battery_level": "powerPercent", "speed": "speed", "totaldistance": "odometer"}
PLACE = {"LAT": "latitude", "LON": "longitude", "ALT": "altitude"}
SIGNALS = {
    "powerPercent": "soc_pct",
    "speed": "speed_kmh",
    "odometer": "odometer_m",
    "latitude": "lat_deg",
    "longitude": "lon_deg",
    "altitude": "altitude_m",
}
RESOLUTION = {"soc_pct": 1, "speed_kmh": 1, "odometer_m": 1, "lat_deg": 1e-6, "lon_deg": 1e-6, "altitude_m": 0.1}
Row = Mapping[str, str]


def recorded(path: Path) -> list[tuple[datetime, Row]]:
    """The recording thinned to one row in ten seconds, its clock moved so that it ended a minute ago."""
    with path.open(newline="") as file:
        rows = [(moment(row), row) for row in csv.DictReader(file)]
    kept: list[tuple[datetime, Row]] = []
    for at, row in rows:
        if not kept or at - kept[-1][0] >= EVERY:
            kept.append((at.replace(microsecond=0), row))
    end = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
    return [(at + (end - kept[-1][0]), row) for at, row in kept]


def moment(row: Row) -> datetime:
    if "Date" in row:
        return datetime.strptime(f"{row['Date']} {row['Time']}", "%m/%d/%Y %H:%M:%S").replace(tzinfo=UTC)
    return datetime.fromisoformat(f"{row['date']}T{row['time']}").replace(tzinfo=UTC)


def pushes(vehicle: str, rows: list[tuple[datetime, Row]]) -> Iterator[bytes]:
    """Each row as a status, and as a location where it has one, in the vendor's units and whole numbers."""
    for at, row in rows:
        fields = TWIZY if "Soc" in row else WHEEL
        fields_of_push = {theirs: f"{float(row[ours]):.0f}" for ours, theirs in fields.items()}
        yield request(vehicle, "status", {"online": "true", **fields_of_push, "statusUtcTime": f"{at.timestamp():.0f}"})
        if "LAT" in row:
            place = {theirs: row[ours] for ours, theirs in PLACE.items()}
            yield request(
                vehicle, "location", {"locationStatus": "valid", **place, "gpsUtcTime": f"{at.timestamp():.0f}"}
            )


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[list[tuple[datetime, Row]], pl.DataFrame]]:
    """By recording: what was recorded, and the rows that came out of the lake."""
    folder = SHARED / "data" / "rides"
    if not folder.is_dir():
        pytest.skip(f"no recordings: {folder} is not there")
    paths = sorted(folder.glob("*.csv"))
    vehicles = {path.stem: f"{861_000_000_000_000 + place}" for place, path in enumerate(paths)}
    rides = {path.stem: recorded(path) for path in paths}
    with Collector(tmp_path_factory.mktemp("rides"), list(vehicles.values())) as collector:
        for name, rows in rides.items():
            assert {answer.status for answer in send(collector.address, pushes(vehicles[name], rows))} == {200}
    store = open_lake(load_settings(collector.settings_file))
    both = store.scan("status").join(
        store.scan("location").select("vehicle", "time", "lat_deg", "lon_deg", "altitude_m"),
        on=["vehicle", "time"],
        how="left",
    )
    stored = both.collect()
    assert store.scan("quarantine").collect().is_empty()
    return {name: (rides[name], stored.filter(vehicle=vehicle).sort("time")) for name, vehicle in vehicles.items()}


NAMES = (
    "twizy_T1_2021-07-01",
    "twizy_T3_2021-05-25_1",
    "twizy_T3_2021-05-25_2",
    "wheel_2020-05-16",
    "wheel_2020-05-28",
)


@pytest.mark.parametrize("name", NAMES)
def test_every_value_of_a_recording_is_found_back(replayed: dict[str, Any], name: str) -> None:
    recording, rows = replayed[name]
    assert rows["time"].to_list() == [at for at, _ in recording]
    assert set(rows["clock"]) == {"device"}
    fields = {**(TWIZY if "Soc" in recording[0][1] else WHEEL), **(PLACE if "LAT" in recording[0][1] else {})}
    for theirs, pushed in fields.items():
        signal = SIGNALS[pushed]
        for (_, row), stored in zip(recording, rows[signal].to_list(), strict=True):
            assert stored == pytest.approx(float(row[theirs]), abs=RESOLUTION[signal] / 2 + 1e-9), (signal, row)


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_of_a_real_ride_raises_no_flag(replayed: dict[str, Any], name: str) -> None:
    _, rows = replayed[name]
    assert rows["flags"].drop_nulls().to_list() == []
