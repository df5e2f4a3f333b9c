"""Trips of vehicles that tell their speed and have no odometer."""

from collections.abc import Iterable
from datetime import UTC, datetime

import polars as pl
import pytest

from analytics.schemas import OBSERVATIONS
from tests.analytics.finding import segments_of, trips_of

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
Told = tuple[float, float | None, bool | None]  # seconds since the beginning, km/h, locked


def readings(told: Iterable[Told], vehicle: str = "one") -> pl.DataFrame:
    """Readings that say nothing but speed and lock."""
    rows = pl.DataFrame(
        list(told), orient="row", schema={"s": pl.Float64, "speed_kmh": pl.Float64, "locked": pl.Boolean}
    )
    at = (pl.lit(BEGIN) + pl.duration(milliseconds=pl.col("s") * 1000)).cast(OBSERVATIONS["at"])
    known = rows.with_columns(
        at.alias("at"), provider=pl.lit("import"), vehicle=pl.lit(vehicle), reset=pl.lit(False), received_at=at
    )
    missing = (pl.lit(None, dtype).alias(name) for name, dtype in OBSERVATIONS.items() if name not in known.columns)
    return known.with_columns(missing).select(OBSERVATIONS.names())


def integrated(rows: pl.DataFrame) -> pl.DataFrame:
    return segments_of(rows, use=False)


def steady(begin_s: int, end_s: int, speed_kmh: float, every_s: int = 10, locked: bool | None = None) -> list[Told]:
    return [(at, speed_kmh, locked) for at in range(begin_s, end_s, every_s)]


def spans(trips: pl.DataFrame) -> list[float]:
    moments = trips.select("started_at", "finished_at").iter_rows()
    return [(each - BEGIN).total_seconds() for span in moments for each in span]


def test_a_speed_that_rises_and_falls_evenly_makes_the_way_of_its_mean() -> None:
    way_m = integrated(readings([(0, 0, None), (10, 36, None), (20, 36, None), (30, 0, None)]))["way_m"]
    assert way_m.to_list() == pytest.approx([0, 50, 150, 200])


def test_a_silence_adds_no_way_because_nobody_knows_the_speed_in_it() -> None:
    way_m = integrated(readings([(0, 36, None), (10, 36, None), (100, 36, None), (110, 36, None)]))["way_m"]
    assert way_m.to_list() == pytest.approx([0, 100, 100, 200])


def test_each_vehicle_has_a_way_of_its_own_and_readings_without_a_speed_say_nothing() -> None:
    one, two = readings([(0, 36, None), (5, None, None), (10, 36, None)]), readings(steady(0, 21, 18), "two")
    way_m = integrated(pl.concat([one, two]))["way_m"]
    assert way_m.to_list() == pytest.approx([0, 100, 0, 50, 100])


def test_a_lock_cuts_trips_and_the_speed_measures_them() -> None:
    ride = [(900, 0, False), *steady(910, 1510, 18, locked=False), (1510, 0, True)]
    got = trips_of(readings([(0, 0, True), *ride, (2410, 0, True)]))
    assert spans(got)[1] == 1510
    assert got["distance_m"].to_list() == [pytest.approx(3000, rel=0.02)]
    assert got["distance_source"].to_list() == ["speed"]


def test_three_minutes_of_standing_cut_trips_where_there_is_no_lock_and_no_silence() -> None:
    stands = steady(0, 600, 0), steady(1200, 1800, 0), steady(2400, 3000, 0)
    rides = steady(600, 1200, 18), steady(1800, 2400, 18)
    got = trips_of(readings([*stands[0], *rides[0], *stands[1], *rides[1], *stands[2]]))
    assert spans(got) == pytest.approx([600, 1200, 1800, 2400], abs=10)


def test_a_wait_at_a_light_cuts_nothing() -> None:
    ride = [*steady(600, 1200, 18), *steady(1200, 1290, 0), *steady(1290, 1800, 18)]
    got = trips_of(readings([*steady(0, 600, 0), *ride, *steady(1800, 2400, 0)]))
    assert spans(got) == pytest.approx([600, 1800], abs=10)


def test_silence_cuts_trips_of_a_vehicle_that_speaks_only_while_somebody_has_it() -> None:
    pause = steady(1500, 1900, 0)
    ride = [*steady(900, 1500, 18), *pause, *steady(1900, 2500, 18)]
    got = trips_of(readings([(0, 0, None), *ride, (2500, 0, None), *((2500 + 900 * k, 0, None) for k in range(1, 9))]))
    assert spans(got)[1] == 2500
    assert spans(got)[0] == pytest.approx(900, abs=10)
    assert got.height == 1


def test_standing_for_days_is_no_trip_and_nothing_has_none() -> None:
    assert trips_of(readings(steady(0, 200_000, 0))).is_empty()
    assert trips_of(readings([])).is_empty()
