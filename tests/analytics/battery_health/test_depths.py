"""Cycles are counted by how deep they are, and all that the percent moves is in one of them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.battery_health.depths import HYSTERESIS_PCT, cycles, depth_cycles, turning_points

PERCENTS = st.lists(st.integers(0, 100).map(float), max_size=60)


def moved(points: list[float]) -> float:
    return sum(abs(after - before) for before, after in pairwise(points))


def test_the_example_of_the_standard_is_counted_as_there() -> None:
    """ASTM E1049-85, figure 6."""
    got = sorted(cycles([-2, 1, -3, 5, -1, 3, -4, 4, -2]))
    assert got == [(3, 0.5), (4, 0.5), (4, 1.0), (6, 0.5), (8, 0.5), (8, 0.5), (9, 0.5)]


def test_two_half_discharges_within_a_deep_one_are_told_apart() -> None:
    assert depth_cycles([100, 40, 70, 10, 100]) == [0, 1, 0, 0, 1]


def test_a_step_that_comes_and_goes_is_no_cycle() -> None:
    assert depth_cycles([80, 79, 80, 79, 80]) == [0] * 5
    assert depth_cycles([]) == depth_cycles([50]) == [0] * 5


@given(PERCENTS)
def test_the_cycles_are_half_of_all_that_the_percent_moved(percents: list[float]) -> None:
    points = turning_points(percents)
    assert sum(depth * count for depth, count in cycles(points)) == pytest.approx(moved(points) / 2)


@given(PERCENTS, st.integers(-50, 50))
def test_a_shift_of_all_percents_and_the_time_reversed_change_no_depth(percents: list[float], shift: int) -> None:
    points = turning_points(percents)
    told = sorted(cycles(points))
    assert told == sorted(cycles([point + shift for point in points]))
    whole = [sum(count for deep, count in counts if deep == depth) for counts in (told, sorted(cycles(points[::-1])))
             for depth in {deep for deep, _ in told}]  # fmt: skip
    assert whole[: len(whole) // 2] == whole[len(whole) // 2 :]


@given(PERCENTS)
def test_turning_points_turn_and_are_far_enough_apart(percents: list[float]) -> None:
    points = turning_points(percents)
    steps = [after - before for before, after in pairwise(points)]
    assert all(abs(step) >= HYSTERESIS_PCT for step in steps[:-1])
    assert all(before * after < 0 for before, after in pairwise(steps))
