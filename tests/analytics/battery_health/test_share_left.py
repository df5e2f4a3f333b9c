"""What a battery has kept of what it held at first: seasons and counters cancel, intervals hold the truth."""

import math
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.battery_health.share_left import share_left

Points = list[tuple[float, float]]
Wear = Callable[[float], float]


def straight(year: float) -> float:
    return 1 - 0.03 * year


def slowing(year: float) -> float:
    """Most of what calendar takes, it takes at first."""
    return 1 - 0.04 * math.sqrt(year)


def held_wh(
    years: float, wear: Wear, sd: float = 0.0, season: float = 0.03, seed: int = 1, wh: float = 60_000
) -> Points:
    """Month by month, with more in summer, whenever that is."""
    chance = random.Random(seed)
    turn = chance.random()
    months = [k / 12 for k in range(round(12 * years) + 1)]
    waves = [1 + season * math.sin(2 * math.pi * (year + turn)) for year in months]
    return [(y, wh * wear(y) * wave * (1 + chance.gauss(0, sd))) for y, wave in zip(months, waves, strict=True)]


def truth(points: Points, wear: Wear) -> float:
    return wear(points[-1][0]) / (sum(wear(year) for year, _ in points[:3]) / 3)


@given(st.integers(0, 10_000), st.sampled_from([1.5, 2.0, 3.0, 5.0, 8.0]))
def test_a_season_alone_is_no_wear_and_is_no_reference(seed: int, years: float) -> None:
    got = share_left(held_wh(years, lambda year: 1.0, seed=seed))
    assert got is not None
    assert got.value == pytest.approx(1, abs=0.001)


@pytest.mark.parametrize("wear", [straight, slowing])
@pytest.mark.parametrize("years", [1.5, 2.0, 3.0, 6.0])
def test_intervals_hold_the_truth(wear: Wear, years: float) -> None:
    inside = 0
    for seed in range(200):
        points = held_wh(years, wear, sd=0.012, seed=seed)
        got = share_left(points)
        assert got is not None
        inside += abs(got.value - truth(points, wear)) <= 1.96 * got.sd
    assert inside >= 180


@given(st.floats(0.5, 2.0), st.integers(0, 1000))
def test_a_counter_that_errs_alike_in_all_months_changes_nothing(scale: float, seed: int) -> None:
    points = held_wh(2.0, straight, sd=0.01, seed=seed)
    scaled = share_left([(year, scale * wh) for year, wh in points])
    assert scaled == pytest.approx(share_left(points))


def test_within_a_year_and_a_half_nobody_tells_wear_from_the_season() -> None:
    assert share_left(held_wh(1.4, straight)) is None
    assert share_left(held_wh(1.5, straight)) is not None
    few = held_wh(4.0, straight)
    assert share_left([*few[:5], *few[-5:]]) is None
