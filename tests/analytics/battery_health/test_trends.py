"""A battery's fade and the months to 80 %: intervals hold what they promise, and what nobody can know has no end."""

import random
from datetime import UTC, datetime
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.battery_health.trends import TRENDS, fade, history, months_to_threshold, trends
from logger.tables import TIME, shaped

WHO = {"provider": "p", "vehicle": "v"}


def faded(years: float = 2.0, a_year: float = 6.0, sd: float = 1.0, seed: int = 1) -> list[tuple[float, float]]:
    """Percents month by month until now, of a battery that began at 100."""
    chance, count = random.Random(seed), round(12 * years)
    return [(-years + k / 12, 100 - a_year * k / 12 + chance.gauss(0, sd)) for k in range(count + 1)]


def test_a_battery_that_loses_six_percent_a_year_is_said_to() -> None:
    assert list(fade(faded(sd=0))) == pytest.approx([6, 6, 6])
    assert list(months_to_threshold(faded(sd=0))) == pytest.approx([16, 16, 16], abs=0.1)


def test_intervals_of_fade_and_of_months_hold_the_truth_nineteen_times_in_twenty() -> None:
    inside = {"fade": 0, "months": 0}
    for seed in range(600):
        told = faded(seed=seed)
        _, low, high = fade(told)
        first, _, last = months_to_threshold(told)
        inside["fade"] += (low or 0) <= 6 <= (high or 0)
        inside["months"] += (first or 0) <= 16 <= (last or 1e9)
    assert {name: 0.93 <= count / 600 <= 0.975 for name, count in inside.items()} == {"fade": True, "months": True}


def test_where_a_line_may_as_well_be_level_there_is_no_upper_end() -> None:
    low, _, high = months_to_threshold(faded(years=1, a_year=0.5, sd=3))
    assert high is None
    assert low
    assert months_to_threshold(faded(a_year=-1, sd=0.1))[1:] == (None, None)


def test_nothing_is_foretold_beyond_twice_the_time_that_was_seen() -> None:
    low, middle, high = months_to_threshold(faded(years=1, a_year=2, sd=0.01))
    assert (low, middle, high) == (24, None, None)


def test_a_battery_below_eighty_is_there_already() -> None:
    assert months_to_threshold(faded(years=2, a_year=15, sd=0.1))[:2] == (0, 0)


def test_a_level_that_errs_in_all_months_alike_makes_the_months_less_sure() -> None:
    narrow, wide = months_to_threshold(faded()), months_to_threshold(faded(), level_sd=2.5)
    assert (wide[0] or 0) < (narrow[0] or 0)


@given(st.integers(0, 10_000), st.floats(1.5, 4), st.floats(0, 12))
def test_a_lower_threshold_is_reached_no_earlier_and_outliers_do_not_turn_a_slope(
    seed: int, years: float, a_year: float
) -> None:
    told = faded(years, a_year, 0.5, seed)
    worse = [(x, y - 8 if place == len(told) // 2 else y) for place, (x, y) in enumerate(told)]
    assert fade(worse)[0] == pytest.approx(fade(told)[0] or 0, abs=1.0)
    higher = [(x, y + 3) for x, y in told]
    for sooner, later in zip(months_to_threshold(told), months_to_threshold(higher), strict=True):
        assert later is None or (sooner is not None and sooner <= later + 0.1)


# ---- of stints -----------------------------------------------------------------------------------------------------


def month(number: int) -> datetime:
    return datetime(2024 + number // 12, 1 + number % 12, 1, tzinfo=UTC)


def points(count: int, wh: float = 50_000, loss: float = 0.005, stint: str = "s") -> pl.DataFrame:
    """Rows of `battery_health` of so many months."""
    rows = [
        {**WHO, "time": month(k), "stint_id": stint, "method": "charge_energy", "capacity_wh": wh * (1 - loss * k)}
        for k in range(count)
    ]
    return shaped(pl.DataFrame(rows, schema_overrides={"time": TIME}), "battery_health")


def changes(*months: int) -> pl.DataFrame:
    at = pl.Series("at", [month(number) for number in months], TIME)
    return pl.DataFrame({"at": at}).with_columns(provider=pl.lit("p"), vehicle=pl.lit("v"))


def of(rows: pl.DataFrame, firmware: pl.DataFrame, new_wh: float | None = None, stint: str = "s") -> pl.DataFrame:
    last = rows["time"].max()
    asked = pl.DataFrame({**WHO, "since": [last], "stint_id": [stint]}, schema_overrides={"since": TIME})
    return trends(asked.with_columns(new_wh=pl.lit(new_wh, pl.Float64()), new_sd=pl.lit(0.0)), history(rows, firmware))


def test_a_trend_is_of_what_the_battery_held_at_first_where_nothing_better_is_known() -> None:
    got = of(points(24), changes()).row(0, named=True)
    assert got["first_wh"] == pytest.approx(50_000 * 0.995)
    assert got["fade_pct_per_year"] == pytest.approx(6, rel=0.01)
    sheet = of(points(24), changes(), new_wh=60_000.0).row(0, named=True)
    assert sheet["fade_pct_per_year"] == pytest.approx(5, rel=0.01)


def test_less_than_a_year_tells_no_trend_because_winter_looks_like_wear() -> None:
    got = of(points(11), changes()).row(0, named=True)
    assert got["fade_pct_per_year"] is got["months_to_80"] is got["months_to_80_low"] is None
    assert got["first_wh"] is not None


def test_a_change_of_the_firmware_begins_a_new_trend_and_its_first_word_does_not() -> None:
    assert of(points(24), changes(0)).row(0, named=True)["fade_pct_per_year"] is not None
    assert of(points(24), changes(0, 20)).row(0, named=True)["fade_pct_per_year"] is None
    assert of(points(30), changes(0, 4)).row(0, named=True)["fade_pct_per_year"] == pytest.approx(6, rel=0.05)


def test_a_pack_of_another_stint_tells_nothing_of_this_one() -> None:
    assert of(points(24), changes(), stint="other").is_empty()
    assert of(points(24), changes()).schema == TRENDS


def test_what_comes_later_changes_no_trend_of_before() -> None:
    early = of(points(20), changes())
    both = pl.concat([points(20), points(30, loss=0.02).slice(20)])
    asked = pl.DataFrame({**WHO, "since": [month(19)], "stint_id": ["s"]}, schema_overrides={"since": TIME})
    later = trends(asked.with_columns(new_wh=pl.lit(None, pl.Float64()), new_sd=pl.lit(0.0)), history(both, changes()))
    assert early.equals(later)
    assert all(a <= b for a, b in pairwise(both["time"]))


def test_charges_and_trips_that_measure_otherwise_are_no_wear() -> None:
    """Each errs in its own way: a trend is of the method that tells of most months."""
    trips = points(24, wh=46_000, loss=0).filter(pl.int_range(pl.len()) % 3 == 0)
    both = pl.concat([points(24), trips.with_columns(method=pl.lit("ride_energy"))])
    assert of(both, changes()).equals(of(points(24), changes()))


def test_what_is_kept_is_told_across_no_change_of_the_firmware() -> None:
    assert of(points(24), changes(0)).row(0, named=True)["share_left"] == pytest.approx(0.885 / 0.995, rel=0.005)
    assert of(points(24), changes(0, 5)).row(0, named=True)["share_left"] is None
