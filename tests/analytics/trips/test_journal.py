"""Trips of a vendor's journal beside ours."""

from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.schemas import JOURNAL
from analytics.trips.journal import compared, entries, matches, unmatched
from logger.tables import DERIVED, shaped, table
from tests.analytics.hand import at

Trip = tuple[float, float, float, float]  # begin and end [min], way [m], odometer at the start [m]


def ours(*told: Trip) -> pl.DataFrame:
    rows = [
        {"provider": "smart", "vehicle": "a", "started_at": at(begin), "finished_at": at(end), "distance_m": way,
         "start_odometer_m": start, "finish_odometer_m": start + way, "flags": ["outlier"] if way > 90_000 else None}
        for begin, end, way, start in told
    ]  # fmt: skip
    some = (
        pl.DataFrame(rows, schema_overrides={"flags": pl.List(pl.String)}) if rows else table("trips").schema.to_frame()
    )
    return shaped(some, "trips")


def theirs(*told: tuple[float, float | None, float | None, float | None], wh: float | None = 900.0) -> pl.DataFrame:
    """Entries; odometers in whole kilometres, as journals have them."""
    rows = [
        {"provider": "smart", "vehicle": "a", "time": at(begin), "finished_at": None if end is None else at(end),
         "distance_m": way, "energy_wh": wh, "start_odometer_m": start,
         "finish_odometer_m": None if start is None or way is None else start + round(way, -3)}
        for begin, end, way, start in told
    ]  # fmt: skip
    told_rows = pl.DataFrame(rows, infer_schema_length=None) if rows else table("journal").schema.to_frame()
    return entries(shaped(told_rows, "journal").lazy())


def flags(trips: pl.DataFrame, journal: pl.DataFrame) -> list[Any]:
    return compared(trips, matches(trips, journal))["flags"].to_list()


def test_an_entry_is_the_trip_with_which_it_shares_its_time() -> None:
    trips = ours((0, 20, 9000, 0), (40, 60, 9000, 9000))
    got = compared(trips, matches(trips, theirs((41, 61, 9100, None))))
    assert got["reported_wh"].to_list() == [None, 900]
    assert got["distance_m"].to_list() == [9000, 9000]
    assert got["flags"].to_list() == [None, None]


def test_a_journal_of_whole_minutes_is_understood() -> None:
    trips = ours((0.9, 2.2, 800, 0))
    assert matches(trips, theirs((0, 3, 800, None)))["trip_at"].to_list() == [at(0.9)]


def test_trips_that_touch_each_other_go_to_their_own_entries() -> None:
    trips = ours((0, 3, 900, 0), (3, 6, 900, 900), (6, 9, 900, 1800))
    got = matches(trips, theirs((0, 3, 900, None), (3, 6, 900, None), (6, 9, 900, None)))
    assert got["trip_at"].to_list() == [at(0), at(3), at(6)]


def test_where_times_differ_the_odometer_tells() -> None:
    trips = ours((100, 130, 20_300, 7_400), (200, 230, 5_000, 27_700))
    got = matches(trips, theirs((10, 40, 20_300, 7_000)))
    assert got["trip_at"].to_list() == [at(100)]
    assert matches(trips, theirs((10, 40, 20_300, None)))["trip_at"].to_list() == [None]
    assert matches(trips, theirs((10 - 1440, None, 20_300, 7_000)))["trip_at"].to_list() == [None]


def test_half_of_the_union_is_asked_for() -> None:
    trips = ours((0, 60, 9000, 0))
    assert matches(trips, theirs((0, 119, 9000, None)))["trip_at"].to_list() == [at(0)]
    assert matches(trips, theirs((0, 125, 9000, None)))["trip_at"].to_list() == [None]


def test_ways_that_differ_are_flagged_and_ours_stays() -> None:
    trips = ours((0, 20, 2000, 0), (40, 60, 100_000, 2000))
    near = theirs((0, 20, 2190, None), (40, 60, 104_900, None))
    assert flags(trips, near) == [None, ["outlier"]]
    far = theirs((0, 20, 2210, None), (40, 60, 94_900, None))
    assert flags(trips, far) == [["journal_differs"], ["journal_differs", "outlier"]]


def test_a_trip_is_missing_only_where_the_journal_told_before_and_after_it() -> None:
    trips = ours((0, 20, 2000, 0), (100, 120, 2000, 2000), (200, 220, 2000, 4000), (2000, 2020, 2000, 6000))
    journal = theirs((0, 20, 2000, None), (200, 220, 2000, None))
    assert flags(trips, journal) == [None, ["not_in_journal"], None, None]
    days_apart = theirs((0, 20, 2000, None), (5000, 5020, 2000, None))
    assert flags(ours((2500, 2520, 2000, 0)), days_apart) == [None]
    other = journal.with_columns(vehicle=pl.lit("b"))
    assert flags(trips, other) == [None] * 4


def test_an_entry_that_is_no_trip_of_ours_is_told() -> None:
    trips = ours((0, 20, 2000, 0))
    journal = theirs((0, 20, 2000, 5000), (60, 75, 12_340, 7000), (90, None, None, None))
    got = unmatched(matches(trips, journal))
    assert got.schema == DERIVED["episodes"].schema
    assert got.select("kind", "system", "code").unique().rows() == [("pipeline", "journal", "trip_unmatched")]
    assert got.select("text", "started_at", "finished_at", "odometer_m", "open").rows() == [
        ("a trip of 12.3 km in the journal alone", at(60), at(75), 7000, False),
        ("a trip in the journal alone", at(90), None, None, False),
    ]


def test_the_way_of_an_entry_is_that_of_its_odometer_where_it_tells_none() -> None:
    row = {"provider": "smart", "vehicle": "a", "time": at(0), "start_odometer_m": 5e3, "finish_odometer_m": 9e3}
    got = entries(shaped(pl.DataFrame([row]), "journal").lazy())
    assert got.schema == JOURNAL
    assert got["distance_m"].to_list() == [4000]


def test_without_a_journal_nothing_is_said() -> None:
    trips = ours((0, 20, 2000, 0))
    got = compared(trips, matches(trips, theirs().filter(False)))
    assert got.select("reported_wh", "flags").rows() == [(None, None)]


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(1, 60)), max_size=12),
    st.lists(st.tuples(st.integers(0, 400), st.integers(1, 60)), max_size=12),
    st.randoms(use_true_random=False),
)
def test_no_trip_and_no_entry_is_matched_twice_none_is_lost_and_order_does_not_matter(
    trips: list[tuple[int, int]], told: list[tuple[int, int]], random: Any
) -> None:
    mine = ours(*((begin, begin + long, 100.0 * long, 1000.0 * begin) for begin, long in dict(trips).items()))
    journal = theirs(*((begin, begin + long, 100.0 * long, None) for begin, long in dict(told).items()))
    got = matches(mine, journal)
    assert got.select(JOURNAL.names()).equals(journal)
    whose = got["trip_at"].drop_nulls()
    assert whose.n_unique() == len(whose)
    assert set(whose) <= set(mine["started_at"])
    assert unmatched(got).height + len(whose) == journal.height
    order = list(range(mine.height))
    random.shuffle(order)
    assert matches(mine[order], journal).equals(got)
