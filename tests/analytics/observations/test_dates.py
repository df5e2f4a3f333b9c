"""Dates that never were: rows years from all others, and few against them, are set aside with their reason."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.observations.batteries import events
from analytics.observations.dates import (
    DAYS,
    SET_ASIDE,
    right_span,
    rows_by_day,
    set_aside,
    unsure,
    wrong_dates,
    years_apart,
)
from logger.tables import shaped
from tests.analytics.finding import timed

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE, DAY, WEEK = timedelta(minutes=1), timedelta(days=1), timedelta(weeks=1)
ROLLED_OVER = NOW - 1024 * WEEK
RIDE = [NOW + minute * MINUTE for minute in range(41)]


def dated(times: Iterable[datetime], vehicle: str = "a", via: str = "import") -> pl.DataFrame:
    """Rows of these dates, that a file held which was imported a month later."""
    made = [
        {"provider": "p", "vehicle": vehicle, "time": at, "received_at": NOW + 30 * DAY, "sequence": number, "via": via}
        | {"clock": "device", "odometer_m": 1000.0 + number, "lat_deg": 50.0, "lon_deg": 10.0}
        for number, at in enumerate(times, 1)
    ]
    return pl.DataFrame(made).cast({"time": pl.Datetime("ms", "UTC"), "received_at": pl.Datetime("ms", "UTC")})


def by_day(**rows: int) -> pl.DataFrame:
    """How many rows one vehicle has on the first of January of these years."""
    days = [(int(name.strip("_")), count) for name, count in rows.items()]
    made = [("p", "a", (date(year, 1, 1) - date(1970, 1, 1)).days, count) for year, count in days]
    return pl.DataFrame(made, schema=DAYS, orient="row")


def wrong_years(**rows: int) -> list[int]:
    return [begin.year for begin in wrong_dates(by_day(**rows))["begin"]]


@pytest.mark.parametrize("year", [1970, 1980, 2000, 2006, 2038, 2080])
def test_two_rows_years_from_three_thousand_are_wrong(year: int) -> None:
    assert wrong_years(**{f"_{year}": 2, "_2026": 3000}) == [year]


def test_every_date_of_these_is_wrong() -> None:
    assert wrong_years(_1970=3, _2000=5, _2006=2, _2026=3000, _2080=1) == [1970, 2000, 2006, 2080]


def test_a_log_with_a_pause_of_years_and_many_rows_on_both_sides_is_right() -> None:
    assert wrong_years(_2019=3000, _2021=500, _2026=100_000) == []


def test_a_week_polled_by_the_hour_five_years_ago_is_right_and_a_few_rows_are_not() -> None:
    assert wrong_years(_2021=168, _2026=100_000) == []
    assert wrong_years(_2021=80, _2026=100_000) == [2021]


def test_of_rows_twenty_years_back_many_are_wrong_too() -> None:
    assert wrong_years(_2006=50_000, _2026=100_000) == [2006]
    assert wrong_years(_2006=90_000, _2026=100_000) == []


def test_of_few_rows_in_every_year_none_is_against_the_others() -> None:
    assert wrong_years(_2015=1, _2017=1, _2020=2, _2026=3) == []


def test_what_lies_within_a_year_is_one_log() -> None:
    assert wrong_years(_2025=2, _2026=3000) == []
    assert wrong_years(_2024=2, _2025=2, _2026=3000) == []


def test_every_vehicle_has_a_log_of_its_own() -> None:
    both = pl.concat([by_day(_2006=2, _2026=300), by_day(_2006=2, _2007=2).with_columns(vehicle=pl.lit("b"))])
    assert wrong_dates(both).rows() == [("p", "a", datetime(2006, 1, 1, tzinfo=UTC), datetime(2006, 1, 2, tzinfo=UTC))]


# ---- rows ----------------------------------------------------------------------------------------------------------


def test_rows_of_a_wrong_date_are_no_readings_and_have_a_reason() -> None:
    rows = shaped(dated([*RIDE, ROLLED_OVER, ROLLED_OVER + MINUTE]), "status").lazy()
    got, why = timed(rows)
    assert got["at"].to_list() == RIDE
    assert why.select("time", "reason").sort("time").rows() == [
        (ROLLED_OVER, "wrong_date"),
        (ROLLED_OVER + MINUTE, "wrong_date"),
    ]


def test_nor_are_they_fixes_or_events() -> None:
    rows = dated([*RIDE, ROLLED_OVER])
    got, why = timed(shaped(rows, "location").lazy(), "location")
    assert (got["at"].to_list(), why["reason"].to_list()) == (RIDE, ["wrong_date"])
    assert events(shaped(rows, "event").lazy())["at"].to_list() == RIDE


def test_all_tables_together_tell_which_date_is_wrong() -> None:
    frames = {"status": dated(RIDE), "location": dated([ROLLED_OVER, ROLLED_OVER + MINUTE, *RIDE[:3]])}
    assert wrong_dates(years_apart({"location": frames["location"]})).is_empty()
    wrong = wrong_dates(years_apart(frames))
    assert wrong["begin"].to_list() == [ROLLED_OVER.replace(hour=0)]


def test_where_all_rows_lie_within_a_year_no_day_is_counted() -> None:
    assert years_apart({"status": dated(RIDE)}).is_empty()
    assert years_apart({"status": dated(RIDE).clear()}).is_empty()


def test_what_was_set_aside_is_told_by_table_beside_the_nearest_right_row() -> None:
    late = datetime(2080, 1, 1, tzinfo=UTC)
    frames = {
        "status": dated([*RIDE, ROLLED_OVER, ROLLED_OVER + 2 * DAY]),
        "location": dated([*RIDE[1:], ROLLED_OVER + DAY, late]),
    }
    got = set_aside(frames, wrong_dates(years_apart(frames)))
    assert got.schema == SET_ASIDE
    assert got.select("near_at", "table", "rows", "first_at", "last_at", "imported").rows() == [
        (RIDE[0], "location", 1, ROLLED_OVER + DAY, ROLLED_OVER + DAY, True),
        (RIDE[0], "status", 2, ROLLED_OVER, ROLLED_OVER + 2 * DAY, True),
        (RIDE[-1], "location", 1, late, late, True),
    ]


def test_between_its_first_and_last_right_row_all_is_known_of_a_vehicle() -> None:
    frames = {"status": dated([*RIDE, ROLLED_OVER]), "location": dated(RIDE, "b")}
    got = right_span(frames, wrong_dates(years_apart(frames)))
    assert got.rows() == [("a", RIDE[0], RIDE[-1]), ("b", RIDE[0], RIDE[-1])]


# ---- a part of the log -----------------------------------------------------------------------------------------------


def test_a_part_of_the_log_with_few_imported_rows_does_not_tell_whether_its_dates_are_right() -> None:
    assert unsure({"status": dated([ROLLED_OVER])}) == ["a"]
    assert unsure({"status": dated([ROLLED_OVER, *RIDE], via="push"), "location": dated(RIDE, "b", "push")}) == ["a"]


def test_dates_of_messages_were_looked_at_when_they_came() -> None:
    assert unsure({"status": dated(RIDE, via="push")}) == []


@given(st.integers(1, 9), st.integers(0, 9), st.integers(0, 89), st.integers(1, 40))
@settings(deadline=None, max_examples=25)
def test_by_the_days_of_the_whole_log_a_row_is_right_or_wrong_in_whatever_part_it_is_read(
    few: int, seen: int, begin: int, count: int
) -> None:
    wrong, right = [ROLLED_OVER + n * MINUTE for n in range(few)], [NOW + n * MINUTE for n in range(90)]
    dates = wrong_dates(rows_by_day([dated([*wrong, *right]).lazy()]))
    part = {"status": dated([*wrong[:seen], *right[begin : begin + count]])}
    assert set_aside(part, dates)["rows"].sum() == min(few, seen)
    assert right_span(part, dates).rows() == [("a", right[begin], right[min(89, begin + count - 1)])]
