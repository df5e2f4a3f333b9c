"""Counters made steady: jitter, glitches, resets and wraps."""

import itertools

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from analytics.observations.counters import Rule, Steady, coarseness, steady

RULE = Rule(50.0, 10.0)


def walked(*told: float | None) -> Steady:
    """Readings a minute apart."""
    return steady([60.0 * place for place in range(len(told))], told, RULE)


def test_a_counter_that_rises_is_as_it_says() -> None:
    assert walked(100, 200, 200, 350) == Steady([0, 100, 100, 250], ["", "", "", ""])


def test_a_fall_of_a_few_metres_is_jitter_and_adds_nothing() -> None:
    assert walked(100, 97, 102).value == [0, 0, 2]


def test_a_reading_that_is_taken_back_is_a_glitch() -> None:
    assert walked(1000, 5, 1100) == Steady([0, None, 100], ["", "glitch", ""])
    assert walked(1000, 900_000, 900_000, 1100) == Steady([0, None, None, 100], ["", "glitch", "glitch", ""])


def test_a_counter_that_begins_anew_goes_on_from_there_and_what_lies_between_is_not_known() -> None:
    assert walked(90_000, 90_100, 20, 120, 220) == Steady([0, 100, 100, 200, 300], ["", "", "reset", "", ""])


def test_a_counter_that_stands_at_a_lower_count_has_not_begun_anew() -> None:
    assert walked(90_000, 85_000, 85_000, 85_000).value == [0, None, None, None]
    assert walked(90_000, 20, 120).fault == ["", "glitch", "glitch"]


def test_a_count_that_a_cloud_keeps_and_tells_again_makes_no_way() -> None:
    driven = [500_000.0 + 2000 * k for k in range(4)]
    assert walked(0.5e5, *driven, 0.5e5, 0.5e5, 508_000).value == [0, 0, 2000, 4000, 6000, None, None, 8000]


def test_a_late_count_is_held_against_the_time_since_the_counter_was_first_told() -> None:
    assert walked(1000, *[1000] * 30, 91_000).value[-1] == 90_000
    assert walked(1000, *[1000] * 30, 3000, 91_000).value[-1] == 90_000


def test_a_zero_is_no_reading_of_a_used_vehicle_and_one_of_a_new_vehicle() -> None:
    assert walked(12_000, 0, 12_100).value == [0, None, 100]
    assert walked(0, 12_000_000, 12_000_100).value == [None, 0, 100]
    assert walked(0, 100, 250).value == [0, 100, 250]


def test_a_counter_told_in_whole_miles_or_kilometres_is_coarse() -> None:
    assert coarseness(pl.Series([1609.344 * k for k in range(100, 110)])) == 1609.344
    assert coarseness(pl.Series([1000.0 * k for k in range(100, 110)])) == 1000
    assert coarseness(pl.Series([1000.0 * k + 1 for k in range(100, 110)])) == 0


def test_a_counter_of_sixteen_or_twenty_four_bits_wraps() -> None:
    assert walked(65_500, 64, 164).value == [0, 100, 200]
    assert walked(2**24 - 50, 50).value == [0, 100]


def test_a_reading_without_the_counter_changes_nothing() -> None:
    assert walked(None, 100, None, 200) == Steady([None, 0, None, 100], ["", "", "", ""])


readings = st.lists(st.one_of(st.none(), st.integers(0, 2000), st.integers(0, 20_000_000)), max_size=30)


@given(st.lists(st.integers(1000, 1500) | st.sampled_from([0, 1000, 900_000]), max_size=60))
def test_readings_count_the_same_one_by_one_and_in_runs(told: list[int]) -> None:
    seconds = [60.0 * place for place in range(len(told))]
    alone = [reading for each in told for reading in (each, None)]  # a reading that is none ends a run
    counted = steady([at for at in seconds for _ in range(2)], alone, RULE)
    assert steady(seconds, told, RULE) == Steady(counted.value[::2], counted.fault[::2])


@given(readings, st.data())
def test_a_counter_never_falls_and_never_leaps_whatever_is_told(told: list[int | None], data: st.DataObject) -> None:
    """T6."""
    gaps = data.draw(st.lists(st.integers(0, 4000), min_size=len(told), max_size=len(told)))
    seconds = [float(each) for each in itertools.accumulate(gaps)]
    value = [each for each in steady(seconds, told, RULE).value if each is not None]
    for then, now in itertools.pairwise(value):
        assert now >= then
    leap = (value[-1] - value[0]) if value else 0.0
    assert leap <= RULE.rate * (seconds[-1] - seconds[0] if seconds else 0) + RULE.slack * len(told)


@given(st.lists(st.integers(1, 3000), min_size=4, max_size=20), st.integers(1, 18))
def test_a_reset_costs_the_distance_of_one_interval_and_no_more(rises: list[int], place: int) -> None:
    way = [100_000.0 + each for each in itertools.accumulate(rises)]
    cut = min(place, len(way) - 3)
    told = [*way[:cut], *(each - way[cut] for each in way[cut:])]
    assert walked(*told).value[-1] == way[-1] - way[0] - rises[cut]


def test_a_zero_near_where_a_counter_may_wrap_is_no_wrap_if_the_count_goes_on() -> None:
    assert walked(65_500, 0, 65_520, 65_600).value == [0, None, 20, 100]
