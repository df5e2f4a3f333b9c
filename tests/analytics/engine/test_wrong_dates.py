"""Rows of a wrong date, end to end on a real lake: no day of theirs is made, and they are told once."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from logger.tables import table
from tests.analytics.driven import BEGIN, HOUR, driven, located
from tests.analytics.engine.test_jobs import Place

DAYS = 12
YEARS = {"rolled over": -1024 * timedelta(weeks=1), "begun anew": datetime(1970, 1, 1, tzinfo=UTC) - BEGIN,
         "in the future": datetime(2080, 1, 1, tzinfo=UTC) - BEGIN}  # fmt: skip
BY_DAY = ("consumption", "coverage", "states", "standby", "trips", "battery_health")
Row = dict[str, Any]


def imported(rows: list[Row]) -> list[Row]:
    """These rows as a file has them."""
    return [row | {"provider": "import", "via": "import", "received_at": BEGIN + 90 * 24 * HOUR} for row in rows]


def moved(rows: list[Row], by: timedelta) -> list[Row]:
    return [row | {"time": row["time"] + by} for row in rows]


LOG = imported([*driven("a", DAYS, 9.5, 105.3, 200.1)])
RIDDEN = [row for row in LOG if not row["locked"]][1:3]  # of its first ride
WITHOUT = [row for row in LOG if row not in RIDDEN]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def made(place: Place) -> dict[str, pl.DataFrame]:
    return {name: place.lake.scan(name).sort(table(name).key).collect() for name in (*BY_DAY, "episodes", "forecast")}


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pl.DataFrame]:
    """What is made of the log without the rows of a wrong date."""
    place = Place(tmp_path_factory.mktemp("right"))
    place.write(WITHOUT)
    place.analyze()
    return made(place)


def told(place: Place) -> list[tuple[datetime, int]]:
    found = made(place)["episodes"].filter(pl.col("code") == "wrong_date")
    return found.select("time", "count").rows()


@pytest.mark.parametrize("by", YEARS.values(), ids=YEARS)
def test_the_days_are_those_that_really_were(place: Place, right: dict[str, pl.DataFrame], by: timedelta) -> None:
    place.write([*WITHOUT, *moved(RIDDEN, by)])
    place.analyze()
    got = made(place)
    for name in (*BY_DAY, "forecast"):
        assert got[name].equals(right[name]), name
    ((at, count),) = told(place)
    assert count == 2
    assert at == (LOG[0] if by < timedelta(0) else LOG[-1])["time"]


@pytest.mark.parametrize("by", YEARS.values(), ids=YEARS)
def test_what_comes_alone_and_later_is_held_against_the_log_that_is_there(
    place: Place, right: dict[str, pl.DataFrame], by: timedelta
) -> None:
    place.write(WITHOUT)
    place.analyze()
    place.write(moved(RIDDEN, by))
    place.analyze()
    got = made(place)
    for name in BY_DAY:
        assert got[name].equals(right[name]), name
    assert [count for _, count in told(place)] == [2]


@pytest.mark.parametrize("hour", [0.25, 286.25])
def test_a_late_row_anywhere_leaves_told_what_was_told(place: Place, tmp_path: Path, hour: float) -> None:
    late = [LOG[0] | {"time": BEGIN + hour * HOUR, "odometer_m": None, "ride_time_s": None, "soc_pct": None}]
    wrong = [row for by in YEARS.values() for row in moved(RIDDEN, by)]
    place.write([*WITHOUT, *wrong])
    place.analyze()
    place.write(late)
    place.analyze()
    whole = Place(tmp_path / "whole")
    whole.write([*WITHOUT, *wrong, *late])
    whole.analyze()
    assert told(place) == told(whole)
    assert [count for _, count in told(place)] == [4, 2]


def test_a_vehicle_that_tells_nothing_but_positions_makes_no_trip_of_a_wrong_date(place: Place) -> None:
    fixes = imported([*located([*driven("a", DAYS, 9.5, 105.3)])])
    place.write(fixes, "location")
    place.analyze()
    before = made(place)["trips"]
    place.write(moved(fixes[10:40], YEARS["rolled over"]), "location")
    place.analyze()
    assert made(place)["trips"].equals(before)
    assert [count for _, count in told(place)] == [30]


def test_rows_of_a_wrong_date_do_not_hide_that_another_vehicles_log_began_years_ago(place: Place) -> None:
    early = imported([*driven("b", 40, 9.5, 105.3)])
    place.write([*WITHOUT, *moved(RIDDEN, YEARS["rolled over"]), *moved(early, -2 * 365 * 24 * HOUR)])
    place.analyze()
    trips = made(place)["trips"].filter(vehicle="b")
    assert trips["time"].dt.year().to_list() == [2024, 2024]
