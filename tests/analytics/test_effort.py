"""Even ways: what fast and unsteady kilometres take is found again, and no way is made longer or shorter in all."""

import itertools
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.clean import readings
from analytics.effort import EFFORTS, RIDES, efforts, even, sums, ways
from analytics.intervals import intervals
from analytics.trips import trips
from logger.tables import shaped
from tests.analytics.hand import at

KNOWN = pl.DataFrame({"provider": ["segway", "segway"], "vehicle": ["a", "b"], "model": ["moped", "moped"]})
SURE = KNOWN.with_columns(capacity_wh=pl.lit(1440.0))
KM, DRAG, RUSH = 1.2, 0.8, 0.3  # percents that each takes
Rides = list[tuple[float, float, float]]


def some(count: int = 2 * RIDES) -> Rides:
    """(km, drag, rush) of rides that are all different."""
    turns = [(0.618 * place % 1, 0.755 * place % 1, 0.57 * place % 1) for place in range(1, count + 1)]
    return [(1 + 6 * a, (1 + 6 * a) * (0.5 + b), 10 * a * (0.5 + c)) for a, b, c in turns]


def ridden(rides: Rides, packs: float = 1.0) -> pl.DataFrame:
    """Of vehicle a, on packs of which a percent holds less."""
    made = [
        {"distance_m": 1000 * km, "drag": drag, "rush": rush, "soc_used_pct": KM * km + DRAG * drag + RUSH * rush}
        for km, drag, rush in rides
    ]
    told = {"provider": "segway", "vehicle": "a", "swaps": 0, "soc_mean_pct": 50.0}
    rows = pl.DataFrame(made).with_columns(packs * pl.col("soc_used_pct"))
    return rows.with_columns(pl.lit(value).alias(name) for name, value in told.items())


def moped(speeds: list[float], every_s: int = 10) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Intervals and trips of a ride at these speeds [km/h] every ten seconds; it stands before and after."""
    told, metres = [row(-30, True, 0.0, 0.0, 0.0), row(0, False, 0.0, 0.0, 0.0)], 0.0
    for place, (was, speed) in enumerate(itertools.pairwise([0.0, *speeds, 0.0]), 1):
        metres += every_s * (was + speed) / 2 / 3.6
        told.append(row(place * every_s / 60, place > len(speeds), metres, speed, place * every_s))
    told.append(row(600, True, metres, 0.0, place * every_s))
    clean, _ = readings(shaped(pl.DataFrame(told), "status").lazy())
    steps = intervals(clean)
    return steps, trips(steps)


def row(minute: float, locked: bool, metres: float, speed: float, ride_s: float) -> dict[str, Any]:
    times = {"time": at(minute), "received_at": at(minute)}
    who = {
        "provider": "segway",
        "vehicle": "a",
        "via": "push",
        "clock": "device",
        "sequence": round(60 * minute) + 9000,
    }
    ride = {"odometer_m": round(1000 + metres), "ride_time_s": 50.0 + ride_s, "speed_kmh": speed}
    return {**who, **times, "locked": locked, **ride}


def test_the_shares_that_made_rides_are_found_whatever_their_packs_hold() -> None:
    for packs in (1.0, 1.3):
        row = efforts(KNOWN, sums(ridden(some(), packs), SURE)).row(0, named=True)
        assert row["drag"] / row["km"] == pytest.approx(DRAG / KM)
        assert row["rush"] / row["km"] == pytest.approx(RUSH / KM)


def test_even_ways_are_together_as_long_as_they_are_and_in_the_ratio_of_what_they_took() -> None:
    rides = ridden(some())
    got = even(rides, KNOWN, efforts(KNOWN, sums(rides, SURE)))
    assert got.sum() == pytest.approx(rides["distance_m"].sum())
    ratio = rides["soc_used_pct"] / got
    assert ratio.max() == pytest.approx(ratio.min())


@given(st.integers(1, 2 * RIDES - 1))
def test_sums_of_parts_add_up(cut: int) -> None:
    rides = ridden(some())
    parts = [sums(rides.head(cut), SURE), sums(rides.tail(rides.height - cut), SURE)]
    added = pl.concat(parts).drop("provider", "vehicle").sum().row(0)
    assert added == pytest.approx(sums(rides, SURE).drop("provider", "vehicle").row(0))


def test_too_few_rides_and_rides_all_alike_tell_nothing() -> None:
    assert efforts(KNOWN, sums(ridden(some(RIDES - 1)), SURE)).is_empty()
    assert efforts(KNOWN, sums(ridden([(4.0, 3.0, 5.0)] * 2 * RIDES), SURE)).is_empty()
    assert efforts(KNOWN, sums(ridden([(km, 0.0, 0.0) for km, _, _ in some()]), SURE)).is_empty()


def test_speed_that_takes_less_than_nothing_is_no_answer() -> None:
    rides = ridden(some()).with_columns(soc_used_pct=3 * pl.col("distance_m") / 1000 - 0.5 * pl.col("drag"))
    assert efforts(KNOWN, sums(rides, SURE)).is_empty()


def test_a_trip_of_which_no_speed_is_known_has_no_even_way() -> None:
    rides = ridden(some())
    told = efforts(KNOWN, sums(rides, SURE))
    silent = rides.head(1).with_columns(pl.lit(None, pl.Float64()).alias(name) for name in ("drag", "rush"))
    assert even(silent, KNOWN, told).to_list() == [None]
    assert even(rides.head(1), KNOWN, EFFORTS.to_frame()).to_list() == [None]


def test_a_steady_ride_at_thirty_is_as_long_as_its_drag_and_speeds_up_once() -> None:
    steps, rides = moped([30.0] * 60)
    got = ways(steps, rides).row(0, named=True)
    assert got["drag"] == pytest.approx(rides["distance_m"].item() / 1000, rel=0.02)
    assert got["rush"] == pytest.approx(1.0, rel=0.02)


def test_every_stop_is_one_rush_more() -> None:
    steps, rides = moped(([30.0] * 9 + [0.0]) * 6)
    assert ways(steps, rides)["rush"].item() == pytest.approx(6, rel=0.02)


def test_twice_the_speed_is_four_times_the_drag_a_kilometre() -> None:
    slow, fast = (moped([speed] * 60) for speed in (20.0, 40.0))
    a, b = (ways(*each)["drag"].item() / each[1]["distance_m"].item() for each in (slow, fast))
    assert b / a == pytest.approx(4, rel=0.02)


def test_a_minute_between_readings_tells_nothing_of_how_it_was_ridden() -> None:
    steps, rides = moped([30.0] * 20, every_s=60)
    assert ways(steps, rides).row(0) == (None, None)


def test_nothing_in_nothing_out() -> None:
    none = ridden(some(1)).clear()
    assert efforts(KNOWN, sums(none, SURE)).schema == EFFORTS
    assert even(none, KNOWN, efforts(KNOWN, sums(none, SURE))).is_empty()
    assert sums(none, SURE).is_empty()
