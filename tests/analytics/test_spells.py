"""Spells between swaps: packs have no number but their cycles; what was ridden is neither lost nor counted twice."""

import random
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.spells import SPELLS, numbered, polled, returning, ridden, spells
from analytics.tables import BATTERIES, PACKS, READINGS, SWAPS
from logger.tables import TIME
from tests.analytics.hand import at, rows

SOME = rows(READINGS, {"minute": 0.0}, {"minute": 900.0})
NO_SWAPS = pl.DataFrame(schema=SWAPS)


KNOWN = pl.DataFrame({"provider": ["segway"], "vehicle": ["a"], "capacity_wh": [1440.0], "percent_slope": [0.1]})
KNOWN = KNOWN.with_columns(motor_power_sign=pl.lit(None, pl.String()))


def polls(*told: tuple[float, str, int]) -> pl.DataFrame:
    """Of (minute, port, cycles)."""
    return rows(PACKS, *({"minute": minute, "port": port, "pack_cycles": cycles} for minute, port, cycles in told))


def trips(*told: tuple[float, float, float, int]) -> pl.DataFrame:
    """Of (minute, km, percent used, swaps on the way), ten minutes each."""
    made = [
        {
            "provider": "segway", "vehicle": "a", "kind": "observed", "started_at": at(minute),
            "finished_at": at(minute + 10), "distance_m": 1000 * km, "soc_used_pct": pct, "soc_mean_pct": 50.0,
            "swaps": n,
        }
        for minute, km, pct, n in told
    ]  # fmt: skip
    times = {name: pl.Datetime("ms", "UTC") for name in ("started_at", "finished_at")}
    return pl.DataFrame(made, schema_overrides=times)


def counted(*told: tuple[int, int], known: bool = True) -> pl.DataFrame:
    """Spells of one port, an hour each, of (cycles at its begin, at its end)."""
    made: list[dict[str, Any]] = [
        {
            "provider": "segway", "vehicle": "a", "begun_at": at(60 * place), "ports": 1, "first_low": first,
            "first_high": first, "last_low": last, "last_high": last, "cycles": (first + last) / 2,
        }
        for place, (first, last) in enumerate(told)
    ]  # fmt: skip
    return pl.DataFrame(made, schema=SPELLS).with_columns(known=pl.lit(known), model=pl.lit("moped"))


def test_a_swap_ends_one_spell_and_begins_the_next() -> None:
    cells = polls((10, "1", 200), (290, "1", 201), (320, "1", 77), (800, "1", 79))
    swap = rows(SWAPS, {"minute": 300.0, "port": "1"})
    got = spells(cells, swap, SOME)
    assert got["begun_at"].to_list() == [at(0), at(300)]
    assert got["cycles"].to_list() == [200.5, 78.0]
    assert got.select("first_low", "last_low").rows() == [(200, 201), (77, 79)]


def test_two_packs_make_one_spell_until_either_is_changed() -> None:
    cells = polls((10, "1", 50), (10, "2", 90), (310, "1", 50), (310, "2", 300))
    got = spells(cells, rows(SWAPS, {"minute": 300.0, "port": "2"}), SOME)
    assert got["ports"].to_list() == [2, 2]
    assert got.select("first_low", "first_high").rows() == [(50, 90), (50, 300)]


def test_a_vehicle_whose_packs_nobody_asked_has_spells_without_cycles() -> None:
    got = spells(pl.DataFrame(schema=PACKS), NO_SWAPS, SOME)
    assert got.select("begun_at", "cycles").rows() == [(at(0), None)]


def test_a_pack_comes_back_with_the_cycles_that_it_left_with_or_one_more() -> None:
    got = numbered(counted((200, 202), (77, 79), (203, 205), (79, 81), (205, 206), (78, 79)))
    assert got["pack"].to_list() == [0, 1, 0, 1, 0, 5]


def test_a_pack_that_was_away_for_two_months_is_not_known_again() -> None:
    away = counted((200, 202), (203, 205)).with_columns(pl.Series("begun_at", [at(0), at(61 * 1440)]).cast(TIME))
    assert numbered(away)["pack"].to_list() == [0, 1]


def test_packs_are_only_told_to_be_the_same_where_that_is_sure() -> None:
    got = numbered(counted((200, 202), (77, 79), (203, 205), known=False))
    assert got["pack"].n_unique() == 3


def test_returning_packs_are_told_from_packs_that_agree_by_chance() -> None:
    chance = random.Random(3)
    strangers = [(count, count + 2) for count in (chance.randrange(100, 160) for _ in range(60))]
    family = [(100 * (n % 4) + 2 * (n // 4), 100 * (n % 4) + 2 * (n // 4) + 2) for n in range(60)]
    assert returning(counted(*strangers))["same"].item() < 0.5
    assert returning(counted(*family))["same"].item() == 1
    assert returning(counted((200, 201)))["same"].item() == 0


def test_a_trip_belongs_to_the_spell_of_its_middle_and_one_with_a_swap_to_none() -> None:
    swap = rows(SWAPS, {"minute": 300.0, "port": "1"})
    got = ridden(
        trips((100, 4, 10, 0), (200, 2, 5, 0), (295, 3, 7, 1), (400, 1, 2, 0)), spells(polls(), swap, SOME), KNOWN
    )
    assert got.select("km", "used_pct").rows() == [(6, 15), (1, 2)]


def test_percents_are_counted_as_they_are_worth_at_fifty() -> None:
    ride = trips((100, 4, 10, 0)).with_columns(soc_mean_pct=pl.lit(75.0))
    assert ridden(ride, spells(polls(), NO_SWAPS, SOME), KNOWN)["used_pct"].item() == pytest.approx(10.5)


@given(st.lists(st.tuples(st.floats(0.1, 9), st.floats(0.1, 30)), min_size=1, max_size=20), st.sets(st.integers(1, 40)))
def test_no_kilometre_is_lost_between_spells(told: list[tuple[float, float]], swapped: set[int]) -> None:
    rides = trips(*((20 * place + 5, km, pct, 0) for place, (km, pct) in enumerate(told)))
    swaps = rows(SWAPS, *({"minute": 20.0 * minute, "port": "1"} for minute in swapped))
    got = ridden(rides, spells(polls(), swaps, SOME), KNOWN)
    assert got["km"].sum() == pytest.approx(sum(km for km, _ in told))
    assert got["used_pct"].sum() == pytest.approx(sum(pct for _, pct in told))


def asked(*told: tuple[float, float]) -> pl.DataFrame:
    """Answers of (minute, power used)."""
    return rows(BATTERIES, *({"minute": minute, "power_w": -watt} for minute, watt in told))


def moved(*told: tuple[float, float]) -> pl.DataFrame:
    """Intervals of half a minute that end at a minute, with their riding seconds."""
    schema = pl.Schema({**READINGS, "dt_s": pl.Float64(), "dr_s": pl.Float64()})
    return rows(schema, *({"minute": minute, "dt_s": 30.0, "dr_s": ridden_s} for minute, ridden_s in told))


def test_power_is_that_of_motion_for_the_riding_seconds_and_that_of_standing_for_the_rest() -> None:
    ride = trips((100, 4, 10, 0)).with_columns(riding_s=pl.lit(480.0))
    steps = moved((100.5, 0), (102.5, 30), (105.5, 28), (150.5, 30))
    got = polled(ride, steps, asked((100.2, 30.0), (102.3, 600.0), (105.1, 1000.0), (150.2, 5000.0)), KNOWN)
    assert got.select("polled_rides", "polled_km").row(0) == (1, 4)
    assert got["polled_wh"].item() == pytest.approx((800 * 480 + 30 * 120) / 3600)


def test_sums_of_power_of_parts_of_the_time_add_up() -> None:
    rides = trips((100, 4, 10, 0), (200, 2, 5, 0)).with_columns(riding_s=pl.lit(600.0))
    steps, answers = moved((101.5, 30), (203.5, 30)), asked((101.2, 600.0), (203.2, 300.0))
    parts = pl.concat([polled(rides.head(1), steps, answers, KNOWN), polled(rides.tail(1), steps, answers, KNOWN)])
    sums = pl.col("polled_rides", "polled_km", "polled_wh", "polled_square")
    assert parts.select(sums.sum()).row(0) == pytest.approx(polled(rides, steps, answers, KNOWN).select(sums).row(0))


def test_without_riding_seconds_a_ride_moved_all_the_time() -> None:
    ride = trips((100, 4, 10, 0)).with_columns(riding_s=pl.lit(None, pl.Float64()))
    steps = moved((101.5, 30)).with_columns(dr_s=pl.lit(None, pl.Float64()))
    assert polled(ride, steps, asked((101.2, 600.0)), KNOWN)["polled_wh"].item() == pytest.approx(100)


def test_a_ride_with_a_gap_and_one_asked_only_at_a_stand_tell_no_power() -> None:
    ride = trips((100, 4, 10, 0)).with_columns(riding_s=pl.lit(480.0))
    answers = asked((101.2, 600.0))
    assert polled(ride.with_columns(kind=pl.lit("bridged")), moved((101.5, 30)), answers, KNOWN).is_empty()
    assert polled(ride, moved((101.5, 0)), answers, KNOWN).is_empty()
