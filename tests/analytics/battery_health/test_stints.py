"""Stints between swaps: a pack is known as long as it provably stays, and what was ridden counts once."""

from collections.abc import Sequence

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.battery_health.ratios import KM_CV, Z
from analytics.battery_health.stints import bounds, stints
from logger.tables import TIME, table
from tests.analytics.battery_health.stints_made import (
    DAY,
    begun,
    charge,
    charges,
    polls,
    ride,
    rides,
    swapped,
)
from tests.analytics.hand import at

NO_SWAPS, NO_POLLS, NO_TRIPS = swapped(), polls(), rides()
_ENDS = ("port", "started_at", "finished_at")


def made(
    trips: pl.DataFrame, swaps: pl.DataFrame = NO_SWAPS, packs: pl.DataFrame = NO_POLLS, more: pl.DataFrame = NO_SWAPS
) -> pl.DataFrame:
    """Rows of `stints`; `more` are other charges."""
    return stints(bounds(swaps, packs, begun()), trips, pl.concat([swaps, more]), packs)


def ends(of: pl.DataFrame) -> list[tuple[object, ...]]:
    return of.select(_ENDS).rows()


# ---- where a stint begins and ends ---------------------------------------------------------------------------------


def test_a_swap_ends_a_stint_and_begins_the_next_and_what_lies_between_is_claimed_by_none() -> None:
    got = made(rides(ride(100, 1), ride(492, 2), ride(600, 4)), swapped(500, within=20))
    assert ends(got) == [("1", at(0), at(480)), ("1", at(500), None)]
    assert got["distance_m"].to_list() == [1000, 4000]
    assert got["end_reason"].to_list() == ["swap", None]


def test_a_swap_whose_port_nobody_knows_ends_the_stints_of_all_ports() -> None:
    both = pl.concat([swapped(500), swapped(900, port=None)])
    assert ends(bounds(both, polls((10, "1", 5), (10, "2", 9)), begun())) == [
        ("1", at(0), at(490)), ("1", at(500), at(890)), ("1", at(900), None), ("2", at(0), at(890)),
        ("2", at(900), None),
    ]  # fmt: skip


def test_a_car_has_one_stint_for_ever() -> None:
    got = made(rides(ride(100), ride(400 * DAY)))
    assert ends(got) == [(None, at(0), None)]
    assert got.select("end_reason", "distance_m").row(0) == (None, 8000)


def test_a_swap_without_a_port_in_a_vehicle_that_names_none_ends_its_stint() -> None:
    assert ends(made(NO_TRIPS, swapped(500, port=None))) == [(None, at(0), at(490)), (None, at(500), None)]


def test_a_port_that_only_swaps_tell_of_is_one() -> None:
    got = made(NO_TRIPS, swapped(500, port="2"), polls((10, "1", 5)))
    assert ends(got) == [("1", at(0), None), ("2", at(0), at(490)), ("2", at(500), None)]


def test_a_swap_that_may_have_been_before_the_first_pack_was_seen_leaves_it_no_time() -> None:
    got = bounds(swapped(500, within=20), NO_POLLS, begun(490))
    assert ends(got) == [("1", at(490), at(490)), ("1", at(500), None)]


def test_swaps_that_end_at_one_moment_begin_one_stint_and_the_longest_ends_the_one_before() -> None:
    both = pl.concat([swapped(500), swapped(500, port=None, within=40)])
    assert ends(bounds(both, NO_POLLS, begun())) == [("1", at(0), at(460)), ("1", at(500), None)]


def test_vehicles_have_their_own_stints() -> None:
    of = pl.concat([swapped(500), swapped(900, vehicle="b")])
    got = bounds(of, NO_POLLS, begun(0, "a", "b"))
    assert got.select("vehicle", "started_at").rows() == [("a", at(0)), ("a", at(500)), ("b", at(0)), ("b", at(900))]


_PORTS = st.sampled_from(["1", "2", None])
_SWAPS = st.lists(st.tuples(st.integers(1, 99), st.integers(1, 40), _PORTS), max_size=12)


@settings(deadline=None)
@given(_SWAPS)
def test_no_stint_crosses_a_swap_of_its_port_or_another_stint(told: Sequence[tuple[int, int, str | None]]) -> None:
    """T14, however long and within each other the times of swaps are."""
    swaps = some_swaps(told)
    spans = [(at(10.0 * (late - wide)), at(10.0 * late), port) for late, wide, port in told]
    for port, since, until in bounds(swaps, polls((0, "1", 5), (0, "2", 5)), begun(-900)).select(_ENDS).rows():
        mine = [(begin, end) for begin, end, of in spans if of in (None, port)]
        assert until is None or until >= since
        assert (until is None) == all(end <= since for _, end in mine)
        assert since == until or not any(end > since and (until is None or begin < until) for begin, end in mine)


def some_swaps(told: Sequence[tuple[int, int, str | None]]) -> pl.DataFrame:
    """Of (tens of minutes, how many of them it took at most, port)."""
    rows = [
        charge(10.0 * late, 60, kind="swap", port=port, started_at=at(10.0 * (late - wide)))
        for late, wide, port in told
    ]
    return charges(*rows)


# ---- what it is called, and what a pack counts ---------------------------------------------------------------------


def test_a_stint_keeps_its_name_whatever_is_told_later() -> None:
    early = made(rides(ride(100)), swapped(500), polls((10, "1", 200)))
    late = made(rides(ride(100), ride(600)), swapped(500, 900), polls((10, "1", 200), (700, "1", 90)))
    assert late["stint_id"].to_list()[:2] == early["stint_id"].to_list()
    assert late["stint_id"].is_unique().all()
    assert (late["time"] == late["started_at"]).all()


def test_names_of_vehicles_and_ports_with_slashes_are_not_mixed_up() -> None:
    one, two = (bounds(NO_SWAPS, polls((0, port, 5), vehicle=name), begun(0, name)) for name, port in _SLASHES)
    names = [stints(each, NO_TRIPS, NO_SWAPS, NO_POLLS)["stint_id"].item() for each in (one, two)]
    assert names[0] != names[1]


_SLASHES = (("a/1", "2"), ("a", "1/2"))


def test_cycles_are_the_first_and_the_last_that_the_pack_told_in_this_time() -> None:
    packs = polls((10, "1", 200), (400, "1", 202), (495, "1", 999), (600, "1", 77), (700, "1", None), (800, "1", 79))
    got = made(NO_TRIPS, swapped(500), packs)
    assert got.select("first_cycles", "last_cycles").rows() == [(200, 202), (77, 79)]


def test_a_pack_that_nobody_asked_has_no_cycles_and_each_port_has_its_own() -> None:
    got = made(rides(ride(100)), swapped(500, port="2"), polls((10, "1", 5), (20, "2", 90), (800, "1", 6)))
    assert got.select("port", "first_cycles", "last_cycles").rows() == [("1", 5, 6), ("2", 90, 90), ("2", None, None)]
    assert made(NO_TRIPS, NO_SWAPS, polls((10, None, 5)))["last_cycles"].to_list() == [5]


def test_full_cycles_are_half_of_what_fell_on_trips_and_rose_on_charges() -> None:
    more = charges(charge(300, 30), charge(800, 55), charge(900, -3))
    got = made(rides(ride(100, 4, 40), ride(600, 4, 25)), swapped(500), NO_POLLS, more)
    assert got["efc"].to_list() == pytest.approx([(40 + 30) / 200, (25 + 55) / 200])


# ---- what was ridden -----------------------------------------------------------------------------------------------


def test_kilometres_of_a_percent_are_a_ratio_of_sums_and_not_a_mean_of_ratios() -> None:
    got = made(rides(ride(100, 1, 4), ride(200, 6, 10)))
    assert got.select("km_per_pct", "soc_used_pct").row(0) == (7 / 14, 14)


def test_one_trip_is_as_unsure_as_trips_of_its_length_usually_are() -> None:
    low, value, high = made(rides(ride(100, 4, 8))).select("km_per_pct_low", "km_per_pct", "km_per_pct_high").row(0)
    assert (low, value, high) == pytest.approx((0.5 - Z * KM_CV / 4, 0.5, 0.5 + Z * KM_CV / 4))


def test_the_more_was_ridden_the_surer_it_is_and_the_more_trips_differ_the_less() -> None:
    few, many, apart = (
        made(rides(*(ride(100 + 20 * place, 4, pct) for place, pct in enumerate(used))))
        for used in ([10, 11], [10, 11] * 20, [5, 20] * 20)
    )
    wide = [(of["km_per_pct_high"] / of["km_per_pct"]).item() for of in (few, many, apart)]
    assert wide[1] < min(wide[0], wide[2])


def test_a_trip_with_a_swap_on_the_way_counts_its_metres_and_tells_nothing_of_a_pack() -> None:
    got = made(rides(ride(100, 4, 10), ride(470, 3, 90, swaps=1), ride(600, 1, 2)), swapped(490, within=5))
    assert got["distance_m"].to_list() == [7000, 1000]
    assert got["km_per_pct"].to_list() == [0.4, 0.5]


def test_a_stint_that_no_trip_tells_of_has_no_kilometres_of_a_percent() -> None:
    got = made(rides(ride(100, 4, None), ride(200, 0, 1), ride(300, 2, 9, swaps=1)))
    names = ("km_per_pct", "km_per_pct_low", "km_per_pct_high", "distance_m", "soc_used_pct")
    assert got.select(names).row(0) == (None, None, None, 6000, 10)
    assert made(NO_TRIPS, swapped(500)).select("distance_m", "efc").rows() == [(0, 0), (0, 0)]


def test_a_trip_belongs_to_the_stint_in_which_its_middle_lies() -> None:
    got = made(rides(ride(484, 1), ride(486, 2), ride(494, 4), ride(496, 8)), swapped(500))
    assert got["distance_m"].to_list() == [1000, 8000]


def test_what_two_packs_gave_together_counts_for_each_of_them() -> None:
    got = made(rides(ride(100, 1), ride(600, 2)), swapped(500, port="2"), polls((0, "1", 1), (0, "2", 1)))
    assert got.select("port", "distance_m").rows() == [("1", 3000), ("2", 1000), ("2", 2000)]


_RIDDEN = st.lists(st.tuples(st.floats(0.1, 9), st.floats(0.1, 30)), min_size=1, max_size=20)


@settings(deadline=None, max_examples=25)
@given(_RIDDEN, st.sets(st.integers(1, 60)))
def test_no_metre_is_lost_or_counted_twice_where_swaps_take_no_time(
    told: Sequence[tuple[float, float]], late: set[int]
) -> None:
    trips = rides(*(ride(77.0 * place, *each) for place, each in enumerate(told)))
    got = made(trips, swapped(*(26.0 * each for each in late), within=0))
    assert got["distance_m"].sum() == pytest.approx(1000 * sum(km for km, _ in told))
    assert got["soc_used_pct"].sum() == pytest.approx(sum(pct for _, pct in told))
    assert got.height == len(late) + 1


@settings(deadline=None, max_examples=25)
@given(_RIDDEN, _SWAPS)
def test_other_names_of_ports_do_not_change_what_is_told_of_packs(
    told: Sequence[tuple[float, float]], swaps: Sequence[tuple[int, int, str | None]]
) -> None:
    """T14."""
    trips = rides(*(ride(53.0 * place, *each) for place, each in enumerate(told)))
    of, packs = some_swaps(swaps), polls((0, "1", 5), (0, "2", 9), (700, "1", 6), (700, "2", 10))
    other = pl.col("port").replace({"1": "2", "2": "1"})
    names = ["started_at", "km_per_pct", "km_per_pct_low", "first_cycles", "efc"]
    one, two = made(trips, of, packs), made(trips, of.with_columns(other), packs.with_columns(other))
    assert one.select(names).sort(names).equals(two.select(names).sort(names))


def test_the_order_of_rows_does_not_matter() -> None:
    told = (
        rides(*(ride(50.0 * place, 0.1 + place, place + 0.7) for place in range(20))),
        swapped(500, 720),
        polls((10, "1", 200), (400, "1", 202), (600, "1", 77), (800, "1", 79)),
        charges(charge(300, 30), charge(800, 55)),
    )
    assert made(*told).equals(made(*(rows.reverse() for rows in told)))


def test_rows_are_those_of_the_table() -> None:
    assert made(rides(ride(100)), swapped(500)).schema == table("stints").schema
    none = bounds(NO_SWAPS, NO_POLLS, begun().clear())
    assert none["started_at"].dtype == TIME
    empty = stints(none, NO_TRIPS, NO_SWAPS, NO_POLLS)
    assert empty.is_empty()
    assert empty.schema == table("stints").schema
