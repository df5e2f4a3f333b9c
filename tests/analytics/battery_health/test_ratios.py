"""Ratios of sums: exact without noise, unbiased with it, and as sure as they say."""

from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.battery_health.ratios import KM_CV, Z, interval, ratio_sums, relative_sd, spread_of_unit

TRUE, SEED = 2.5, 20260302
Trips = Sequence[tuple[float, float]]


def simulated(truths: int, trips: int, spread: float = KM_CV) -> pl.DataFrame:
    """Trips `x` of 1 to 7 km that take `y`, of so many vehicles."""
    chance, shape = np.random.default_rng(SEED + trips), (truths, trips)
    km = chance.uniform(1, 7, shape)
    pct = TRUE * km * (1 + spread * chance.standard_normal(shape) / km**0.5)
    told = {"of": np.repeat(np.arange(truths), trips), "x": km.ravel(), "y": pct.ravel()}
    return pl.DataFrame(told)


def ratios(trips: pl.DataFrame, weight: pl.Expr | float = 1.0) -> pl.DataFrame:
    """What a unit of x takes (`y`) and how much x a unit gives (`x`), of each; trips weighed more or less."""
    of = pl.lit(weight) if isinstance(weight, float) else weight
    sums = trips.group_by("of", maintain_order=True).agg(ratio_sums(of * pl.col("y"), of * pl.col("x"), "r"))
    x, y, sd = pl.col("r_x"), pl.col("r_y"), spread_of_unit("r", KM_CV) / pl.col("r_x").sqrt()
    return sums.select("of", *interval(y / x, sd, "y"), *interval(x / y, sd, "x"))


def inside(got: pl.DataFrame, name: str, true: float) -> float:
    """The share of intervals that hold the truth."""
    return got.filter(pl.col(f"{name}_low") <= true, pl.col(f"{name}_high") >= true).height / got.height


def of_one(*trips: tuple[float | None, float | None]) -> dict[str, float]:
    """Of trips (x, y) of one vehicle: sums, the usual spread being one half, and the spread."""
    rows = pl.DataFrame(trips, schema={"x": pl.Float64, "y": pl.Float64}, orient="row")
    sums = rows.select(ratio_sums(pl.col("y"), pl.col("x"), "r"))
    return sums.with_columns(spread=spread_of_unit("r", 0.5)).row(0, named=True)


# ---- simulated truths ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trips", [1, 2, 3, 8, 60])
def test_the_way_of_a_percent_is_as_sure_as_it_says_even_of_one_trip(trips: int) -> None:
    """T12, of trips that differ as they usually do."""
    assert 0.93 <= inside(ratios(simulated(4000, trips)), "x", 1 / TRUE) <= 0.97


@pytest.mark.parametrize("trips", [8, 20, 60])
def test_what_a_kilometre_takes_is_as_sure_as_it_says_of_eight_trips_and_more(trips: int) -> None:
    """Of fewer, errors are no small part of the figure, and an interval in proportion to it is too narrow below."""
    assert 0.93 <= inside(ratios(simulated(4000, trips)), "y", TRUE) <= 0.97


@pytest.mark.parametrize("spread", [0.3, 0.9])
def test_intervals_of_many_trips_hold_the_truth_however_much_these_differ(spread: float) -> None:
    got = ratios(simulated(2000, 200, spread))
    for name, true in (("x", 1 / TRUE), ("y", TRUE)):
        assert 0.93 <= inside(got, name, true) <= 0.97


def off(trips: pl.DataFrame, weight: pl.Expr | float = 1.0) -> float:
    """How far they are off on the mean, in standard deviations of one of them."""
    got = ratios(trips, weight)
    mean, sd = got.select(pl.col("y").mean().alias("mean"), pl.col("y").std().alias("sd")).row(0)
    return float((mean - TRUE) / sd)


def test_trips_that_are_weighed_by_what_was_measured_would_bias_it() -> None:
    """F6, T12: by least squares whose variances follow from the measured y, as if that were the true one."""
    trips = simulated(2000, 100, 0.3)
    assert abs(off(trips)) < 0.1
    assert off(trips.filter(pl.col("y") > 0), pl.col("x") / pl.col("y") ** 2) < -1


def test_a_mean_of_ratios_is_less_sure_than_a_ratio_of_sums() -> None:
    trips = simulated(2000, 20)
    sums, means = (ratios(trips, of).select(pl.col("y").std()).item() for of in (1.0, 1 / pl.col("x")))
    assert sums < 0.95 * means


# ---- what holds of any trips ---------------------------------------------------------------------------------------

_TRIPS = st.lists(st.tuples(st.floats(0.1, 9), st.floats(0.1, 30)), min_size=1, max_size=20)


@settings(deadline=None)
@given(_TRIPS, st.floats(0.01, 100))
def test_what_is_scaled_is_scaled_and_as_sure(trips: Trips, factor: float) -> None:
    """T11."""
    one = of_one(*trips)
    for scaled in ([(x, factor * y) for x, y in trips], [(x, -y) for x, y in trips], list(reversed(trips))):
        other = of_one(*scaled)
        assert other["spread"] == pytest.approx(one["spread"])
        assert other["r_n"] == one["r_n"]
    assert of_one(*((x, factor * y) for x, y in trips))["r_y"] == pytest.approx(factor * one["r_y"])


@settings(deadline=None)
@given(_TRIPS)
def test_a_ratio_of_sums_lies_within_those_of_its_parts(trips: Trips) -> None:
    """T9."""
    got, each = of_one(*trips), [y / x for x, y in trips]
    assert min(each) * (1 - 1e-9) <= got["r_y"] / got["r_x"] <= max(each) * (1 + 1e-9)


def test_trips_without_noise_leave_the_usual_spread_less_the_more_there_are() -> None:
    one, few, many = (of_one(*[(4.0, 10.0)] * count)["spread"] for count in (1, 6, 5001))
    assert one == pytest.approx(0.5)
    assert few == pytest.approx(0.5 * (5 / 10) ** 0.5)
    assert many < 0.02


def test_the_spread_of_many_trips_is_theirs() -> None:
    of = simulated(1, 20_000, 0.3)
    assert of_one(*zip(of["x"], of["y"], strict=True))["spread"] == pytest.approx(0.3, rel=0.02)


def test_trips_that_do_not_tell_or_went_nowhere_do_not_count() -> None:
    got = of_one((4.0, 10.0), (None, 9.0), (3.0, None), (0.0, 1.0))
    assert (got["r_n"], got["r_x"], got["r_y"], got["r_yy"]) == (1, 4, 10, 25)
    none = of_one((0.0, 1.0))
    assert (none["r_n"], none["r_x"], none["r_y"], none["spread"]) == (0, 0, 0, 0.5)


# ---- intervals -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "ends"),
    [
        ("capacity_wh", ("capacity_low_wh", "capacity_high_wh")),
        ("wh_per_km", ("wh_per_km_low", "wh_per_km_high")),
        ("km_per_pct", ("km_per_pct_low", "km_per_pct_high")),
    ],
)
def test_ends_of_an_interval_tell_its_error_again(name: str, ends: tuple[str, str]) -> None:
    rows = pl.select(interval(pl.lit(8.0), pl.lit(0.1), name))
    assert rows.columns == [name, *ends]
    assert rows.row(0) == pytest.approx((8, 8 * (1 - 0.1 * Z), 8 * (1 + 0.1 * Z)))
    assert rows.select(relative_sd(name)).item() == pytest.approx(0.1)


def test_nothing_is_below_nothing_and_what_is_not_known_has_no_ends() -> None:
    assert pl.select(interval(pl.lit(8.0), pl.lit(0.9), "wh_per_km"))["wh_per_km_low"].item() == 0
    unknown = pl.select(interval(pl.lit(None, pl.Float64()), pl.lit(0.1), "wh_per_km"))
    assert unknown.row(0) == (None, None, None)
