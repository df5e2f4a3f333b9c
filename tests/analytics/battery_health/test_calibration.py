"""A fleet's own figures: found where its trips tell them, and refused where they do not."""

import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.battery_health.calibration import (
    CHECKS,
    INSUFFICIENT,
    LEVELS,
    OF_PACKS,
    TRIPS,
    answered,
    capacity_of_model,
    check,
    checks,
    km_per_percent,
    percent_slope,
    power_sign,
    use_of_model,
)
from analytics.battery_health.moments import Moments, line_of_two
from logger.tables import TIME
from tests.analytics.battery_health.packs_made import C_WH, USE, fleet
from tests.analytics.hand import AT

WH_KM, WH_PCT = 30.0, 14.0


def trips(count: int, seed: int = 1, use_cv: float = 0.5, polled_cv: float = 0.85) -> pl.DataFrame:
    """Trips of 1 to 7 km of ten vehicles, each with a stint of its own; they differ by relative spreads of a km."""
    chance = np.random.default_rng(seed)
    km = chance.uniform(1, 7, count)
    wh = WH_KM * (km + use_cv * chance.standard_normal(count) * km**0.5)
    polled = wh + WH_KM * polled_cv * chance.standard_normal(count) * km**0.5
    told = {"km": km, "pct": wh / WH_PCT, "polled_wh": polled, "level_pct": chance.uniform(20, 95, count)}
    return pl.DataFrame(told).with_columns(
        provider=pl.lit("p"), model=pl.lit("m"), sheet_wh=pl.lit(1440.0), cycles=pl.lit(200.0),
        since=pl.lit(AT).cast(TIME),
        first_cycles=pl.lit(None, pl.Int64()), last_cycles=pl.lit(None, pl.Int64()),
        vehicle=pl.format("v{}", pl.int_range(pl.len()) % 10), stint_id=pl.format("s{}", pl.int_range(pl.len()) % 10),
        day=pl.int_range(pl.len()) // 20,
    )  # fmt: skip


def turned(rows: pl.DataFrame, sign: float) -> pl.DataFrame:
    return rows.with_columns(pl.col("polled_wh") * sign)


def of(rows: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """The checks of model m, by name."""
    return {row["check"]: row for row in checks(rows).filter(provider="p", model="m").iter_rows(named=True)}


# ---- power ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("sign", "word"), [(1.0, "discharge_positive"), (-1.0, "charge_positive")])
def test_the_sign_of_power_is_that_of_riding(sign: float, word: str) -> None:
    got = power_sign("m", turned(trips(60), sign))
    assert (got["answer"], got["n"]) == (word, 60)
    assert got["value"] == pytest.approx(sign * WH_KM, rel=0.2)


def test_a_sign_is_not_guessed() -> None:
    few, vague = trips(TRIPS - 1, polled_cv=0), trips(60).with_columns(polled_wh=pl.col("polled_wh") - WH_KM * 4)
    assert power_sign("m", few)["answer"] == INSUFFICIENT
    assert power_sign("m", vague)["answer"] == INSUFFICIENT
    assert power_sign("m", turned(trips(60), 0))["answer"] == INSUFFICIENT
    assert power_sign("m", trips(TRIPS, polled_cv=0))["answer"] == "discharge_positive"


def test_trips_without_a_reading_of_power_do_not_count_for_it() -> None:
    third = pl.when(pl.int_range(pl.len()) % 3 == 0).then("polled_wh").alias("polled_wh")
    got = use_of_model("m", trips(90).with_columns(third), "discharge_positive")
    assert got["n"] == 30
    assert got["value"] == pytest.approx(WH_KM, rel=0.25)


@pytest.mark.parametrize(("sign", "word"), [(1.0, "discharge_positive"), (-1.0, "charge_positive")])
def test_pooled_power_gives_the_consumption_of_a_model(sign: float, word: str) -> None:
    got = use_of_model("m", turned(trips(400), sign), word)
    assert got["answer"] == "estimate"
    assert got["low"] < WH_KM < got["high"]
    assert got["high"] - got["low"] < 0.15 * got["value"]


def test_power_whose_sign_nobody_knows_is_shown_and_is_no_estimate() -> None:
    told = trips(60)
    sure, unsure = use_of_model("m", told, "discharge_positive"), use_of_model("m", told, INSUFFICIENT)
    assert unsure == sure | {"answer": INSUFFICIENT}
    way = km_per_percent("m", told)
    assert capacity_of_model("m", unsure, way)["value"] is None


def test_intervals_of_a_model_hold_the_truth_as_often_as_they_promise() -> None:
    """T12, of two thousand fleets of sixty trips each."""
    inside = [0, 0]
    for seed in range(2000):
        told = trips(60, seed, polled_cv=0.3)
        use, way = use_of_model("m", told, "discharge_positive"), km_per_percent("m", told)
        for place, (row, true) in enumerate(((use, WH_KM), (way, WH_PCT / WH_KM))):
            inside[place] += row["low"] <= true <= row["high"]
    for each in inside:
        assert 0.93 <= each / 2000 <= 0.97


# ---- percents ------------------------------------------------------------------------------------------------------


def test_capacity_is_consumption_times_the_way_of_a_percent() -> None:
    told = trips(400)
    use, way = use_of_model("m", told, "discharge_positive"), km_per_percent("m", told)
    got = capacity_of_model("m", use, way)
    assert got["value"] == pytest.approx(100 * use["value"] * way["value"], rel=0.003)
    assert got["low"] < 100 * WH_PCT < got["high"]
    errors = [(each["high"] - each["low"]) / each["value"] for each in (got, use, way)]
    assert errors[0] == pytest.approx(math.hypot(*errors[1:]), rel=0.02)
    for without in ((use, km_per_percent("m", told[:5])), (use_of_model("m", told, INSUFFICIENT), way)):
        assert capacity_of_model("m", *without)["answer"] == INSUFFICIENT


def test_the_way_of_a_percent_is_that_at_half_full() -> None:
    """Trips at 100 % go farther with a percent by the slope than trips at 50 %."""
    at_half, full = (trips(30).with_columns(level_pct=pl.lit(pct)) for pct in (50.0, 100.0))
    value = km_per_percent("m", at_half, 0.1)["value"]
    assert km_per_percent("m", full, 0.1)["value"] == pytest.approx(value / 1.1, rel=0.003)
    assert km_per_percent("m", full)["value"] == value


def test_the_way_of_a_percent_needs_trips_that_tell_one() -> None:
    assert km_per_percent("m", trips(TRIPS - 1))["answer"] == INSUFFICIENT
    assert km_per_percent("m", trips(TRIPS))["answer"] == "estimate"
    blind = pl.when(pl.int_range(pl.len()) > 0).then("pct").alias("pct")
    assert km_per_percent("m", trips(TRIPS).with_columns(blind))["answer"] == INSUFFICIENT
    assert km_per_percent("m", trips(TRIPS).with_columns(-pl.col("pct")))["answer"] == INSUFFICIENT
    assert km_per_percent("m", trips(60).with_columns(pct=pl.lit(None, pl.Float64())))["value"] is None


def test_a_percent_that_holds_more_at_the_top_is_found() -> None:
    more = 1 + 0.15 * (pl.col("level_pct") - 50) / 50
    got = percent_slope("m", trips(4000, use_cv=0.3).with_columns(pl.col("pct") / more))
    assert got["answer"] == "estimate"
    assert got["low"] < 0.15 + 0.01
    assert got["high"] > 0.15 - 0.01
    assert got["high"] - got["low"] < 0.1
    assert abs(percent_slope("m", trips(4000, use_cv=0.3))["value"]) < 0.05


def test_a_slope_needs_trips_from_a_fifth_of_the_charge_on() -> None:
    low = pl.when(pl.int_range(pl.len()) > 0).then("level_pct").otherwise(19.0).alias("level_pct")
    assert percent_slope("m", trips(LEVELS).with_columns(low))["answer"] == INSUFFICIENT
    assert percent_slope("m", trips(LEVELS))["answer"] == "estimate"
    assert percent_slope("m", trips(LEVELS).with_columns(level_pct=pl.lit(50.0)))["answer"] == INSUFFICIENT


# ---- all of a model ------------------------------------------------------------------------------------------------


def test_a_model_answers_each_check_once() -> None:
    rows = checks(trips(400))
    assert rows.schema == CHECKS
    names = {"motor_power_sign", "percent_slope", "wh_per_km", "km_per_pct", "capacity_wh", *OF_PACKS}
    assert rows["check"].to_list() == sorted(names)
    assert set(rows["answer"]) == {"estimate", "discharge_positive"}
    assert rows["time"].null_count() == rows.height


def test_packs_of_a_simulated_model_are_told_from_their_trips() -> None:
    told = fleet(3).trips.rename({"wh": "polled_wh"}).with_columns(provider=pl.lit("p"), model=pl.lit("m"))
    got = of(told.with_columns(level_pct=pl.lit(50.0)))
    assert got["pack_wh"]["value"] == pytest.approx(C_WH, rel=0.03)
    assert got["pack_wh"]["low"] < C_WH < got["pack_wh"]["high"]
    half = 1.96 * got["pack_wh_cv"]["value"] * got["pack_wh"]["value"]
    assert got["pack_wh"]["high"] - got["pack_wh"]["value"] == pytest.approx(half, rel=0.1)
    assert got["pack_wh_per_km"]["value"] == pytest.approx(USE, rel=0.03)
    assert got["pack_cv"]["n"] == 60 * 12


def test_what_packs_take_is_told_as_at_half_full() -> None:
    """Trips at 60 to 100 % of packs whose percent holds more there."""
    level = pl.Series(np.random.default_rng(5).uniform(60, 100, 4000))
    more = 1 + 0.2 * (pl.col("level_pct") - 50) / 50
    told = trips(4000, use_cv=0.1).with_columns(level_pct=level).with_columns(pl.col("pct") / more)
    got = of(told)
    assert got["percent_slope"]["value"] == pytest.approx(0.2, abs=0.05)
    for name, true in (("pack_pct_per_km", WH_KM / WH_PCT), ("km_per_pct", WH_PCT / WH_KM)):
        assert got[name]["value"] == pytest.approx(true, rel=0.03)


def test_what_packs_hold_does_not_depend_on_the_sign_in_which_power_is_told() -> None:
    one, two = of(trips(400)), of(turned(trips(400), -1))
    for name in OF_PACKS:
        assert one[name] == two[name]
    assert two["wh_per_km"]["value"] == one["wh_per_km"]["value"]


def test_without_power_nothing_of_packs_is_told() -> None:
    for rows in (trips(60).with_columns(polled_wh=pl.lit(None, pl.Float64())), trips(TRIPS - 1)):
        got = of(rows)
        assert {got[name]["answer"] for name in (*OF_PACKS, "wh_per_km", "capacity_wh")} == {INSUFFICIENT}
        assert {got[name]["value"] for name in OF_PACKS} == {None}


def test_trips_of_no_model_and_of_no_way_are_left_out_and_models_told_apart() -> None:
    more = trips(60, seed=2).with_columns(model=pl.lit("other"), vehicle=pl.col("vehicle") + "x")
    theirs = trips(60, seed=3).with_columns(provider=pl.lit("q"))
    nobody = trips(60, seed=4).with_columns(model=pl.lit(None, pl.String()))
    still = trips(9).with_columns(km=pl.lit(0.0))
    rows = checks(pl.concat([more, trips(60), theirs, nobody, still]))
    assert rows.select("provider", "model").unique(maintain_order=True).rows() == [
        ("p", "m"), ("p", "other"), ("q", "m"),
    ]  # fmt: skip
    assert rows.filter(provider="q", check="wh_per_km").equals(checks(theirs).filter(check="wh_per_km"))
    assert rows.filter(provider="p", model="m", check="km_per_pct").equals(checks(trips(60)).filter(check="km_per_pct"))
    assert checks(nobody).is_empty()


def test_figures_have_as_many_digits_as_they_tell() -> None:
    row = answered("m", "x", "estimate", (1234.567, 0.0012345, math.inf), 7)
    assert [row[name] for name in ("value", "low", "high")] == [1230, 0.00123, None]
    sure = check("m", "x", "estimate", 100.0, 10.0, 7)
    assert [sure[name] for name in ("value", "low", "high")] == [100, 80.4, 120]
    assert check("m", "x", "estimate", 100.0, None, 7)["low"] is None
    spread = of(trips(400))["pack_cv"]["value"]
    assert spread == float(f"{spread:.2g}")


# ---- sums of points ------------------------------------------------------------------------------------------------

_POINTS = st.lists(st.tuples(st.floats(0.1, 9), st.floats(0.1, 20)), min_size=2, max_size=40)


def moments(points: list[tuple[float, float]]) -> Moments:
    return Moments.of(pl.DataFrame(points, schema={"x": pl.Float64, "y": pl.Float64}, orient="row"), "x", "y")


@settings(deadline=None)
@given(_POINTS, _POINTS)
def test_a_ratio_of_all_points_lies_between_those_of_their_parts(
    one: list[tuple[float, float]], two: list[tuple[float, float]]
) -> None:
    """T9."""
    whole, parts = moments(one + two).ratio()[0], [moments(each).ratio()[0] or 0.0 for each in (one, two)]
    assert whole is not None
    assert min(parts) * (1 - 1e-9) <= whole <= max(parts) * (1 + 1e-9)


@settings(deadline=None)
@given(_POINTS, st.floats(-3, 3), st.floats(-9, 9))
def test_points_on_a_line_tell_it(points: list[tuple[float, float]], slope: float, middle: float) -> None:
    """T11."""
    line = moments([(x, middle + slope * x) for x, _ in points]).line()
    xs = [x for x, _ in points]
    if line is None:
        assert len(points) < 3 or float(np.std(xs)) < 1e-3 * max(xs)
    elif float(np.std(xs)) > 0.01:
        assert (line.slope, line.middle) == pytest.approx((slope, middle), abs=1e-4)


def test_fewer_than_two_points_tell_nothing() -> None:
    assert moments([(4.0, 8.0)]).ratio() == (None, None)
    assert moments([]).mean() == (0.0, math.inf)
    assert moments([(4.0, 8.0), (4.0, 9.0)]).line() is None
    assert moments([(4.0, 8.0), (4.0, 10.0)]).mean() == (9, 1)


def test_what_two_causes_take_is_told_apart() -> None:
    points = pl.DataFrame({"weight": [1.0, 2, 3, 1], "one": [1.0, 2, 3, 4], "two": [1.0, -1, 2, 0]})
    exact = points.with_columns(y=2 * pl.col("one") - 0.5 * pl.col("two"))
    assert line_of_two(exact) == pytest.approx((2, -0.5, 0), abs=1e-6)
    assert line_of_two(exact.with_columns(two=2 * pl.col("one"))) is None
    assert line_of_two(exact.head(2)) is None


def test_nothing_in_nothing_out() -> None:
    none = checks(trips(1).clear())
    assert none.is_empty()
    assert none.schema == CHECKS
