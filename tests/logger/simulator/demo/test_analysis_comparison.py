"""Comparing the analyses' results with the truth: sums with their intervals, and which charge matches which session."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger.simulator.demo.charge_comparison import cable_sessions, match_charges
from logger.simulator.demo.estimated_sum import EstimatedSum, energy_cost, sum_estimates
from logger.simulator.demo.observable_truth import observable_sessions, observable_trips
from logger.simulator.demo.trip_comparison import sum_distance, sum_trips
from logger.simulator.vehicle.specification import draw_specification
from logger.simulator.vehicle.truth import Truth, write_truth

BEGIN = datetime(2026, 3, 1, 22, tzinfo=UTC)
VEHICLE = {"provider": "segway", "vehicle": "v1"}


def hours(number: float) -> datetime:
    return BEGIN + timedelta(hours=number)


def charges(*spans: tuple[float, float]) -> pl.DataFrame:
    return pl.DataFrame([{**VEHICLE, "started_at": hours(a), "finished_at": hours(b)} for a, b in spans])


def sessions(*begins: float) -> pl.DataFrame:
    return pl.DataFrame([{**VEHICLE, "true_started_at": hours(begin)} for begin in begins])


def pairs(charges: pl.DataFrame, sessions: pl.DataFrame) -> set[tuple[datetime, datetime]]:
    return set(match_charges(charges, sessions).select("started_at", "true_started_at").iter_rows())


# ---- sums ----------------------------------------------------------------------------------------------------------


def test_the_interval_of_a_sum_is_as_wide_as_those_of_its_parts_together() -> None:
    total = sum_estimates(pl.Series([100.0, 50.0]), pl.Series([120.0, 55.0]), 160.0)
    assert total == EstimatedSum(150.0, 125.0, 175.0, 160.0)


def test_a_part_without_a_value_widens_the_interval_upwards_only() -> None:
    total = sum_estimates(pl.Series([100.0, None]), pl.Series([120.0, 70.0]), 0.0)
    assert total == EstimatedSum(100.0, 80.0, 190.0, 0.0)


def test_a_part_that_may_be_zero_widens_the_interval_downwards_only() -> None:
    total = sum_estimates(pl.Series([100.0, 60.0]), pl.Series([110.0, 66.0]), 0.0, uncertain=60.0)
    assert total == EstimatedSum(160.0, 84.0, 176.0, 0.0)


def test_a_sum_with_a_part_that_is_not_known_at_all_is_not_known() -> None:
    total = sum_estimates(pl.Series([100.0, None]), pl.Series([120.0, None], dtype=pl.Float64()), 90.0)
    assert total == EstimatedSum(None, None, None, 90.0)
    assert total.text("kWh", 1000) == "not known, in truth 0.09 kWh"


@given(st.lists(st.floats(0.1, 50), min_size=1, max_size=6), st.floats(0, 1))
def test_no_shared_error_of_the_parts_is_wider_than_the_interval_of_the_sum(sds: list[float], shared: float) -> None:
    covariance = shared * np.outer(sds, sds) + (1 - shared) * np.diag(np.square(sds))
    values = pl.Series([1000.0] * len(sds))
    total = sum_estimates(values, values + 1.96 * pl.Series(sds), 0.0)
    assert total.high is not None
    assert total.value is not None
    assert total.high - total.value >= 1.96 * float(np.sqrt(covariance.sum())) - 1e-6


def test_the_interval_of_a_cost_combines_those_of_energy_and_charger() -> None:
    energy = EstimatedSum(1000.0, 940.0, 1080.0, 0.0)
    cost = energy_cost(energy, 0.4, 0.0004, 0.0408, 0.41)  # 1.96 times 0.0408 is 80 Wh
    assert (cost.low, cost.high) == pytest.approx((0.4 - 0.0004 * 100, 0.4 + 0.0004 * 113.1), abs=1e-4)
    assert (cost.value, cost.true) == (0.4, 0.41)


def test_without_a_charge_the_cost_is_zero_with_certainty() -> None:
    nothing = sum_estimates(pl.Series([], dtype=pl.Float64()), pl.Series([], dtype=pl.Float64()), 0.0)
    assert energy_cost(nothing, 0.0, 0.0004, 0.03, 0.0) == EstimatedSum(0.0, 0.0, 0.0, 0.0)


# ---- trips ---------------------------------------------------------------------------------------------------------


def test_trips_that_are_not_observed_may_be_none_or_two() -> None:
    trips = pl.DataFrame({"kind": ["observed", "observed", "bridged", "inferred"]})
    coverage = pl.DataFrame({"pushed_m": [0.0, 40.0], "unplaced_m": [0.0, 0.0]})
    assert sum_trips(trips, coverage, 5) == EstimatedSum(4, 2, 7, 5)


def test_metres_outside_trips_may_have_been_ridden_and_inferred_ones_pushed() -> None:
    trips = pl.DataFrame({"kind": ["observed", "inferred"], "distance_m": [2000.0, 300.0]})
    coverage = pl.DataFrame({"pushed_m": [40.0], "unplaced_m": [5.0]})
    assert sum_distance(trips, coverage, 2310) == EstimatedSum(2300, 1998, 2347, 2310)


def test_a_trip_after_the_last_message_counts_up_to_that_message() -> None:
    status = pl.LazyFrame([{**VEHICLE, "odometer_m": metres} for metres in (1000, 5500, None)])
    spans = ((1000, 3000), (5000, 6000), (6000, 8000))
    trips = pl.DataFrame(
        [{**VEHICLE, "start_odometer_m": a, "distance_m": b - a, "energy_wh": 0.03 * (b - a)} for a, b in spans]
    )
    observable = observable_trips(trips, status)
    assert observable["distance_m"].to_list() == [2000, 500]
    assert observable["energy_wh"].to_list() == pytest.approx([60, 15])


def test_a_charge_after_the_last_message_is_not_observable(tmp_path: Path) -> None:
    truth = Truth("v1", draw_specification(Random(1), 1), last_status_at=hours(10).timestamp())
    write_truth([truth], tmp_path)
    assert observable_sessions(sessions(0, 9, 20), tmp_path)["true_started_at"].to_list() == [hours(0), hours(9)]


# ---- charges -------------------------------------------------------------------------------------------------------


def test_packs_plugged_in_together_are_one_session_and_packs_on_the_shelf_none() -> None:
    rows = [(1, 0.0, 300.0, 0.1), (2, 0.0, 250.0, 0.09), (None, 0.0, 900.0, 0.3), (1, 24.0, 100.0, 0.04)]
    truth = [
        {**VEHICLE, "port": port, "started_at": hours(at), "energy_wh": wh, "cost": cost} for port, at, wh, cost in rows
    ]
    result = cable_sessions(pl.DataFrame(truth)).sort("true_started_at")
    assert result["true_wh"].to_list() == [550, 100]
    assert result["true_cost"].to_list() == pytest.approx([0.19, 0.04])


def test_without_a_charge_there_is_no_session() -> None:
    none = cable_sessions(pl.DataFrame({"vehicle": pl.Series([], dtype=pl.String())}))
    assert none.height == 0
    assert match_charges(charges((0, 1)), none).height == 0


def test_a_charge_is_matched_with_the_session_that_began_nearest() -> None:
    found, true = charges((0, 2), (24, 25)), sessions(0.2, 24.1, 48)
    assert pairs(found, true) == {(hours(0), hours(0.2)), (hours(24), hours(24.1))}


def test_a_session_that_was_found_in_two_parts_is_matched_once() -> None:
    assert pairs(charges((0, 0.5), (0.6, 2)), sessions(0.1)) == {(hours(0), hours(0.1))}


def test_a_charge_at_an_unknown_time_of_a_gap_is_matched_with_a_session_that_began_in_it() -> None:
    assert pairs(charges((0, 10)), sessions(6)) == {(hours(0), hours(6))}


def test_a_charge_is_matched_in_spite_of_a_clock_that_is_wrong_by_an_hour_but_not_with_another_night() -> None:
    assert pairs(charges((1.1, 3)), sessions(0)) == {(hours(1.1), hours(0))}
    assert pairs(charges((24, 26)), sessions(0)) == set()
