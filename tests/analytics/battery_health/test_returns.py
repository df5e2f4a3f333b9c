"""Packs that come back to a vehicle are known again by their cycles, where those of the model tell packs apart."""

import random
from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.battery_health.returns import SAME, packs_return, with_packs
from logger.tables import TIME
from tests.analytics.hand import AT

DAY = timedelta(days=1)
_SCHEMA: dict[str, Any] = {
    **dict.fromkeys(("provider", "vehicle", "model", "stint_id"), pl.String()),
    "since": TIME, "first_cycles": pl.Int64(), "last_cycles": pl.Int64(),
}  # fmt: skip


def stints(*counts: tuple[int | None, int | None], every: timedelta = DAY, vehicle: str = "a") -> pl.DataFrame:
    """Stints with these counts of cycles when they began and ended."""
    rows = [
        ("p", vehicle, "moped", f"{vehicle}{place}", AT + place * every, first, last)
        for place, (first, last) in enumerate(counts)
    ]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def packs(of: pl.DataFrame, sure: float | None = 1.0) -> list[int]:
    named = with_packs(of.with_columns(packs_return=pl.lit(sure, pl.Float64())))
    assert named.drop("pack", "packs_return").equals(of)
    first: dict[int, int] = {}
    return [first.setdefault(pack, place) for place, pack in enumerate(named["pack"])]


def test_a_pack_comes_back_with_the_cycles_that_it_left_with_or_one_more() -> None:
    assert packs(stints((200, 202), (77, 79), (203, 205), (79, 81), (205, 206), (78, 79))) == [0, 1, 0, 1, 0, 5]


def test_of_packs_with_the_same_cycles_the_one_that_was_in_last_came_back() -> None:
    assert packs(stints((200, 202), (150, 202), (202, 203))) == [0, 1, 1]


def test_a_pack_that_has_come_back_cannot_come_back_as_it_was_before() -> None:
    assert packs(stints((100, 102), (102, 110), (102, 103))) == [0, 0, 2]
    assert packs(stints((100, 102), (50, 102), (102, 110), (102, 103), (110, 111))) == [0, 1, 1, 0, 1]


def test_a_pack_that_was_away_for_two_months_is_not_known_again() -> None:
    assert packs(stints((200, 202), (203, 205), every=60 * DAY)) == [0, 0]
    assert packs(stints((200, 202), (203, 205), every=61 * DAY)) == [0, 1]


@pytest.mark.parametrize("sure", [None, 0.0, SAME - 0.01])
def test_packs_are_only_the_same_where_counts_tell_them_apart(sure: float | None) -> None:
    assert packs(stints((200, 202), (77, 79), (203, 205)), sure) == [0, 1, 2]


def test_packs_whose_cycles_nobody_asked_are_others() -> None:
    assert packs(stints((200, 202), (None, None), (202, 203), (None, None))) == [0, 1, 0, 3]


def test_packs_of_one_vehicle_do_not_come_back_to_another() -> None:
    assert packs(pl.concat([stints((200, 202)), stints((202, 203), vehicle="b")])) == [0, 1]


def test_parts_of_a_stint_have_one_pack_and_are_no_pack_that_comes_back() -> None:
    parts = stints((200, 201), (201, 201), (201, 202), every=40 * DAY).with_columns(stint_id=pl.lit("a0"))
    assert packs(parts) == [0, 0, 0]
    assert packs_return(parts)["packs_return"].item() == 0


def test_a_pack_that_came_back_is_known_by_what_it_counted_when_it_left() -> None:
    """Its stint went on over two months."""
    long = stints((200, 201), (203, 210), every=40 * DAY).with_columns(stint_id=pl.lit("long"))
    after = stints((50, 51), (211, 212)).with_columns(pl.col("since") + 50 * DAY)
    assert packs(pl.concat([long, after])) == [0, 0, 2, 0]


def test_returning_packs_are_told_from_packs_that_agree_by_chance() -> None:
    chance = random.Random(3)
    strangers = [(count, count + 2) for count in (chance.randrange(100, 160) for _ in range(60))]
    family = [(100 * (n % 4) + 2 * (n // 4), 100 * (n % 4) + 2 * (n // 4) + 2) for n in range(60)]
    assert packs_return(stints(*strangers))["packs_return"].item() < 0.5
    assert packs_return(stints(*family))["packs_return"].item() == 1
    assert packs_return(stints((200, 201)))["packs_return"].item() == 0


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 2)), max_size=25))
def test_no_pack_counts_backwards_and_what_comes_later_changes_nothing(told: list[tuple[int, int]]) -> None:
    whole = stints(*((first, first + more) for first, more in told))
    found = packs(whole)
    for place in range(len(told)):
        assert packs(whole.head(place)) == found[:place]
    ends = whole.with_columns(pack=pl.Series(found, dtype=pl.Int64()))
    risen = ends.select((pl.col("first_cycles") - pl.col("last_cycles").shift(1).over("pack")).alias("by"))["by"]
    assert risen.drop_nulls().is_in([0, 1]).all()


def test_nothing_in_nothing_out() -> None:
    assert packs(stints()) == []
    assert packs_return(stints()).is_empty()
