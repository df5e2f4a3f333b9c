"""Spells between swaps: packs have no number but their cycles; what was ridden is neither lost nor counted twice."""

import random
from collections.abc import Mapping
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.battery_health.calibration import EVEN
from analytics.battery_health.spells import measured, numbered, returning, spells
from logger.tables import TIME, shaped
from tests.analytics.hand import at

DAY = 1440.0  # minutes
Row = Mapping[str, Any]
SUMS = ("km", "blind_km", "drag", "rush", "used_pct", "tilted_pct", "polled_km", "polled_wh", "motor_km", "motor_wh")


def stretches(*told: Row, vehicle: str = "a") -> pl.DataFrame:
    """Rows of `stretches` by `minute` of the story, which begins on the second of March; what is not told is 0."""
    made = [
        {"provider": "segway", "vehicle": vehicle, "time": at(row["minute"]), "swapped": False}
        | dict.fromkeys(SUMS, 0.0)
        | {name: value for name, value in row.items() if name != "minute"}
        for row in told
    ]
    return shaped(pl.DataFrame(made, infer_schema_length=None), "stretches")


def asked(minute: float, first: int, last: int, swapped: bool = False) -> Row:
    """A stretch of one port, with its cycles when it began and ended."""
    cycles = {"first_low": first, "first_high": first, "last_low": last, "last_high": last}
    return {"minute": minute, "swapped": swapped, "ports": 1, **cycles}


def counted(*told: tuple[int, int], every: float = 60) -> pl.DataFrame:
    """Spells of one port, an hour each, of (cycles at its begin, at its end)."""
    rows = (asked(every * place, first, last, swapped=True) for place, (first, last) in enumerate(told, 1))
    return spells(stretches(*rows)).with_columns(known=pl.lit(True), model=pl.lit("moped"))


def packs(of: pl.DataFrame, known: bool = True) -> list[int]:
    return numbered(of.with_columns(known=pl.lit(known)))["pack"].to_list()


@st.composite
def stories(draw: st.DrawFn) -> pl.DataFrame:
    """Stretches of a vehicle over months, with swaps among packs of a few cycles, which not everybody asked."""
    rows, cycles = [], st.sampled_from([None, 100, 100, 101, 102, 103])
    for day in sorted(draw(st.sets(st.integers(20, 80), min_size=1, max_size=12))):
        for minute in draw(st.sampled_from([(0,), (300,), (0, 300)])):  # it begins with the day, or with a swap
            first = draw(cycles)
            row = {} if first is None else asked(0, first, first + draw(st.integers(0, 2)))
            swapped = minute > 0 or draw(st.booleans())
            sums = {name: draw(st.integers(0, 9)) for name in SUMS}
            rows.append({**row, "minute": day * DAY + minute, "swapped": swapped, **sums})
    return stretches(*rows)


# ---- what a spell is -----------------------------------------------------------------------------------------------


def test_a_swap_ends_one_spell_and_begins_the_next() -> None:
    told = (asked(0, 200, 201), asked(DAY, 201, 202), asked(DAY + 300, 77, 78, swapped=True), asked(2 * DAY, 78, 79))
    got = spells(stretches(*told))
    assert got["since"].to_list() == [at(-DAY), at(DAY + 300)]
    assert got["spell"].to_list() == [0, 1]
    assert got.select("first_low", "last_low", "cycles").rows() == [(200, 202, 201.0), (77, 79, 78.0)]


def test_two_packs_make_one_spell_until_either_is_changed() -> None:
    ports = {"ports": 2, "first_low": 50, "last_low": 50}
    old = {"minute": 0, **ports, "first_high": 90, "last_high": 91}
    new = {"minute": 300, "swapped": True, **ports, "first_high": 300, "last_high": 300}
    got = spells(stretches(old, new))
    assert got["ports"].to_list() == [2, 2]
    assert got.select("first_low", "first_high").rows() == [(50, 90), (50, 300)]


def test_a_vehicle_whose_packs_nobody_asked_has_spells_without_cycles() -> None:
    got = spells(stretches({"minute": 0, "km": 3.0}))
    assert got.select("since", "ports", "cycles", "km").rows() == [(at(-DAY), None, None, 3.0)]


def test_a_spell_that_was_asked_late_has_the_cycles_of_then() -> None:
    got = spells(stretches({"minute": 0, "swapped": True}, asked(DAY, 5, 6), {"minute": 2 * DAY}))
    assert got.select("ports", "first_low", "last_high", "cycles").rows() == [(1, 5, 6, 5.5)]


def test_a_spell_is_cut_where_months_begin() -> None:
    told = (asked(300, 200, 201, swapped=True), asked(40 * DAY, 203, 204), asked(80 * DAY, 206, 207))
    got = spells(stretches(*told))
    assert got["since"].to_list() == [at(300), at(30 * DAY), at(60 * DAY)]  # March, April, May
    assert got["month"].to_list() == [at(-DAY), at(30 * DAY), at(60 * DAY)]
    assert got["spell"].n_unique() == 1
    assert got["cycles"].to_list() == [200.5, 203.5, 206.5]


def test_spells_of_one_vehicle_are_not_those_of_another() -> None:
    one, two = (stretches(asked(0, 5, 5), asked(300, 9, 9, swapped=True), vehicle=name) for name in ("a", "b"))
    both = spells(pl.concat([two, one]))
    assert both.equals(pl.concat([spells(one), spells(two)]))
    assert numbered(both.with_columns(known=pl.lit(True)))["pack"].to_list() == [0, 1, 2, 3]


@given(stories())
def test_no_kilometre_is_lost_between_spells(told: pl.DataFrame) -> None:
    got = spells(told)
    assert got.select(pl.col(SUMS).sum()).equals(told.select(pl.col(SUMS).sum()))
    assert got.select("provider", "vehicle", "since").is_unique().all()


@settings(deadline=None)
@given(stories(), st.booleans())
def test_what_came_later_changes_no_earlier_part(told: pl.DataFrame, known: bool) -> None:
    whole = numbered(spells(told).with_columns(known=pl.lit(known)))
    for place, since in enumerate(whole["since"]):
        before = spells(told.filter(pl.col("time") < since)).with_columns(known=pl.lit(known))
        assert numbered(before).equals(whole.head(place))


# ---- packs that come back ------------------------------------------------------------------------------------------


def test_a_pack_comes_back_with_the_cycles_that_it_left_with_or_one_more() -> None:
    assert packs(counted((200, 202), (77, 79), (203, 205), (79, 81), (205, 206), (78, 79))) == [0, 1, 0, 1, 0, 5]


def test_of_packs_with_the_same_cycles_the_one_that_was_in_last_came_back() -> None:
    assert packs(counted((200, 202), (150, 202), (202, 203))) == [0, 1, 1]


def test_a_pack_that_has_come_back_cannot_come_back_as_it_was_before() -> None:
    assert packs(counted((100, 102), (102, 110), (102, 103))) == [0, 0, 2]
    assert packs(counted((100, 102), (50, 102), (102, 110), (102, 103), (110, 111))) == [0, 1, 1, 0, 1]


def test_packs_of_which_only_one_came_back_are_others() -> None:
    of = counted((200, 202), (77, 79), (202, 203))
    two = of.with_columns(first_high=pl.Series([300, 300, 301]), last_high=pl.Series([300, 300, 301]))
    assert packs(two) == [0, 1, 0]
    assert packs(two.with_columns(first_high=pl.Series([300, 300, 302]))) == [0, 1, 2]
    assert packs(of.with_columns(ports=pl.Series([1, 1, 2]))) == [0, 1, 2]


def test_a_pack_that_was_away_for_two_months_is_not_known_again() -> None:
    assert packs(counted((200, 202), (203, 205), every=60 * DAY)) == [0, 0]
    assert packs(counted((200, 202), (203, 205), every=61 * DAY)) == [0, 1]


def test_packs_are_only_told_to_be_the_same_where_that_is_sure() -> None:
    assert packs(counted((200, 202), (77, 79), (203, 205)), known=False) == [0, 1, 2]


@pytest.mark.parametrize("known", [True, False])
def test_a_part_after_a_months_beginning_has_the_pack_of_the_one_before(known: bool) -> None:
    told = (asked(300, 200, 201, swapped=True), {"minute": 40 * DAY}, asked(80 * DAY, 206, 207))
    swapped = (asked(81 * DAY, 50, 50, swapped=True), asked(82 * DAY, 207, 208, swapped=True))
    assert packs(spells(stretches(*told, *swapped)), known) == ([0, 0, 0, 3, 0] if known else [0, 0, 0, 3, 4])


def test_a_pack_that_came_back_is_the_same_in_all_months_that_it_stays() -> None:
    told = (asked(0, 200, 202), asked(300, 50, 50, swapped=True), asked(DAY, 203, 204, swapped=True))
    of = spells(stretches(*told, asked(40 * DAY, 220, 221), asked(80 * DAY, 240, 241)))
    assert packs(of) == [0, 1, 0, 0, 0]
    assert returning(of.with_columns(model=pl.lit("moped")))["same"].item() == 1


@given(stories(), st.booleans())
def test_the_parts_of_a_spell_have_one_pack(told: pl.DataFrame, known: bool) -> None:
    of = numbered(spells(told).with_columns(known=pl.lit(known)))
    assert of.group_by("spell").agg(pl.col("pack").n_unique())["pack"].max() == 1
    assert known or of["pack"].n_unique() == of["spell"].n_unique()


@settings(deadline=None)
@given(stories(), st.booleans())
def test_how_far_back_spells_are_told_changes_no_later_pack(told: pl.DataFrame, known: bool) -> None:
    whole = numbered(spells(told).with_columns(known=pl.lit(known)))
    for month in whole["month"].unique():
        late = numbered(spells(told.filter(pl.col("time") >= month)).with_columns(known=pl.lit(known)))
        one, two = (
            each.drop_nulls("cycles")["pack"].to_list() for each in (late, whole.filter(pl.col("month") >= month))
        )
        assert [one.index(pack) for pack in one] == [two.index(pack) for pack in two]


@given(stories())
def test_no_pack_is_charged_fewer_times_than_it_was(told: pl.DataFrame) -> None:
    of = numbered(spells(told).with_columns(known=pl.lit(True))).drop_nulls("cycles")
    ends = of.group_by("pack", "spell", maintain_order=True).agg(
        pl.col("first_low").first().alias("first"), pl.col("last_low").last().alias("last")
    )
    risen = ends.select((pl.col("first") - pl.col("last").shift(1).over("pack")).alias("by"))["by"]
    assert risen.drop_nulls().is_in([0, 1]).all()


def test_returning_packs_are_told_from_packs_that_agree_by_chance() -> None:
    chance = random.Random(3)
    strangers = [(count, count + 2) for count in (chance.randrange(100, 160) for _ in range(60))]
    family = [(100 * (n % 4) + 2 * (n // 4), 100 * (n % 4) + 2 * (n // 4) + 2) for n in range(60)]
    assert returning(counted(*strangers))["same"].item() < 0.5
    assert returning(counted(*family))["same"].item() == 1
    assert returning(counted((200, 201)))["same"].item() == 0


def test_a_month_that_begins_is_no_pack_that_comes_back() -> None:
    of = spells(stretches(asked(300, 200, 201, swapped=True), asked(40 * DAY, 201, 201), asked(80 * DAY, 201, 202)))
    assert of.height == 3
    assert returning(of.with_columns(model=pl.lit("moped")))["same"].item() == 0


# ---- in the terms of the model -------------------------------------------------------------------------------------

UNKNOWN: Mapping[str, float | str | None] = dict.fromkeys(("percent_slope", "motor_power_sign", *EVEN))
EFFORT = {"even_km": 0.5, "even_drag": 0.3, "even_rush": 0.1}


def of_model(row: Row, **known: float | str) -> tuple[float, ...]:
    """(km, used_pct, seen_km, seen_wh) of a spell of one stretch, with what is known of its model."""
    types = {name: pl.String() if name == "motor_power_sign" else pl.Float64() for name in UNKNOWN}
    told = [pl.lit(value, types[name]).alias(name) for name, value in {**UNKNOWN, **known}.items()]
    spell = spells(stretches({"minute": 0, **row})).with_columns(told)
    return measured(spell).select("km", "used_pct", "seen_km", "seen_wh").row(0)


def test_percents_are_counted_as_they_are_worth_at_fifty() -> None:
    used = {"used_pct": 10.0, "tilted_pct": 5.0}  # at 75 %
    assert of_model(used, percent_slope=0.1)[1] == pytest.approx(10.5)
    assert of_model(used)[1] == 10


def test_ways_are_even_where_it_is_known_how_they_were_ridden_and_what_that_takes() -> None:
    ridden = {"km": 8.0, "drag": 10.0, "rush": 20.0, "blind_km": 3.0}
    assert of_model(ridden, **EFFORT)[0] == pytest.approx(8 * 0.5 + 10 * 0.3 + 20 * 0.1 + 3)
    assert of_model(ridden)[0] == 11


def test_the_way_of_polls_is_as_even_as_that_of_all_rides() -> None:
    ridden = {"km": 8.0, "drag": 10.0, "rush": 40.0, "blind_km": 3.0, "polled_km": 5.5, "polled_wh": 170.0}
    assert of_model(ridden, **EFFORT)[2:] == pytest.approx((5.5 * 14 / 11, 170))
    assert of_model({"polled_km": 5.5, "polled_wh": 170.0}, **EFFORT)[2:] == (5.5, 170)


def test_power_of_the_battery_counts_before_that_of_the_motor() -> None:
    both = {"polled_km": 4.0, "polled_wh": 120.0, "motor_km": 9.0, "motor_wh": 300.0}
    assert of_model(both, motor_power_sign="discharge_positive")[2:] == (4, 120)
    motor = {**both, "polled_km": 0.0, "polled_wh": 0.0}
    assert of_model(motor, motor_power_sign="discharge_positive")[2:] == (9, 300)


def test_power_of_the_motor_counts_with_its_sign_and_not_where_nobody_knows_it() -> None:
    motor = {"motor_km": 9.0, "motor_wh": -300.0}
    assert of_model(motor, motor_power_sign="charge_positive")[2:] == (9, 300)
    assert of_model(motor)[2:] == (0, 0)


def test_nothing_in_nothing_out() -> None:
    none = spells(stretches({"minute": 0}).clear())
    assert none.is_empty()
    assert numbered(none.with_columns(known=pl.lit(True))).is_empty()
    assert returning(none.with_columns(model=pl.lit("moped"))).is_empty()
    assert none["since"].dtype == TIME
