"""Energy of simulated mopeds that obey physics, against what they really used."""

import polars as pl
import pytest

from tests.analytics.energy.simulated import Fleet, analysed

NUMBERS = (1, 2, 5, 6, 7, 9, 10, 11)  # one pack each, a clock that is right


@pytest.fixture(scope="module")
def told() -> Fleet:
    return analysed(NUMBERS, seed=11, days=4)


def test_what_a_trip_used_of_the_charge_is_known_to_a_third_of_a_percent(told: Fleet) -> None:
    error = told["trips"]["soc_used_pct"] - told["trips"]["true_pct"]
    assert told["trips"].height > 80
    # Whole percents at both ends err by 0.41 alone; the battery's own error, 0.3, is in the figure.
    assert error.to_frame("error").select(pl.col("error").std()).item() < 0.4


def test_pooled_power_finds_the_consumption_of_the_fleet(told: Fleet) -> None:
    row = told["checks"].filter(pl.col("check") == "wh_per_km").row(0, named=True)
    true = told["true"].select(1000 * pl.col("energy_wh").sum() / pl.col("distance_m").sum()).item()
    assert row["answer"] == "estimate"
    assert row["value"] == pytest.approx(true, rel=0.08)
    assert told["checks"].filter(pl.col("check") == "motor_power_sign")["answer"].item() == "discharge_positive"


def test_energy_of_trips_is_near_the_truth_and_within_its_interval(told: Fleet) -> None:
    rows = told["trips"]
    inside = rows.select(pl.col("true_wh").is_between("energy_low_wh", "energy_high_wh").mean()).item()
    assert 0.9 <= inside <= 1.0
    long = rows.filter(pl.col("distance_m") > 5000)
    assert long.select((pl.col("energy_wh") / pl.col("true_wh") - 1).abs().median()).item() < 0.07
    assert rows.select(pl.col("energy_wh").sum() / pl.col("true_wh").sum()).item() == pytest.approx(1, abs=0.06)


def test_the_ledger_of_days_leaves_little_over(told: Fleet) -> None:
    sums = told["days"].select("driven_wh", "residual_wh", "distance_m").sum().row(0)
    assert abs(sums[1]) < 0.02 * sums[0]
    assert told["days"]["residual_wh"].null_count() == 0


def test_what_is_left_over_of_a_day_lies_within_three_of_its_errors(told: Fleet) -> None:
    """T18, with noise."""
    ridden = told["days"].filter(pl.col("trips") > 0)
    sd_wh = (pl.col("driven_high_wh") - pl.col("driven_low_wh")) / (2 * 1.96)
    assert ridden.height > 20
    assert ridden.select((pl.col("residual_wh").abs() <= 3 * sd_wh).all()).item()
