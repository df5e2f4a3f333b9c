"""How many trips the readings of a car tell apart: the most that anybody could find."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from logger.simulator.demo.car_comparison import told_apart

BEGIN = datetime(2026, 10, 1, tzinfo=UTC)
TRIPS = [(1, 2), (5, 6)]


def at(hours: float) -> datetime:
    return BEGIN + timedelta(hours=hours)


@pytest.mark.parametrize(
    ("readings", "apart"),
    [
        ([0, 3, 7], 2),
        ([0, 7], 1),  # none between them: they are one
        ([3, 7], 1),  # none before the first
        ([0, 3], 1),  # none after the last
        ([0, 1.5, 3, 5.5, 7], 2),  # those under way part nothing
        ([], 0),
    ],
)
def test_trips_are_told_apart_by_readings_between_and_around_them(readings: list[float], apart: int) -> None:
    trips = pl.DataFrame(
        {"vehicle": "a", "started_at": [at(a) for a, _ in TRIPS], "finished_at": [at(b) for _, b in TRIPS]}
    )
    times = {"vehicle": ["a"] * len(readings), "time": [at(each) for each in readings]}
    schema = {"vehicle": pl.String(), "time": pl.Datetime("ms", "UTC")}
    assert told_apart(trips, pl.DataFrame(times, schema=schema)) == apart


def test_a_reading_of_another_car_tells_nothing() -> None:
    trips = pl.DataFrame({"vehicle": ["a"], "started_at": [at(1)], "finished_at": [at(2)]})
    assert told_apart(trips, pl.DataFrame({"vehicle": ["b", "b"], "time": [at(0), at(3)]})) == 0
