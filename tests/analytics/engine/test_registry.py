"""What analyses make of the rows of a real lake."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from analytics.engine.jobs import Wish, analyze
from logger.settings.schema import Collector, LakeSettings, Settings, Sinks
from logger.settings.schema import Place as Circle
from logger.stores.lake.lake import Lake
from logger.tables import shaped
from tests.analytics.driven import BEGIN, HOUR, driven, stored

LAT, LON = 52.52, 13.405
DEGREE_M = 111_195


def trips_of(folder: Path, rows: dict[str, list[dict[str, Any]]], **more: Any) -> pl.DataFrame:
    lake = Lake(str(folder / "lake"), "log")
    for name, each in rows.items():
        lake.write(name, stored(each, table=name))
    place = Settings(Collector(data_dir=str(folder)), Sinks(LakeSettings(str(folder / "lake"))), **more)
    analyze(place, Wish())
    return lake.scan("trips").sort("time").collect()


def fix(seconds: float, north_m: float, vehicle: str = "a") -> dict[str, Any]:
    at = BEGIN + timedelta(seconds=seconds)
    return {
        "provider": "segway", "vehicle": vehicle, "time": at, "received_at": at, "via": "push", "clock": "device",
        "lat_deg": LAT + north_m / DEGREE_M, "lon_deg": LON, "kind": "current",
    }  # fmt: skip


def test_a_trip_from_a_private_place_tells_its_name_and_not_where_it_lies(tmp_path: Path) -> None:
    home = Circle(lat_deg=LAT, lon_deg=LON, radius_m=100, private=True)
    ride_s = 9.5 * HOUR.total_seconds()
    fixes = [fix(9 * 3600, 0), fix(ride_s + 150, 900), fix(ride_s + 300, 1800)]
    rows = {"status": list(driven("a", 2, 9.5)), "location": fixes}
    (trip,) = trips_of(tmp_path, rows, places={"Home": home}).to_dicts()
    assert (trip["start_place"], trip["start_lat_deg"], trip["start_lon_deg"]) == ("Home", None, None)
    assert (trip["finish_place"], trip["flags"]) == (None, ["no_capacity", "private_place"])
    assert trip["finish_lat_deg"] == pytest.approx(LAT + 1800 / DEGREE_M)


def test_a_vehicle_that_tells_only_positions_has_trips_by_positions(tmp_path: Path) -> None:
    stood = [fix(second, 0) for second in range(0, 7200, 300)]
    rode = [fix(7200 + second, second * 6) for second in range(0, 601, 10)]
    stands = [fix(second, 3600) for second in range(8100, 15_000, 300)]
    (trip,) = trips_of(tmp_path, {"location": [*stood, *rode, *stands]}).to_dicts()
    assert trip["distance_source"] == "gps"
    assert trip["distance_m"] == pytest.approx(3600, rel=0.02)
    assert (trip["energy_wh"], trip["start_odometer_m"]) == (None, None)


def test_a_vehicle_that_tells_only_its_speed_has_trips_by_speed(tmp_path: Path) -> None:
    told = [{**row, "odometer_m": None, "ride_time_s": None} for row in driven("a", 2, 9.5)]
    rows = [{**row, "speed_kmh": 0.0 if row["locked"] else 21.6} for row in told]
    (trip,) = trips_of(tmp_path, {"status": rows}).to_dicts()
    assert trip["distance_source"] == "speed"
    assert trip["distance_m"] == pytest.approx(1800, rel=0.2)
    assert shaped(pl.DataFrame([trip], infer_schema_length=None), "trips").height == 1
