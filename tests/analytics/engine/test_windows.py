"""How far a changed row reaches: from rest to rest, in whole days, or nobody knows yet."""

from datetime import datetime, timedelta

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from analytics.engine.windows import ended, reaching_back, windows
from analytics.frames import DAY, Read
from analytics.schemas import TOUCHED
from logger.tables import TIME
from tests.analytics.driven import BEGIN, HOUR

PLACES = ["vehicle", "since", "until"]


def rested(*hours: float, vehicle: str = "a", provider: str = "p") -> pl.DataFrame:
    """Intervals of half an hour of rest that end at these hours."""
    ends = [BEGIN + hour * HOUR for hour in hours]
    rows = {"since": [end - HOUR / 2 for end in ends], "at": ends}
    return pl.DataFrame(rows, schema={"since": TIME, "at": TIME}).with_columns(
        provider=pl.lit(provider),
        vehicle=pl.lit(vehicle),
        role=pl.lit("park"),
        dt_s=pl.lit(1800.0),
        soc_pct=pl.lit(None, pl.Float64),
    )


def touched(first: float, last: float, vehicle: str = "a") -> pl.DataFrame:
    return pl.DataFrame([(vehicle, BEGIN + first * HOUR, BEGIN + last * HOUR)], schema=TOUCHED, orient="row")


def read(first: int, last: int, begin: bool = False, end: bool = False) -> Read:
    return Read(BEGIN + first * DAY, BEGIN + last * DAY, begin, end)


def day(number: int) -> datetime:
    return BEGIN + number * DAY


def test_days_reach_from_a_rest_before_to_a_rest_after() -> None:
    steps = rested(5 * 24 - 3, 5 * 24 + 3, 6 * 24 + 3, 9 * 24 + 5, 11 * 24 + 1, 13 * 24)
    got = windows(steps, touched(8 * 24 + 3, 8 * 24 + 4), read(4, 14))
    assert got.select(PLACES).rows() == [("a", day(6), day(12))]


def test_without_a_rest_before_the_days_more_must_be_read() -> None:
    steps = rested(6 * 24 + 3, 9 * 24 + 5, 11 * 24 + 1)
    assert windows(steps, touched(8 * 24 + 3, 8 * 24 + 4), read(6, 13))["since"].item() is None


def test_without_a_rest_after_the_days_more_must_be_read() -> None:
    steps = rested(5 * 24, 6 * 24 + 3, 9 * 24 + 5)
    assert windows(steps, touched(8 * 24 + 3, 8 * 24 + 4), read(4, 13))["until"].item() is None


def test_a_bounce_of_the_lock_is_no_rest() -> None:
    steps = rested(5 * 24, 6 * 24 + 3, 9 * 24 + 5, 11 * 24 + 1).with_columns(dt_s=pl.lit(15.0))
    got = windows(steps, touched(8 * 24, 8 * 24), read(4, 13))
    assert got.select("since", "until").row(0) == (None, None)


def test_where_nothing_lies_outside_what_was_read_it_is_enough() -> None:
    got = windows(rested(), touched(30, 30), read(0, 4, begin=True, end=True))
    assert got.height == 1
    assert windows(rested(25), touched(30, 30), read(0, 4, True, True)).rows() == [("a", day(0), day(4))]


def test_a_name_that_two_providers_use_rests_when_both_do() -> None:
    one = rested(3 * 24 - 1, 4 * 24 + 1, 10 * 24 + 1, 14 * 24)
    other = rested(3 * 24 - 1, 5 * 24 + 1, 11 * 24 + 1, 14 * 24, provider="q")
    got = windows(pl.concat([one, other]), touched(8 * 24, 8 * 24), read(2, 16))
    assert got.select(PLACES).rows() == [("a", day(4), day(12))]


def test_days_lie_around_every_local_day_that_is_touched() -> None:
    steps = rested(*(hour / 2 for hour in range(24 * 40)))
    moment = BEGIN + 10 * DAY + timedelta(minutes=1)
    got = windows(steps, touched(240 + 1 / 60, 240 + 1 / 60), read(0, 20))
    (_, since, until) = got.row(0)
    assert since <= moment - timedelta(hours=25)
    assert until >= moment.replace(hour=0, minute=0) + DAY


def test_the_percent_must_have_changed_on_the_way() -> None:
    percent = pl.lit(80.0) - (pl.col("at") >= day(8)) - (pl.col("at") >= day(22))
    steps = rested(*(24.0 * number for number in range(1, 30))).with_columns(soc_pct=percent)
    got = windows(steps, touched(15 * 24, 15 * 24), read(1, 30, True, True))
    assert got.select(PLACES).rows() == [("a", day(7), day(23))]


def spans(*told: tuple[float, float | None]) -> pl.DataFrame:
    """Rows of a derived table from one hour to another."""
    ends = [(BEGIN + begin * HOUR, None if end is None else BEGIN + end * HOUR) for begin, end in told]
    rows = pl.DataFrame(ends, schema={"time": TIME, "finished_at": TIME}, orient="row")
    return rows.with_columns(vehicle=pl.lit("a"))


def test_a_row_that_ends_with_what_was_read_may_go_on() -> None:
    days = pl.DataFrame({"vehicle": ["a", "b"], "since": [day(2)] * 2, "until": [day(4)] * 2})
    readings = rested(*range(0, 200, 10))
    whole = spans((30, 60), (60, 100), (100, 190))
    assert ended(days, whole, readings)["vehicle"].to_list() == ["a", "b"]  # the last one begins after these days
    assert ended(days, spans((30, 60), (60, 190)), readings)["vehicle"].to_list() == ["b"]
    assert ended(days, spans((60, None)), readings)["vehicle"].to_list() == ["b"]
    silent = readings.with_columns(soc_pct=pl.when(pl.col("at") < day(3)).then(80.0))
    assert ended(days, spans((60, 70)), silent)["vehicle"].to_list() == ["b"]  # the percent is not told any more


def test_what_is_touched_begins_with_the_row_that_goes_on_into_it() -> None:
    def begins(*told: tuple[float, float | None]) -> float:
        got = reaching_back(touched(100, 101), spans(*told).lazy())
        return float((got["first_at"].item() - BEGIN) / HOUR)

    assert begins() == 100
    assert begins((10, 20), (20, 50)) == 20  # the last one; it ends with the last reading so far
    assert begins((10, 20), (20, 150), (160, 170)) == 20
    assert begins((10, 20), (20, 90), (60, 70)) == 20  # at another port, it had not ended when the last one began
    assert begins((10, None), (60, 70)) == 10
    assert begins((10, 100), (100, 150)) == 10  # what is touched is the reading that ends the one and begins the other


@given(st.lists(st.tuples(st.integers(0, 99), st.none() | st.integers(0, 150))), st.integers(0, 99))
def test_what_was_read_of_the_last_days_tells_the_same_as_everything_or_that_more_must_be_read(
    told: list[tuple[int, int | None]], since: int
) -> None:
    everything = spans(*((begin, end and max(begin, end)) for begin, end in told))
    moment = BEGIN + since * HOUR
    goes_on = (pl.col("finished_at") >= moment).fill_null(True)
    late = everything.filter((pl.col("time") >= moment) | goes_on)
    got = reaching_back(touched(100, 101), late.lazy(), moment)
    assert got.height == any(begin >= since for begin, _ in told)
    assert got.is_empty() or got.equals(reaching_back(touched(100, 101), everything.lazy()))
