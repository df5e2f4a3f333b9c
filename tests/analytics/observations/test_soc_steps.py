"""Ticks: a level is crossed once, at the moment at which it was, and a charge is known to a fraction of a percent."""

import math
from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.observations.soc_at import soc_at, soc_path
from analytics.observations.soc_steps import TICKS, leaps, ticks
from tests.analytics.readings_made import EVERY_S, made, moment, ridden


@settings(deadline=None, max_examples=60)
@given(st.floats(0.002, 0.05), st.floats(60, 99), st.booleans())
def test_a_tick_is_off_by_half_a_gap_at_most(pct_s: float, start: float, rounded: bool) -> None:
    """T13."""
    got = ticks(made(ridden(800, pct_s, start, rounded)))
    assert got.schema == TICKS
    for at, level in got.select("at", "level_pct").iter_rows():
        true = start - pct_s * (at - moment(0)).total_seconds() + (0.5 if rounded else 0.0)
        assert abs(true - level) <= pct_s * EVERY_S / 2 + 1e-9


def test_the_count_of_steps_is_without_bias_over_any_phase() -> None:
    """T13."""
    chance, errors = Random(1), []
    for _ in range(4000):
        start, part = chance.uniform(50, 60), chance.uniform(0, 9)
        errors.append(math.floor(start) - math.floor(start - part) - part)
    assert abs(sum(errors) / len(errors)) < 4 * math.sqrt(1 / 6 / len(errors))
    assert sum(abs(error) <= 0.776 for error in errors) / len(errors) == pytest.approx(0.95, abs=0.01)


def test_several_steps_in_one_gap_are_one_tick_in_their_middle() -> None:
    got = ticks(made([(0, 60, 0), (900, 57, 3000), (1800, 57, 3000)]))
    assert got.select("level_pct", "rising").rows() == [(59.0, False)]
    assert got["sd_s"].item() == pytest.approx(900 / math.sqrt(12))


def test_a_rebound_is_no_tick_and_the_first_crossing_holds() -> None:
    told = [(0, 60, 0), (10, 59, 0), (20, 59, 0), (3000, 60, 0), (3010, 60, 0), (4000, 59, 0), (4010, 59, 0)]
    got = ticks(made([*told, (5000, 58, 0), (5010, 58, 0)]))
    assert got.select("at", "level_pct").rows() == [(moment(5), 60.0), (moment(4505), 59.0)]


def test_a_step_that_is_gone_at_the_next_reading_is_no_tick() -> None:
    assert ticks(made([(0, 60, 0), (10, 59, 0), (20, 60, 0), (30, 60, 0)])).height == 0


def test_a_last_step_is_none_before_a_second_reading_says_so() -> None:
    assert ticks(made([(0, 60, 0), (10, 59, 0)])).height == 0
    assert ticks(made([(0, 60, 0), (10, 59, 0), (20, 59, 0)])).height == 1


def test_a_charge_rises_through_levels() -> None:
    got = ticks(made([(at * 60, 50 + at // 3, 0) for at in range(30)]))
    assert got["rising"].all()
    assert got["level_pct"].to_list() == list(range(51, 60))


def test_another_pack_is_a_leap_and_no_tick() -> None:
    rows = made([(0, 20, 0), (10, 19, 0), (20, 19, 0), (30, 97, 0), (40, 97, 0), (50, 96, 0), (60, 96, 0)])
    assert ticks(rows)["level_pct"].to_list() == [20.0, 97.0]
    assert leaps(rows).select("since", "at", "was_pct", "soc_pct").rows() == [(moment(20), moment(30), 19.0, 97.0)]


def test_a_pack_taken_out_while_parked_is_a_leap() -> None:
    rows = made([(0, 28, 500), (900, 0, 500), (1800, 98, 500)])
    assert ticks(rows).height == 0
    assert leaps(rows)["soc_pct"].to_list() == [0.0, 98.0]
    assert leaps(made([(0, 28, 500), (900, 18, 5500)])).height == 0  # ridden, it may be


def test_what_rises_slowly_is_a_charge_only_where_it_is_charged() -> None:
    rows = made([(0, 20, 0), (1800, 40, 0), (3600, 40, 0)])
    for charging, found in ((True, 0), (False, 1)):
        assert leaps(rows.with_columns(charging=pl.lit(charging))).height == found
        assert ticks(rows.with_columns(charging=pl.lit(charging))).height == 1 - found


def test_a_swap_that_the_percent_hides_is_told_by_the_list_of_swaps() -> None:
    rows = made([(0, 90, 0), (10, 90, 0), (900, 92, 0)])
    swap = pl.DataFrame({"provider": ["p"], "vehicle": ["a"], "at": [moment(500)]})
    swap = swap.cast({"at": pl.Datetime("ms", "UTC")})
    assert leaps(rows).height == 0
    assert leaps(rows, swap)["at"].to_list() == [moment(900)]


def test_between_ticks_the_charge_follows_the_way() -> None:
    told = [(at, 60 if at <= 100 else 59 if at <= 300 else 58, 10.0 * min(at, 200)) for at in range(0, 500, 10)]
    rows = made([(float(at), float(pct), way) for at, pct, way in told], unlocked=(0, 500))
    at = pl.DataFrame({"provider": ["p"], "vehicle": ["a"], "at": [moment(200)]})
    got = soc_at(soc_path(rows), at.cast({"at": pl.Datetime("ms", "UTC")}))
    assert got["pct"].item() == pytest.approx(59.1, abs=0.1)  # half of the time, nine tenths of the way
    assert got["sd_pct"].item() < 0.1 + 0.3 * 0.3


def test_where_no_tick_is_near_the_whole_percent_tells() -> None:
    rows = made([(0, 60, 0), (900, 60, 0)])
    at = pl.DataFrame({"provider": ["p"] * 2, "vehicle": ["a"] * 2, "at": [moment(300), moment(-5)]})
    got = soc_at(soc_path(rows), at.cast({"at": pl.Datetime("ms", "UTC")}))
    assert got["pct"].to_list() == [60.5, None]
    assert got["sd_pct"].to_list() == [pytest.approx(0.289, abs=0.001), None]


def test_vehicles_do_not_touch_each_other() -> None:
    one, other = made(ridden(600, 0.01, 80)), made(ridden(600, 0.013, 95), vehicle="b")
    assert ticks(pl.concat([one, other])).equals(pl.concat([ticks(one), ticks(other)]))


def test_a_percent_with_decimals_is_taken_as_it_is() -> None:
    told = [(0, 100.0, 0), (60, 99.8, 1000), (120, 99.6, 2000), (180, 98.0, 9000), (240, 98.0, 9000)]
    rows = made(told)
    at = pl.DataFrame({"provider": ["p"] * 4, "vehicle": ["a"] * 4, "at": [moment(each) for each in (0, 60, 150, 240)]})
    got = soc_at(soc_path(rows), at.cast({"at": pl.Datetime("ms", "UTC")}))
    assert got["pct"].to_list() == pytest.approx([100.0, 99.8, 98.8, 98.0], abs=0.01)


def test_a_charge_that_the_vehicle_reports_is_no_leap_however_fast() -> None:
    rows = made([(0, 14, 0), (300, 30, 0), (600, 46, 0)])
    assert leaps(rows.with_columns(charging=pl.lit(True))).height == 0
    assert leaps(rows).height == 2


def test_a_percent_regained_on_the_way_down_is_no_leap() -> None:
    rows = made([(0, 60, 0), (900, 64, 15_000)]).with_columns(charging=pl.lit(False))
    assert leaps(rows).height == 0
