"""What a ride used of the charge is known to a fraction of a percent, and never said to be nothing."""

import math

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.observations.soc_at import soc_path
from analytics.observations.soc_used import BMS_SD_PCT, used
from tests.analytics.readings_made import EVERY_S, made, ridden, span


def used_in(
    rows: pl.DataFrame, spans: pl.DataFrame, swaps: pl.DataFrame | None = None, bms_sd_pct: float = BMS_SD_PCT
) -> pl.DataFrame:
    return used(soc_path(rows, swaps, spans), spans, swaps, bms_sd_pct)


@settings(deadline=None, max_examples=60)
@given(st.floats(0.006, 0.02), st.floats(80, 99), st.integers(200, 300), st.integers(400, 600), st.booleans())
def test_what_a_ride_used_is_known_far_below_a_percent(
    pct_s: float, start: float, first: int, last: int, rounded: bool
) -> None:
    rows = made(ridden(1000, pct_s, start, rounded), unlocked=(0, 1000))
    got = used_in(rows, span(first, last), bms_sd_pct=0.0)
    ends = (
        3 * EVERY_S
    )  # it begins and ends in full motion, as no ride does: all way of both intervals is its; and each tick
    # lies up to half an interval from where it is put
    assert got["soc_used_pct"].item() == pytest.approx((last - first) * pct_s, abs=pct_s * ends + 1e-6)
    assert got["swaps"].item() == 0


def test_ends_between_the_same_two_ticks_err_together() -> None:
    rows = made(ridden(1000, 0.006, 90.0), unlocked=(0, 1000))
    inside, across = (used_in(rows, span(first, last), bms_sd_pct=0.0) for first, last in ((400, 410), (400, 680)))
    assert inside["soc_used_pct"].item() == pytest.approx(0.06, abs=0.01)
    assert inside["soc_used_sd_pct"].item() < 0.75 * across["soc_used_sd_pct"].item()


def test_a_swap_within_a_ride_splits_what_it_used_and_brings_nothing() -> None:
    one = [(float(at), float(math.floor(30.5 - at * 0.01)), 10.0 * at) for at in range(0, 500, 10)]
    two = [(float(at), float(math.floor(103.5 - at * 0.01)), 10.0 * at) for at in range(500, 1000, 10)]
    rows = made(one + two, unlocked=(0, 1000))
    got = used_in(rows, span(100, 900))
    assert got["swaps"].item() == 1
    assert got["soc_used_pct"].item() == pytest.approx(8, abs=0.5)
    assert got["soc_used_low_pct"].item() < 8 < got["soc_used_high_pct"].item()


def test_a_ride_within_a_gap_has_all_of_its_way() -> None:
    """Before it and after it the moped stood: what lies between is the ride's, wherever in the gap it is placed."""
    before = [(float(at), float(math.floor(90.95 - at * 0.01)), 10.0 * at) for at in range(0, 600, 10)]
    after = [(3600.0 + at, float(math.floor(74.95 - at * 0.01)), 16_000 + 10.0 * at) for at in range(0, 600, 10)]
    rows = made([*before, *after])
    for first, last in ((600, 1600), (1800, 2800), (2590, 3590)):
        got = used_in(rows, span(first, last))
        assert got["soc_used_pct"].item() == pytest.approx(10, abs=0.6)


def test_a_swap_hidden_in_a_long_way_leaves_unknown_what_was_used() -> None:
    rows = made([(0, 50, 0), (10, 50, 100), (1500, 98, 8000), (1510, 98, 8100)], unlocked=(0, 1600))
    assert used_in(rows, span(0, 1510))["soc_used_pct"].item() is None
    near = made([(0, 50, 0), (10, 50, 100), (1500, 98, 300), (1510, 98, 400)], unlocked=(0, 1600))
    assert used_in(near, span(0, 1510))["soc_used_pct"].item() is not None


def test_a_ride_without_a_step_used_no_exact_nothing() -> None:
    path = soc_path(made([(0, 60, 0), (10, 60, 5), (200, 60, 900)]))
    got = used(msgspec.structs.replace(path, marks=path.marks.clear()), span(10, 200), bms_sd_pct=0.0)
    assert got["soc_used_low_pct"].item() == 0
    assert got["soc_used_high_pct"].item() >= 0.776
    assert 0 < got["soc_used_pct"].item() < 0.776


def test_a_ride_without_a_percent_is_not_known() -> None:
    rows = made([(0, None, 0), (10, None, 50), (200, None, 900)])
    got = used_in(rows, span(10, 200))
    assert got.select("soc_used_pct", "soc_used_low_pct", "soc_used_high_pct").row(0) == (None, None, None)


def test_vehicles_do_not_touch_each_other() -> None:
    one = made(ridden(600, 0.01, 80))
    other = made(ridden(600, 0.013, 95), vehicle="b")
    both = pl.concat([one, other])
    spans = pl.concat([span(200, 400, "b"), span(200, 400)])
    alone = [used_in(rows, each) for rows, each in ((other, spans[:1]), (one, spans[1:]))]
    assert used_in(both, spans).equals(pl.concat(alone))


def test_only_what_is_listed_as_a_swap_counts_as_one() -> None:
    rows = made([(0, 14, 0), (600, 14, 100), (1500, 79, 200), (2100, 78, 900)])
    none = pl.DataFrame(schema={"provider": pl.String(), "vehicle": pl.String(), "at": rows.schema["at"]})
    assert used_in(rows, span(0, 2100), none)["swaps"].item() == 0
    assert used_in(rows, span(0, 2100))["swaps"].item() == 1
