"""Silences of a vehicle that stood, unlocked: what else it said tells whether it was locked meanwhile."""

from collections.abc import Iterable
from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from analytics.frames import DOWNTIME
from analytics.observations.observations import observations
from analytics.trips.trips import trips
from tests.analytics.finding import segments_of
from tests.analytics.told import Said, location, moment, parked, ridden, seconds, status, two_rides


def positions(*told: tuple[float, bool]) -> pl.DataFrame:
    """Rows of `location` at these seconds, valid or not."""
    return location(told).collect()


def every(step_s: int, begin: float = 0, end: float = 800) -> list[tuple[float, bool]]:
    return [(begin + second, True) for second in range(0, int(end - begin), step_s)]


def outside(told: Iterable[tuple[float, bool]], begin: float = 225, end: float = 305) -> list[tuple[float, bool]]:
    return [each for each in told if not begin < each[0] < end]


def found(rows: list[Said], said: pl.DataFrame | None = None, away: pl.DataFrame | None = None) -> pl.DataFrame:
    places = positions() if said is None else said
    return trips(segments_of(observations(status(rows), places.lazy()), away))


def test_a_vehicle_that_stood_and_said_nothing_at_all_was_locked() -> None:
    got = found(two_rides(), positions(*outside(every(10))))
    assert seconds(got, "started_at", "finished_at") == [(10, 220), (310, 520)]
    assert got["distance_m"].to_list() == [2000, 2000]


@pytest.mark.parametrize("valid", [True, False])
def test_one_that_told_its_position_meanwhile_was_not_be_it_valid_or_not(valid: bool) -> None:
    said = positions(*outside(every(10)), (240.0, valid), (285.0, valid))
    assert seconds(found(two_rides(), said), "started_at", "finished_at") == [(10, 520)]


def test_five_messages_in_a_row_may_be_lost() -> None:
    assert found(two_rides(50), positions(*outside(every(10), 220, 270))).height == 1
    assert found(two_rides(52), positions(*outside(every(10), 220, 272))).height == 2


def test_a_vehicle_that_tells_its_position_seldom_may_be_silent_for_longer() -> None:
    assert found(two_rides(), positions(*outside(every(30), 239, 301))).height == 1
    assert found(two_rides(200), positions(*outside(every(30), 220, 420))).height == 2


def test_where_no_positions_are_told_five_minutes_tell_as_ever() -> None:
    for said in (None, positions()):
        assert [found(two_rides(silent_s), said).height for silent_s in (90, 280, 320)] == [1, 1, 2]


def test_a_silence_in_which_the_collector_was_away_tells_nothing_of_the_vehicle() -> None:
    away = pl.DataFrame({"begin": [moment(230)], "end": [moment(300)]}, schema=DOWNTIME)
    assert found(two_rides(), positions(*outside(every(10))), away).height == 1


def test_a_vehicle_that_was_ridden_in_the_silence_may_have_been_out_of_reach() -> None:
    assert found(two_rides(between_m=200), positions(*outside(every(10)))).height == 1


@pytest.mark.parametrize(("stood_s", "rides"), [(320, 1), (890, 1), (910, 2)])
def test_standing_for_a_quarter_of_an_hour_in_a_silence_that_was_ridden_into_is_a_pause(
    stood_s: int, rides: int
) -> None:
    again = 210 + stood_s + 40
    rows = [*parked(0, 1, 1000, 500), *ridden(10, 211, 1000, 500), *ridden(again, again + 200, 3300, 740)]
    got = found([*rows, *parked(again + 200, again + 201, 5300, 940)])
    assert got.height == rides
    assert got["distance_m"].sum() == (4300 if rides == 1 else 4000)
    assert set(got["kind"]) <= {"observed", "bridged"}


def test_another_vehicles_positions_are_its_own() -> None:
    other = positions(*every(10)).with_columns(vehicle=pl.lit("b"))
    assert found(two_rides(), pl.concat([positions(*outside(every(10))), other])).height == 2


@given(st.randoms(use_true_random=False), st.integers(0, 3))
@settings(deadline=None, max_examples=20)
def test_order_and_other_days_make_no_difference(chance: object, days: int) -> None:
    assert hasattr(chance, "shuffle")
    said = positions(*outside(every(10)))
    times = pl.col("time", "received_at")
    shifted = said.with_columns(times + timedelta(days=1 + days))
    rows = pl.concat([said, shifted, shifted.with_columns(times - timedelta(days=2 * (1 + days)))])
    places = list(range(rows.height))
    chance.shuffle(places)
    assert_frame_equal(found(two_rides(), rows[places]).drop("ride"), found(two_rides(), said).drop("ride"))


@given(st.lists(st.integers(1, 60), min_size=10, max_size=60))
@settings(deadline=None, max_examples=30)
def test_a_vehicle_that_speaks_every_minute_is_never_locked_by_its_silence(gaps_s: list[int]) -> None:
    said, second = [(0.0, True)], 0.0
    for gap_s in [*gaps_s, *([60] * 20)]:
        second += gap_s
        said.append((second, True))
    assert found(two_rides(280), positions(*said)).height == 1
