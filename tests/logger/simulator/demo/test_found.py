"""How what analyses found is held against what happened: sums with their intervals, and which charge was which."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger.simulator.demo.charged import by_cable, matched
from logger.simulator.demo.found import counted, measured
from logger.simulator.demo.heard import rides_heard, sessions_heard
from logger.simulator.demo.sums import Sum, alike, bought
from logger.simulator.vehicle.traits import traits
from logger.simulator.vehicle.truth import Truth, write

BEGIN = datetime(2026, 3, 1, 22, tzinfo=UTC)
WHO = {"provider": "segway", "vehicle": "v1"}


def hours(number: float) -> datetime:
    return BEGIN + timedelta(hours=number)


def charges(*spans: tuple[float, float]) -> pl.DataFrame:
    return pl.DataFrame([{**WHO, "started_at": hours(a), "finished_at": hours(b)} for a, b in spans])


def sessions(*begins: float) -> pl.DataFrame:
    return pl.DataFrame([{**WHO, "true_started_at": hours(begin)} for begin in begins])


def pairs(found: pl.DataFrame, true: pl.DataFrame) -> set[tuple[datetime, datetime]]:
    return set(matched(found, true).select("started_at", "true_started_at").iter_rows())


# ---- sums ----------------------------------------------------------------------------------------------------------


def test_a_sum_is_as_unsure_as_all_its_parts_together() -> None:
    got = alike(pl.Series([100.0, 50.0]), pl.Series([120.0, 55.0]), 160.0)
    assert got == Sum(150.0, 125.0, 175.0, 160.0)


def test_a_part_without_a_value_makes_the_sum_unsure_upwards_alone() -> None:
    assert alike(pl.Series([100.0, None]), pl.Series([120.0, 70.0]), 0.0) == Sum(100.0, 80.0, 190.0, 0.0)


def test_what_perhaps_was_nothing_makes_the_sum_unsure_downwards_alone() -> None:
    assert alike(pl.Series([100.0, 60.0]), pl.Series([110.0, 66.0]), 0.0, moot=60.0) == Sum(160.0, 84.0, 176.0, 0.0)


def test_a_sum_of_which_a_part_is_not_known_at_all_is_not_known() -> None:
    got = alike(pl.Series([100.0, None]), pl.Series([120.0, None], dtype=pl.Float64()), 90.0)
    assert got == Sum(None, None, None, 90.0)
    assert got.told("kWh", 1000) == "not known, in truth 0.09 kWh"


@given(st.lists(st.floats(0.1, 50), min_size=1, max_size=6), st.floats(0, 1))
def test_no_error_that_parts_may_share_is_wider_than_the_sum_says(sds: list[float], shared: float) -> None:
    covariance = shared * np.outer(sds, sds) + (1 - shared) * np.diag(np.square(sds))
    values = pl.Series([1000.0] * len(sds))
    got = alike(values, values + 1.96 * pl.Series(sds), 0.0)
    assert got.high is not None
    assert got.value is not None
    assert got.high - got.value >= 1.96 * float(np.sqrt(covariance.sum())) - 1e-6


def test_what_energy_cost_is_as_unsure_as_energy_and_charger_together() -> None:
    got = bought(Sum(1000.0, 940.0, 1080.0, 0.0), 0.4, 0.0004, 0.0408, 0.41)  # 1.96 times 0.0408 is 80 Wh
    assert (got.low, got.high) == pytest.approx((0.4 - 0.0004 * 100, 0.4 + 0.0004 * 113.1), abs=1e-4)
    assert (got.value, got.true) == (0.4, 0.41)


def test_where_nothing_was_charged_nothing_was_paid_and_that_is_sure() -> None:
    nothing = alike(pl.Series([], dtype=pl.Float64()), pl.Series([], dtype=pl.Float64()), 0.0)
    assert bought(nothing, 0.0, 0.0004, 0.03, 0.0) == Sum(0.0, 0.0, 0.0, 0.0)


# ---- trips ---------------------------------------------------------------------------------------------------------


def test_trips_that_nobody_observed_may_be_none_or_two() -> None:
    trips = pl.DataFrame({"kind": ["observed", "observed", "bridged", "inferred"]})
    books = pl.DataFrame({"pushed_m": [0.0, 40.0], "unplaced_m": [0.0, 0.0]})
    assert counted(trips, books, 5) == Sum(4, 2, 7, 5)


def test_metres_outside_trips_may_have_been_ridden_and_inferred_ones_pushed() -> None:
    trips = pl.DataFrame({"kind": ["observed", "inferred"], "distance_m": [2000.0, 300.0]})
    books = pl.DataFrame({"pushed_m": [40.0], "unplaced_m": [5.0]})
    assert measured(trips, books, 2310) == Sum(2300, 1998, 2347, 2310)


def test_of_a_ride_into_a_lasting_silence_counts_what_was_told() -> None:
    status = pl.LazyFrame([{**WHO, "odometer_m": metres} for metres in (1000, 5500, None)])
    ways = ((1000, 3000), (5000, 6000), (6000, 8000))
    rides = pl.DataFrame(
        [{**WHO, "start_odometer_m": a, "distance_m": b - a, "energy_wh": 0.03 * (b - a)} for a, b in ways]
    )
    got = rides_heard(rides, status)
    assert got["distance_m"].to_list() == [2000, 500]
    assert got["energy_wh"].to_list() == pytest.approx([60, 15])


def test_a_charge_in_a_lasting_silence_is_none_that_anybody_could_find(tmp_path: Path) -> None:
    truth = Truth("v1", traits(Random(1), 1), heard_at=hours(10).timestamp())
    write([truth], tmp_path)
    assert sessions_heard(sessions(0, 9, 20), tmp_path)["true_started_at"].to_list() == [hours(0), hours(9)]


# ---- charges -------------------------------------------------------------------------------------------------------


def test_packs_that_were_plugged_in_together_are_one_session_and_those_on_the_shelf_none() -> None:
    rows = [(1, 0.0, 300.0, 0.1), (2, 0.0, 250.0, 0.09), (None, 0.0, 900.0, 0.3), (1, 24.0, 100.0, 0.04)]
    told = [
        {**WHO, "port": port, "started_at": hours(at), "energy_wh": wh, "cost": cost} for port, at, wh, cost in rows
    ]
    got = by_cable(pl.DataFrame(told)).sort("true_started_at")
    assert got["true_wh"].to_list() == [550, 100]
    assert got["true_cost"].to_list() == pytest.approx([0.19, 0.04])


def test_where_nothing_was_charged_there_is_no_session() -> None:
    none = by_cable(pl.DataFrame({"vehicle": pl.Series([], dtype=pl.String())}))
    assert none.height == 0
    assert matched(charges((0, 1)), none).height == 0


def test_a_charge_is_matched_with_the_session_that_began_nearest() -> None:
    found, true = charges((0, 2), (24, 25)), sessions(0.2, 24.1, 48)
    assert pairs(found, true) == {(hours(0), hours(0.2)), (hours(24), hours(24.1))}


def test_a_session_that_was_found_in_two_parts_is_matched_once() -> None:
    assert pairs(charges((0, 0.5), (0.6, 2)), sessions(0.1)) == {(hours(0), hours(0.1))}


def test_a_charge_that_lies_anywhere_in_a_silent_night_is_matched_with_what_began_in_it() -> None:
    assert pairs(charges((0, 10)), sessions(6)) == {(hours(0), hours(6))}


def test_a_clock_that_is_wrong_by_an_hour_hides_no_charge_and_one_of_another_night_does() -> None:
    assert pairs(charges((1.1, 3)), sessions(0)) == {(hours(1.1), hours(0))}
    assert pairs(charges((24, 26)), sessions(0)) == set()
