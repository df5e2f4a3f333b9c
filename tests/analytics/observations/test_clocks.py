"""Clocks that are off by less than two minutes, or drift: told by the least delay of pushes, hour after hour.

T7 of the analytics facts: a clock that is off makes the same trips once it is corrected.
"""

from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.observations.clean import readings
from analytics.trips.intervals import intervals
from analytics.trips.trips import trips
from tests.analytics.told import Said, moment, outing, parked, seconds, status

HOURS = 17  # of the first day of these stories, from six o'clock on


def lived(days: int = 1) -> list[Said]:
    """Every day an outing at seven o'clock, parked for the rest of it."""
    rows: list[Said] = []
    for day in range(days):
        way_m, ran_s, begin = 6000.0 * day, 600.0 * day, 86_400 * day
        rides = [(at + begin, lock, (m or 0) + way_m, (s or 0) + ran_s) for at, lock, m, s in outing()]
        until = 86_400 if day + 1 < days else HOURS * 3600
        rows += [*rides, *parked(begin + 8100, begin + until, 7000 + way_m, 1100 + ran_s)]
    return rows


def off_s(rows: pl.LazyFrame) -> tuple[float, float]:
    """By how much readings are too early and too late at most."""
    told = readings(rows)[0]
    late_s = (told["at"] - told["received_at"]).dt.total_milliseconds() / 1000
    return -min(late_s), max(late_s)


@pytest.mark.parametrize("behind_s", [-59.0, -6.0, 21.0, 40.0, 119.0, 121.0])
def test_a_clock_that_is_off_all_day_is_corrected(behind_s: float) -> None:
    told, why = readings(status(lived(), behind_s=behind_s))
    assert told["at"].to_list() == [moment(row[0]) for row in lived()]
    assert set(why["reason"]) == {"clock_corrected"}


@pytest.mark.parametrize("behind_s", [-4.0, 1.0, 19.0])
def test_some_seconds_are_the_networks_or_our_own_clocks(behind_s: float) -> None:
    told, why = readings(status(lived(), behind_s=behind_s))
    assert told["at"].to_list() == [moment(row[0] - behind_s) for row in lived()]
    assert why.is_empty()


def test_a_network_that_holds_up_some_messages_is_no_wrong_clock() -> None:
    held = pl.when(pl.col("sequence") % 4 > 0).then(pl.duration(seconds=90)).otherwise(pl.duration(seconds=0))
    rows = status(lived()).with_columns((pl.col("received_at") + held).alias("received_at"))
    assert readings(rows)[1].is_empty()


def test_a_network_that_holds_up_all_messages_of_some_hours_is_no_wrong_clock() -> None:
    held = pl.when(pl.col("time") < moment(5 * 3600)).then(pl.duration(seconds=90)).otherwise(pl.duration(seconds=0))
    rows = status(lived()).with_columns((pl.col("received_at") + held).alias("received_at"))
    assert readings(rows)[1].is_empty()


def test_a_polled_answer_is_as_old_as_the_vehicles_last_word_and_tells_nothing() -> None:
    rows = status(lived(), behind_s=90).with_columns(pl.lit("poll").alias("via"))
    assert readings(rows)[1].is_empty()


def test_a_message_that_comes_late_does_not_hide_that_the_clock_is_off() -> None:
    late = pl.when(pl.col("sequence") % 7 == 0).then(pl.duration(seconds=700)).otherwise(pl.duration(seconds=0))
    rows = status(lived(), behind_s=90).with_columns((pl.col("received_at") + late).alias("received_at"))
    assert readings(rows)[0]["at"].to_list() == [moment(row[0]) for row in lived()]


def test_an_hour_of_which_all_came_late_follows_its_day() -> None:
    hour = pl.col("received_at").is_between(moment(6 * 3600), moment(7 * 3600), closed="left")
    late = pl.when(hour).then(pl.duration(seconds=400)).otherwise(pl.duration(seconds=0))
    rows = status(lived(), behind_s=90).with_columns((pl.col("received_at") + late).alias("received_at"))
    assert readings(rows)[0]["at"].to_list() == [moment(row[0]) for row in lived()]


def test_a_clock_that_is_set_right_is_believed_from_then_on() -> None:
    right = pl.col("received_at") >= moment(9 * 3600)
    rows = status(lived(), behind_s=-50).with_columns(
        pl.when(right).then("received_at").otherwise("time").alias("time")
    )
    assert readings(rows)[0]["at"].to_list() == [moment(row[0]) for row in lived()]


def test_a_day_of_few_hours_follows_the_day_beside_it() -> None:
    evening = [row for row in lived(2) if row[0] >= 15 * 3600]
    rows = status(evening, behind_s=60)
    assert seconds(readings(rows)[0], "at")[0] == (evening[0][0],)
    alone = status([row for row in evening if row[0] < 18 * 3600], behind_s=60)
    assert readings(alone)[1].is_empty()


def test_a_clock_that_drifts_is_followed_within_seconds() -> None:
    """A hundred parts in a million are nine seconds a day."""
    drift = ((pl.col("received_at") - moment(0)).dt.total_milliseconds() * 1e-4).cast(pl.Int64)
    rows = status(lived(5), behind_s=30).with_columns(pl.col("time") - pl.duration(milliseconds=drift))
    early_s, late_s = off_s(rows)
    assert early_s <= 10
    assert late_s <= 0


def test_other_vehicles_clocks_are_their_own() -> None:
    both = pl.concat([status(lived(), "a", behind_s=90), status(lived(), "b")])
    assert set(readings(both)[1]["vehicle"]) == {"a"}


@given(st.integers(-3600, 3600), st.integers(1, 20))
@settings(deadline=None, max_examples=25)
def test_a_clock_off_by_up_to_an_hour_makes_the_same_trips(behind_s: int, thin: int) -> None:
    """T7."""
    rows = [row for number, row in enumerate(lived()) if number % (thin + 1) or row[1]]
    found, right = (trips(intervals(readings(status(rows, behind_s=by))[0])) for by in (behind_s, 0))
    assert found["trip_id"].to_list() == right["trip_id"].to_list()
    assert found.height == 1
    for edge in ("started_at", "finished_at"):
        apart_s = (found[edge] - right[edge]).dt.total_milliseconds().abs() / 1000
        assert max(apart_s) <= (0 if behind_s > 20 or behind_s < -5 else 20)


@given(st.integers(-100, 300), st.integers(2, 5), st.integers(1, 2))
@settings(deadline=None, max_examples=15)
def test_what_a_day_says_depends_on_the_days_beside_it_alone(behind_s: int, days: int, kept: int) -> None:
    """So that an analysis of some days gives what one of everything gives."""
    whole = readings(status(lived(days + 2), behind_s=behind_s))[0]
    middle = (moment(18 * 3600 + timedelta(days=kept).total_seconds()), moment(18 * 3600 + 86_400 * (kept + 1)))
    near = pl.col("time").is_between(middle[0] - timedelta(days=1), middle[1] + timedelta(days=1))
    part = readings(status(lived(days + 2), behind_s=behind_s).filter(near))[0]
    there = pl.col("received_at").is_between(*middle, closed="left")
    assert part.filter(there)["at"].equals(whole.filter(there)["at"])
