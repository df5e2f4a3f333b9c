"""A ride is found whatever the vehicle tells of it, and however often."""

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from analytics.observations.observations import observations
from logger.tables import shaped
from tests.analytics.finding import trips_of

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
HOUR_S, NOON_S, RIDE_S = 3600, 43_200, 1200
DEGREE_M = 111_195
ORIGIN = 7  # columns of any row
ODOMETER, LOCK, PLACE, SPEED = ("odometer_m",), ("locked",), ("lat_deg", "lon_deg"), ("speed_kmh",)


def day(
    signals: Sequence[str], every_s: float, kmh: float, before_m: float = 0.0, first_kmh: float = 0.0
) -> Iterator[dict[str, Any]]:
    """Parked and heard of every hour; at noon, after five silent hours if so far was ridden in them, a ride of 20 min.

    `first_kmh` is the speed that its first row tells.
    """
    for second in range(0, NOON_S - (4 * HOUR_S if before_m else 0), HOUR_S):
        yield row(signals, second, 0.0, 0.0, locked=True)
    count = round(RIDE_S / every_s)
    for place in range(count + 1):
        speed = first_kmh if place == 0 else 0.0 if place == count else kmh
        way_m = before_m + place * every_s * kmh / 3.6
        yield row(signals, NOON_S + 60 + place * every_s, way_m, speed, locked=False)
    for second in range(NOON_S + HOUR_S, 2 * NOON_S, HOUR_S):
        yield row(signals, second, before_m + RIDE_S * kmh / 3.6, 0.0, locked=True)


def row(signals: Sequence[str], second: float, way_m: float, speed_kmh: float, *, locked: bool) -> dict[str, Any]:
    told = {
        "odometer_m": math.floor(1e6 + way_m), "locked": locked, "speed_kmh": speed_kmh,
        "lat_deg": 50 + way_m / DEGREE_M, "lon_deg": 11.0,
    }  # fmt: skip
    at = BEGIN + timedelta(seconds=second)
    origin = {"provider": "import", "vehicle": "v", "time": at, "received_at": at, "via": "import", "clock": "device"}
    return {**origin, "sequence": 1, **{name: value for name, value in told.items() if name in signals}}


def found(rows: Iterator[dict[str, Any]]) -> pl.DataFrame:
    told = pl.DataFrame(list(rows), infer_schema_length=None)
    parts = {"status": told.drop(PLACE, strict=False), "location": told.drop(*ODOMETER, *LOCK, *SPEED, strict=False)}
    whole = {name: rows if rows.width > ORIGIN else rows.clear() for name, rows in parts.items()}
    status, location = (shaped(rows, name).lazy() for name, rows in whole.items())
    return trips_of(observations(status, location))


def minutes(trips: pl.DataFrame) -> list[tuple[int, int]]:
    moments = trips.select("started_at", "finished_at").iter_rows()
    return [(round((a - BEGIN).total_seconds() / 60), round((b - BEGIN).total_seconds() / 60)) for a, b in moments]


@pytest.mark.parametrize("signals", [ODOMETER, ODOMETER + LOCK, PLACE, PLACE + LOCK, ODOMETER + PLACE, SPEED])
@pytest.mark.parametrize("kmh", [9, 25])
@pytest.mark.parametrize("every_s", [0.2, 1, 5, 10])
def test_a_ride_is_one_trip(signals: tuple[str, ...], kmh: float, every_s: float) -> None:
    got = found(day(signals, every_s, kmh))
    ((start, end),) = minutes(got)
    assert abs(start - 721) <= 1
    assert abs(end - 741) <= 1
    assert got["kind"].to_list() == ["observed"]
    assert got["distance_m"].to_list() == [pytest.approx(RIDE_S * kmh / 3.6, rel=0.05)]


@pytest.mark.parametrize("every_s", [1, 10])
def test_a_ride_at_walking_pace_is_seen_by_positions_that_lead_on(every_s: float) -> None:
    got = found(day(PLACE, every_s, 6))
    ((start, end),) = minutes(got)
    assert abs(start - 721) <= 1
    assert abs(end - 741) <= 1
    assert got["distance_m"].to_list() == [pytest.approx(2000, rel=0.1)]


@pytest.mark.parametrize("signals", [ODOMETER + SPEED, ODOMETER + SPEED + LOCK, ODOMETER + SPEED + PLACE])
@pytest.mark.parametrize("every_s", [1, 10])
def test_a_way_before_the_first_row_of_a_vehicle_that_stands_then_is_a_trip_of_its_own(
    signals: tuple[str, ...], every_s: float
) -> None:
    got = found(day(signals, every_s, 25, before_m=5000))
    assert got["kind"].to_list() == ["inferred", "observed"]
    assert got["distance_m"].to_list() == [5000, pytest.approx(RIDE_S * 25 / 3.6, abs=2)]
    assert minutes(got)[1] == (721, 741)


def test_a_way_before_the_first_row_of_a_vehicle_under_way_is_part_of_its_trip() -> None:
    got = found(day(ODOMETER + SPEED, 10, 25, before_m=5000, first_kmh=25.0))
    assert got["distance_m"].to_list() == [pytest.approx(5000 + RIDE_S * 25 / 3.6, abs=2)]
    assert got["kind"].to_list() != ["inferred"]


# ---- what a signal does at a stand, and between its steps ------------------------------------------------------------


def drives(way_m: float, begin_s: int, minutes: int, kmh: float) -> list[tuple[int, float, float]]:
    """Seconds, metres and speeds, minute by minute, from standing to standing."""
    return [(begin_s + 60 * k, way_m + k * kmh / 0.06, kmh if 0 < k < minutes else 0.0) for k in range(minutes + 1)]


def told_by(signals: Sequence[str], *parts: list[tuple[int, float, float]]) -> Iterator[dict[str, Any]]:
    return (row(signals, second, way_m, speed, locked=False) for part in parts for second, way_m, speed in part)


def stands(begin_s: int, end_s: int, way_m: float, *speeds: float) -> list[tuple[int, float, float]]:
    return [(second, way_m, speeds[second // 60 % len(speeds)]) for second in range(begin_s, end_s, 60)]


@pytest.mark.parametrize("signals", [SPEED, SPEED + PLACE, SPEED + ODOMETER])
def test_a_speed_that_a_standing_sensor_tells_makes_no_trip(signals: tuple[str, ...]) -> None:
    parts = [stands(0, NOON_S, 0.0, 2.0, 0.0, 3.0), drives(0.0, NOON_S, 20, 30.0)]
    got = found(told_by(signals, *parts, stands(NOON_S + 1260, 80_000, 10_000.0, 0.0, 3.0, 1.0)))
    assert len(minutes(got)) == 1
    assert got["distance_m"].to_list() == [pytest.approx(10_000, rel=0.06)]


def test_an_odometer_of_whole_miles_that_is_told_every_minute_makes_one_trip_of_a_slow_drive() -> None:
    rows = told_by(ODOMETER, stands(0, NOON_S, 0.0, 0.0), drives(0.0, NOON_S, 40, 20.0))
    after = told_by(ODOMETER, stands(NOON_S + 2460, 80_000, 40 * 20 / 0.06, 0.0))
    miles = ({**each, "odometer_m": each["odometer_m"] // 1609.344 * 1609.344} for each in [*rows, *after])
    got = found(miles)
    assert got.height == 1
    assert got["distance_m"].to_list() == [pytest.approx(13_333, abs=1700)]


@pytest.mark.parametrize(("kmh", "trips"), [(22.0, 1), (0.0, 2)])
def test_a_vehicle_that_drives_when_it_is_polled_between_two_rises_is_on_one_trip(kmh: float, trips: int) -> None:
    polls = [(second, 0.0, 0.0) for second in range(0, NOON_S, 1800)]
    way = [(NOON_S, 2000.0, kmh), (NOON_S + 1800, 6000.0, 0.0)]
    later = [(second, 6000.0, 0.0) for second in range(NOON_S + 3600, 80_000, 1800)]
    got = found(told_by(ODOMETER + SPEED, polls, way, later))
    assert got.height == trips
    assert got["distance_m"].sum() == 6000


def test_an_odometer_that_always_leaps_when_the_drive_is_over_is_counted_once() -> None:
    """It stands still meanwhile, while speeds tell of the way; the percent has just risen when it leaps."""
    rows: list[dict[str, Any]] = []
    for number in range(2):
        begin, way = 86_400 * number, 15_000.0 * number
        drive = drives(way, begin + NOON_S, 40, 22.5)
        stood = [
            stands(begin, begin + NOON_S, way, 0.0),
            stands(begin + NOON_S + 2460, begin + 86_400, way + 15_000.0, 0.0),
        ]
        frozen = [(second, way if speed else metres, speed) for second, metres, speed in drive]
        rows += told_by(ODOMETER + SPEED + LOCK, stood[0], frozen, stood[1])
    moved = (
        {**each, "locked": each["speed_kmh"] == 0, "soc_pct": 70.0 if each["speed_kmh"] else 80.0} for each in rows
    )
    got = found(moved)
    assert got["distance_m"].to_list() == [pytest.approx(15_000, rel=0.02)] * 2


@pytest.mark.parametrize(("every_s", "trips"), [(1200, 1), (1800, 1), (7200, 2)])
def test_a_trip_around_a_poll_that_tells_nothing_but_the_odometer_is_one(every_s: int, trips: int) -> None:
    polls = [(second, 0.0, 0.0) for second in range(0, NOON_S, every_s)]
    way = [(NOON_S, 2000.0, 0.0), (NOON_S + every_s, 6000.0, 0.0)]
    later = [(second, 6000.0, 0.0) for second in range(NOON_S + 2 * every_s, NOON_S + 8 * every_s, every_s)]
    got = found(told_by(ODOMETER, polls, way, later))
    assert got.height == trips
    assert got["distance_m"].sum() == 6000
