"""How much packs, vehicles and kilometres of a model differ is found again, and refused where nothing tells."""

from typing import Any

import polars as pl
import pytest

from analytics.battery_health.pooling import SPREADS
from analytics.battery_health.spreads import FADE, FADE_SD, SHEET_SD, models
from tests.analytics.battery_health.packs_made import (
    C_WH,
    KM_CV,
    PACK_CV,
    POLLED_CV,
    SHEET_WH,
    USE,
    VEHICLE_CV,
    fleet,
)
from tests.analytics.battery_health.packs_made import (
    FADE as TRUE_FADE,
)

FIGURES = ["pack_wh", "pack_wh_cv", "pack_pct_per_km", "pack_wh_per_km", *SPREADS]


@pytest.fixture(scope="module")
def some() -> pl.DataFrame:
    return fleet(1).trips


def row(trips: pl.DataFrame) -> dict[str, Any]:
    return models(trips).row(0, named=True)


def near(one: dict[str, Any], two: dict[str, Any], rel: float) -> None:
    assert [one[name] for name in FIGURES] == pytest.approx([two[name] for name in FIGURES], rel=rel)


# ---- what made a fleet is found ------------------------------------------------------------------------------------


def test_the_spreads_that_made_a_fleet_are_found() -> None:
    got = row(fleet(2, vehicles=250).trips)
    assert got["packs"] == 250 * 12
    assert got["pack_cv"] == pytest.approx(PACK_CV, rel=0.15)
    assert got["vehicle_cv"] == pytest.approx(VEHICLE_CV, rel=0.25)
    assert got["km_cv"] == pytest.approx(KM_CV, rel=0.05)
    assert got["polled_cv"] == pytest.approx(POLLED_CV, rel=0.05)
    assert abs(got["fade"] - TRUE_FADE) < 3 * got["fade_sd"] < 0.6 * TRUE_FADE
    assert got["pack_wh"] == pytest.approx(C_WH, rel=0.03)
    assert got["pack_wh_per_km"] == pytest.approx(USE, rel=0.03)
    assert got["pack_pct_per_km"] == pytest.approx(100 * USE / C_WH, rel=0.03)


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_kilometres_that_differ_more_are_found_to_do_so(some: pl.DataFrame, factor: float) -> None:
    """Each trip is moved away from what its stint takes on the mean."""
    usual = pl.col("km") * pl.col("pct").sum().over("stint_id") / pl.col("km").sum().over("stint_id")
    got = row(some.with_columns((usual + (pl.col("pct") - usual) * factor).alias("pct")))
    assert got["km_cv"] == pytest.approx(factor * row(some)["km_cv"], rel=0.03)


def test_what_a_percent_errs_by_over_a_trip_and_not_over_a_day_is_not_of_kilometres(some: pl.DataFrame) -> None:
    """Two trips of one day, of which the first seems to have used what the second did."""
    err = pl.when(pl.int_range(pl.len()) % 2 == 0).then(3.0).otherwise(-3.0)
    assert some["day"].to_list()[:4] == [0, 0, 1, 1]
    near(row(some.with_columns(pl.col("pct") + err)), row(some), rel=1e-6)


@pytest.mark.long
def test_what_is_common_to_all_is_as_unsure_as_it_says() -> None:
    """The sensor and the trips of some fleets: in how many of its standard errors each is off."""
    rows = [row(fleet(seed, vehicles=10, times=6, sheet_wh=C_WH).trips) for seed in range(24)]
    off = [(each["pack_wh"] / C_WH - 1) / each["pack_wh_cv"] for each in rows]
    assert sum(abs(each) < 1.96 for each in off) >= 21
    assert abs(sum(off)) / len(off) < 0.5


def test_twice_the_power_is_twice_the_capacity(some: pl.DataFrame) -> None:
    once, twice = row(some), row(some.with_columns(pl.col("wh", "sheet_wh") * 2))
    assert twice["pack_wh"] == pytest.approx(2 * once["pack_wh"])
    assert twice["pack_wh_per_km"] == pytest.approx(2 * once["pack_wh_per_km"])
    names = ["pack_wh_cv", "pack_pct_per_km", *SPREADS]
    assert [twice[name] for name in names] == pytest.approx([once[name] for name in names])


def test_a_data_sheet_hardly_moves_what_many_packs_say(some: pl.DataFrame) -> None:
    alone = row(some.with_columns(sheet_wh=pl.lit(None, pl.Float64())))
    assert alone["pack_wh"] < row(some)["pack_wh"] < alone["pack_wh"] + 0.05 * (SHEET_WH - alone["pack_wh"])
    assert row(some)["pack_wh_cv"] < alone["pack_wh_cv"]


def test_a_data_sheet_counts_for_as_much_as_it_is_sure_where_little_was_ridden(some: pl.DataFrame) -> None:
    got = row(some.head(1))
    assert 0.5 * SHEET_SD < got["pack_wh_cv"] < SHEET_SD
    assert row(some.head(1).with_columns(sheet_wh=pl.lit(None, pl.Float64())))["pack_wh_cv"] > 2 * SHEET_SD


def test_a_few_trips_that_agree_by_chance_are_not_all(some: pl.DataFrame) -> None:
    same = some.head(12).with_columns(pct=pl.col("km") * 2.5, wh=pl.col("km") * 30.0)
    got = row(same)
    assert got["km_cv"] > 0.5 * KM_CV
    assert got["polled_cv"] > 0.5 * POLLED_CV
    assert got["pack_cv"] == pytest.approx(0.05, rel=0.3)
    assert got["vehicle_cv"] == pytest.approx(0.05, rel=0.3)


# ---- what nobody tells ---------------------------------------------------------------------------------------------


def test_without_power_nobody_tells_what_packs_hold(some: pl.DataFrame) -> None:
    got = row(some.with_columns(wh=pl.lit(None, pl.Float64())))
    assert (got["pack_wh_per_km"], got["pack_wh"], got["polled_cv"]) == (None, None, None)
    assert got["pack_cv"] == pytest.approx(PACK_CV, rel=0.3)


def test_power_that_says_that_trips_gain_energy_is_none(some: pl.DataFrame) -> None:
    got = row(some.with_columns(-pl.col("wh")))
    assert (got["pack_wh_per_km"], got["pack_wh"]) == (None, None)


def test_a_model_without_cycles_has_the_usual_fade(some: pl.DataFrame) -> None:
    got = row(some.with_columns(cycles=pl.lit(None, pl.Float64())))
    assert got["pack_cycles"] is None
    assert (got["fade"], got["fade_sd"]) == pytest.approx((FADE, FADE_SD))
    assert got["pack_wh"] == pytest.approx(C_WH, rel=0.04)


def test_packs_that_hold_more_the_more_they_were_charged_have_no_fade_below_nothing(some: pl.DataFrame) -> None:
    """A fade that packs do not show is not believed beyond its usual error."""
    young = some.with_columns(pl.col("pct") / (1 + 20 * FADE_SD * (pl.col("cycles") - 200)))
    assert row(young)["fade"] == 0


def test_trips_that_do_not_tell_a_percent_are_left_out_of_packs_and_count_for_power(some: pl.DataFrame) -> None:
    third = pl.int_range(pl.len()) % 3 == 0
    blind = some.with_columns(pl.when(~third).then("pct").alias("pct"))
    got = row(blind)
    assert got["packs"] == row(some)["packs"]
    assert got["km_cv"] == pytest.approx(KM_CV, rel=0.05)
    assert got["polled_cv"] == row(some)["polled_cv"]
    assert models(some.with_columns(pct=pl.lit(None, pl.Float64()))).is_empty()


# ---- what does not matter ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [-1.0, 0.0, 0.3, 3.0, 5.0])
def test_one_sensor_that_is_wrong_spoils_nobody_elses_packs(some: pl.DataFrame, factor: float) -> None:
    wrong = pl.when(pl.col("vehicle") == "003").then(pl.col("wh") * factor).otherwise("wh").alias("wh")
    right, other = row(some), row(some.with_columns(wrong))
    for name in ("pack_wh", "pack_wh_per_km", "vehicle_cv", "pack_cv", "pack_wh_cv"):
        assert other[name] == pytest.approx(right[name], rel=0.03)


def test_models_and_providers_do_not_share_what_they_tell(some: pl.DataFrame) -> None:
    more = named(some).with_columns(pl.col("pct", "wh") * 1.3, model=pl.lit("other"))
    theirs = some.with_columns(pl.col("wh") * 2, provider=pl.lit("another"))
    both = models(pl.concat([more, some, theirs]))
    assert both.select("provider", "model").rows() == [("another", "moped"), ("segway", "moped"), ("segway", "other")]
    for got, of in zip(both.iter_rows(named=True), (theirs, some, more), strict=True):
        near(got, row(of), rel=1e-9)


def test_the_order_of_trips_does_not_matter(some: pl.DataFrame) -> None:
    near(row(some.sample(fraction=1.0, shuffle=True, seed=5)), row(some), rel=1e-6)


def test_twice_as_many_vehicles_of_which_each_has_its_like_differ_as_much_and_are_surer(some: pl.DataFrame) -> None:
    once, twice = row(some), row(pl.concat([some, named(some)]))
    near({**twice, "pack_wh_cv": once["pack_wh_cv"]}, once, rel=0.1)  # the usual spreads count for five more
    assert twice["pack_wh_cv"] < once["pack_wh_cv"]


def named(trips: pl.DataFrame) -> pl.DataFrame:
    """The same of other vehicles."""
    return trips.with_columns(pl.concat_str(name, pl.lit("x")).alias(name) for name in ("vehicle", "stint_id"))


def test_nothing_in_nothing_out(some: pl.DataFrame) -> None:
    none = models(some.clear())
    assert none.is_empty()
    assert set(none.columns) == set(models(some).columns)
