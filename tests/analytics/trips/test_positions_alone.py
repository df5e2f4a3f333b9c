"""Trips of vehicles of which nothing is known but positions."""

import math
from collections.abc import Iterable
from datetime import UTC, datetime
from random import Random

import polars as pl
import pytest

from analytics.observations.positions import without_outliers
from analytics.schemas import FIXES, OBSERVATIONS
from analytics.trips.trips import trips
from logger.tables import TABLES
from tests.analytics.finding import placed_at, segments_of, trips_of

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
M_DEG = 111_195.0
Place = tuple[float, float, float]  # seconds since the beginning, metres east, metres north


def gps_trips(found: pl.DataFrame) -> pl.DataFrame:
    return trips_of(placed_at(without_outliers(found)))


def fixes(places: Iterable[Place], sigma_m: float = 5.0, lon_deg: float = 0.0) -> pl.DataFrame:
    """These positions near the equator, where a degree of both kinds is as long."""
    told = pl.DataFrame(list(places), schema={"at": pl.Float64, "east": pl.Float64, "north": pl.Float64}, orient="row")
    return told.select(
        pl.lit("segway").alias("provider"),
        pl.lit("one").alias("vehicle"),
        (pl.lit(BEGIN) + pl.duration(milliseconds=pl.col("at") * 1000)).alias("at"),
        (pl.col("north") / M_DEG).alias("lat_deg"),
        ((lon_deg + pl.col("east") / M_DEG + 180) % 360 - 180).alias("lon_deg"),
        pl.lit(sigma_m).alias("sigma_m"),
    ).cast(FIXES)


def standing(begin_s: float, end_s: float, every_s: float, east_m: float = 0.0) -> list[Place]:
    return [(begin_s + every_s * k, east_m, 0.0) for k in range(math.ceil((end_s - begin_s) / every_s))]


def riding(begin_s: float, seconds: int, from_m: float = 0.0, speed_ms: float = 6.0) -> list[Place]:
    return [(begin_s + at, from_m + speed_ms * at, 0.0) for at in range(0, seconds + 1, 10)]


def seconds(trips: pl.DataFrame) -> list[tuple[float, float]]:
    moments = trips.select("started_at", "finished_at").iter_rows()
    return [((a - BEGIN).total_seconds(), (b - BEGIN).total_seconds()) for a, b in moments]


def test_a_vehicle_that_speaks_seldom_while_it_stands_rides_while_it_speaks_often() -> None:
    ride = [*standing(10_000, 10_030, 10), *riding(10_030, 600), *standing(10_640, 10_660, 10, 3600.0)]
    got = gps_trips(fixes([*standing(0, 9001, 900), *ride, *standing(11_550, 30_000, 900, 3600.0)]))
    assert seconds(got) == [(10_000, 10_650)]
    assert got["distance_m"].to_list() == [pytest.approx(3600, rel=0.03)]
    assert got["kind"].to_list() == ["observed"]
    assert got["distance_source"].to_list() == ["gps"]


def test_a_pause_in_which_it_goes_on_speaking_often_is_part_of_the_trip() -> None:
    ride = [*riding(10_000, 300), *standing(10_310, 11_000, 10, 1800.0), *riding(11_000, 300, 1800.0)]
    got = gps_trips(fixes([*standing(0, 9001, 900), *ride, *standing(12_200, 30_000, 900, 3600.0)]))
    assert seconds(got) == [(10_000, 11_300)]


def test_three_minutes_in_one_place_are_a_stop_of_a_vehicle_that_always_speaks_often() -> None:
    first, second = riding(7200, 600), riding(8400, 600, 3600.0)
    places = [*standing(0, 7200, 10), *first, *standing(7810, 8400, 10, 3600.0), *second]
    got = gps_trips(fixes([*places, *standing(9010, 14_000, 10, 7200.0)]))
    assert [at for span in seconds(got) for at in span] == pytest.approx([7200, 7800, 8400, 9000], abs=20)


def test_a_silence_crossed_while_riding_is_part_of_the_trip_and_is_told() -> None:
    ride = [place for place in riding(10_000, 900) if not 10_300 < place[0] < 10_600]
    got = gps_trips(fixes([*standing(0, 9001, 900), *ride, *standing(11_800, 30_000, 900, 5400.0)]))
    assert seconds(got) == [(10_000, 10_900)]
    assert got["kind"].to_list() == ["bridged"]


def test_what_was_ridden_before_the_first_message_that_arrived_dates_the_start_back() -> None:
    ride = [place for place in riding(10_000, 900) if place[0] >= 10_200]
    got = gps_trips(fixes([*standing(0, 9001, 900), *ride, *standing(11_800, 30_000, 900, 5400.0)]))
    assert seconds(got)[0] == pytest.approx((10_000, 10_900), abs=70)
    assert got["start_uncertainty_s"][0] > 60


def test_a_vehicle_found_elsewhere_after_a_long_silence_has_an_inferred_trip_within_it() -> None:
    got = gps_trips(fixes([*standing(0, 9001, 900), *standing(12_600, 30_000, 900, 2000.0)]))
    ((started, finished),) = seconds(got)
    assert 9000 < started < finished < 12_600
    assert got["kind"].to_list() == ["inferred"]
    assert got["start_uncertainty_s"][0] == pytest.approx(started - 9000, abs=1)


def test_a_vehicle_that_speaks_on_time_from_another_place_was_carried() -> None:
    assert gps_trips(fixes([*standing(0, 9001, 900), *standing(9900, 30_000, 900, 2000.0)])).is_empty()


def test_an_unlocking_without_a_ride_is_no_trip() -> None:
    places = [*standing(0, 9001, 900), *standing(9500, 9560, 10), *standing(10_400, 20_000, 900)]
    assert gps_trips(fixes(places)).is_empty()


def test_a_reflection_is_no_ride_and_lengthens_none() -> None:
    clean = [*standing(0, 9001, 900), *riding(10_000, 600), *standing(11_500, 30_000, 900, 3600.0)]
    spoilt = [(at, east, 300.0 if at in (4500, 10_300) else north) for at, east, north in clean]
    got, right = gps_trips(fixes(spoilt)), gps_trips(fixes(clean))
    assert got["distance_m"].to_list() == [pytest.approx(right["distance_m"][0], rel=0.01)]


@pytest.mark.parametrize("pace_s", [10, 60, 900])
@pytest.mark.parametrize("hdop", [1.0, 5.0])
def test_thirty_days_of_noise_around_a_parked_vehicle_are_no_trip(hdop: float, pace_s: int) -> None:
    """T5."""
    chance, sigma_m = Random(f"{hdop} {pace_s}"), 5 * hdop
    noise = [
        (at, chance.gauss(0, sigma_m), chance.gauss(0, sigma_m))
        for at in range(0, 30 * 86_400, pace_s)
        if chance.random() > 0.1
    ]
    assert gps_trips(fixes(noise, sigma_m)).is_empty()


@pytest.mark.parametrize("pace_s", [10, 900])
def test_thirty_days_of_an_error_that_wanders_are_no_trip(pace_s: int) -> None:
    chance, sigma_m, places = Random(f"{pace_s}"), 12.5, list[Place]()
    kept, east, north = math.exp(-pace_s / 2400), 0.0, 0.0
    fresh = math.sqrt(1 - kept * kept) * sigma_m
    for at in range(0, 30 * 86_400, pace_s):
        east, north = east * kept + chance.gauss(0, fresh), north * kept + chance.gauss(0, fresh)
        places.append((at, east, north))
    assert gps_trips(fixes(places, sigma_m)).is_empty()


def test_a_ride_over_the_date_line_is_as_long_as_anywhere() -> None:
    places = [*standing(0, 9001, 900), *riding(10_000, 600), *standing(11_500, 30_000, 900, 3600.0)]
    here, there = gps_trips(fixes(places)), gps_trips(fixes(places, lon_deg=179.99))
    assert there["distance_m"].to_list() == [pytest.approx(here["distance_m"][0])]


def test_trips_have_every_column_that_trips_by_counters_have() -> None:
    counted, placed = trips(segments_of(OBSERVATIONS.to_frame())), gps_trips(fixes([]))
    told = [name for name in counted.columns if name in TABLES["trips"].columns]
    assert set(told) <= set(placed.columns)
    assert [placed.schema[name] for name in told] == [counted.schema[name] for name in told]


def test_nothing_has_no_trips() -> None:
    assert gps_trips(fixes([])).is_empty()
    assert gps_trips(fixes([(0, 0, 0)])).is_empty()


def test_a_trip_that_the_log_cuts_says_so() -> None:
    whole = [*standing(0, 9001, 900), *riding(10_000, 600), *standing(11_500, 30_000, 900, 3600.0)]
    assert gps_trips(fixes(whole))["flags"].to_list() == [None]
    assert gps_trips(fixes(whole[11:]))["flags"].to_list() == [["open_start"]]
    assert gps_trips(fixes([place for place in whole if place[0] <= 10_600]))["flags"].to_list() == [["open_end"]]


def test_vehicles_do_not_touch_each_other() -> None:
    one = fixes([*standing(0, 9001, 900), *riding(10_000, 600), *standing(11_500, 30_000, 900, 3600.0)])
    two = one.with_columns(vehicle=pl.lit("two"), lat_deg=pl.col("lat_deg") + 1)
    both = gps_trips(pl.concat([one, two])).drop("ride")
    assert both.equals(pl.concat([gps_trips(one), gps_trips(two)]).drop("ride"))
