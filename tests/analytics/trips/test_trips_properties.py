"""Trips of vehicles that do as they like: what holds whatever happened."""

import itertools

import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analytics.observations.counters import coarseness
from analytics.observations.observations import ODOMETER_SLACK_M, OVER_TOP, TOP_SPEED_KMH
from analytics.trips.segmentation import BOUNCE_S
from analytics.trips.trips import trips
from tests.analytics.finding import observed, segments_of
from tests.analytics.told import Said, made, moment, status, stories

CAP_MS = TOP_SPEED_KMH * OVER_TOP / 3.6


@given(stories())
@settings(deadline=None, max_examples=40)
def test_trips_of_a_vehicle_are_disjoint_and_no_faster_than_it_can_go(rows: list[Said]) -> None:
    """T3."""
    found = made(rows)
    assert (found["started_at"] <= found["finished_at"]).all()
    assert (found["started_at"][1:] >= found["finished_at"][:-1]).all()
    assert (found["distance_m"] >= 0).all()
    observed = found.filter(pl.col("kind") == "observed")
    assert (observed["distance_m"] <= CAP_MS * observed["duration_s"] + 50).all()


@given(stories())
@settings(deadline=None, max_examples=40)
def test_riding_seconds_of_trips_are_no_more_than_the_counter_ran(rows: list[Said]) -> None:
    """T2."""
    ran = (rows[-1][3] or 0) - (rows[0][3] or 0)
    assert made(rows)["riding_s"].sum() <= ran


@given(stories(), st.integers(0, 24), st.sampled_from([0.0, 7.0, 1e9, 65_535.0]))
@settings(deadline=None, max_examples=40)
def test_a_wrong_odometer_makes_no_trip_negative_or_faster_than_can_be(
    rows: list[Said], place: int, wrong: float
) -> None:
    """T6."""
    spoiled = [(at, lock, wrong if number == place else way, ran) for number, (at, lock, way, ran) in enumerate(rows)]
    steps = segments_of(observed(status(spoiled)))
    slack = max(ODOMETER_SLACK_M, coarseness(pl.Series([way for _, _, way, _ in spoiled], dtype=pl.Float64)))
    for (at, way), (later, after) in itertools.pairwise(steps.select("at", "way_m").iter_rows()):
        assert 0 <= after - way <= CAP_MS * (later - at).total_seconds() + slack
    assert (trips(steps)["distance_m"] >= 0).all()


@given(stories(), st.integers(1, 25))
@example([(10.0, None, 1000.0, 500.0), (20.0, None, 1000.0, 500.0), (920.0, None, 1030.0, 503.0),
          (930.0, True, 1030.0, 503.0)], 3)  # fmt: skip
@settings(deadline=None, max_examples=40)
def test_a_trip_keeps_its_name_whatever_comes_later(rows: list[Said], seen: int) -> None:
    """Once it has ended for longer than a lock bounces; unsaid, once the vehicle is heard of again."""
    early, late = made(rows[:seen]), made(rows)
    over = pl.col("finished_at") <= moment(rows[:seen][-1][0] - BOUNCE_S)
    ended = early.filter(over & pl.col("flags").list.contains("open_end").fill_null(False).not_())
    unsaid = segments_of(observed(status(rows[:seen])))["flag"][-1] is None
    assert set(ended["trip_id"].head(-1) if unsaid else ended["trip_id"]) <= set(late["trip_id"])
