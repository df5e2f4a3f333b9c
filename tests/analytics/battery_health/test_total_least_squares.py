"""The slope of pairs in which both sides err: exact without noise, unbiased with it, as sure as it says."""

import random
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.battery_health.total_least_squares import slopes

Pair = tuple[float, float]


def fit(told: list[Pair], x_var: float = 1.17, y_sd: float = 0.01) -> dict[str, Any]:
    rows = [{"battery": 1, "at": place, "x": x, "y": y, "x_var": x_var} for place, (x, y) in enumerate(told)]
    return slopes(pl.DataFrame(rows), ["battery"], y_sd).row(0, named=True)


PAIRS = st.lists(st.floats(5, 80), min_size=1, max_size=12)


@given(PAIRS, st.floats(1, 1e3))
def test_without_noise_the_slope_is_exact(xs: list[float], slope: float) -> None:
    got = fit([(x, slope * x) for x in xs])
    assert got["slope"] == pytest.approx(slope)
    assert (got["n"], got["left_out"]) == (len(xs), None)


@given(st.lists(st.tuples(st.floats(20, 60), st.floats(-2, 2)), min_size=2, max_size=9), st.floats(0.1, 100))
def test_y_in_another_unit_is_a_slope_in_another_unit_and_as_sure(told: list[Pair], factor: float) -> None:
    one, other = (fit([(x, scale * (x + off)) for x, off in told]) for scale in (1.0, factor))
    assert other["slope"] == pytest.approx(factor * one["slope"], rel=1e-6)
    assert other["slope_sd"] == pytest.approx(one["slope_sd"], rel=1e-6)


@given(st.lists(st.tuples(st.floats(20, 60), st.floats(-2, 2)), min_size=2, max_size=9), st.randoms())
def test_the_order_of_pairs_changes_nothing(told: list[Pair], chance: random.Random) -> None:
    pairs = [(x, x + off) for x, off in told]
    other = chance.sample(pairs, len(pairs))
    assert fit(other)["slope"] == pytest.approx(fit(pairs)["slope"])


@pytest.mark.parametrize(("depth", "count"), [((20, 60), 10), ((10, 70), 30), ((5, 15), 30), ((20, 60), 3)])
def test_beside_the_ratio_of_sums_it_is_no_less_sure_and_unbiased(depth: tuple[int, int], count: int) -> None:
    rows, chance = [], random.Random(7)
    for group in range(1500):
        for place in range(count):
            true, low = chance.uniform(*depth), chance.uniform(5, 30)
            shown = float(int(true + low + chance.gauss(0, 1)) - int(low))
            rows.append({"battery": group, "at": place, "x": shown, "y": true, "x_var": 1.17})
    got = slopes(pl.DataFrame(rows).filter(pl.col("x") > 0), ["battery"], 0.01)
    value, ratio = got["slope"].to_list(), (got["y_sum"] / got["x_sum"]).to_list()
    mean = sum(value) / len(value)
    sd, ratio_sd = (pl.Series(each).std() for each in (value, ratio))
    inside = sum(abs(one - 1) <= 1.96 * one * width for one, width in zip(value, got["slope_sd"], strict=True))
    assert isinstance(sd, float)
    assert isinstance(ratio_sd, float)
    assert abs(mean - 1) < 0.3 * sd
    assert sd < 1.03 * ratio_sd
    assert 0.91 <= inside / len(value) <= 0.98


def test_a_weight_that_knew_the_measured_energy_would_be_biased() -> None:
    """What the guard above would catch: analytics facts, F6."""
    chance, found = random.Random(3), []
    for _ in range(400):
        told = [(chance.uniform(1, 6), 1 + chance.gauss(0, 0.25)) for _ in range(200)]
        weights = [(x, x * factor, 1 / (0.25 * x * factor) ** 2) for x, factor in told]
        found.append(sum(w * x * y for x, y, w in weights) / sum(w * x * x for x, _, w in weights))
    assert sum(found) / len(found) < 0.95


def test_one_pair_far_from_the_others_is_left_out_and_named_by_its_time() -> None:
    told = [(40.0, 40.0)] * 6 + [(40.0, 60.0)]
    got = fit(told)
    assert got["slope"] == pytest.approx(1)
    assert got["left_out"] == [6]
    assert fit(told[-2:])["left_out"] is None
