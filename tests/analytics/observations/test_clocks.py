"""Clocks that are off, by hours or by less than two minutes, or drift: told by the delays of all a vehicle's tables.

T7 of the analytics facts: a clock that is off makes the same trips once it is corrected.
"""

from datetime import timedelta
from random import Random
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.observations.clocks import ORIGIN, clocks, corrected
from analytics.trips.trips import trips
from logger.tables import RAW
from tests.analytics.finding import observed, segments_of, timed
from tests.analytics.told import Said, moment, outing, parked, seconds, status

HOUR_S = 3600
HOURS = 17  # of the first day of these stories, from six o'clock on


def lived(days: int = 1) -> list[Said]:
    """Every day an outing at seven o'clock, parked for the rest of it."""
    rows: list[Said] = []
    for day in range(days):
        way_m, ran_s, begin = 6000.0 * day, 600.0 * day, 86_400 * day
        rides = [(at + begin, lock, (m or 0) + way_m, (s or 0) + ran_s) for at, lock, m, s in outing()]
        until = 86_400 if day + 1 < days else HOURS * 3600
        rows += [*rides, *parked(begin + 8100, begin + until, 7000 + way_m, 1100 + ran_s)]
    return rows


def off_s(rows: pl.LazyFrame) -> tuple[float, float]:
    """By how much readings are too early and too late at most."""
    told = timed(rows)[0]
    late_s = (told["at"] - told["received_at"]).dt.total_milliseconds() / 1000
    return -min(late_s), max(late_s)


@pytest.mark.parametrize("behind_s", [-59.0, -6.0, 21.0, 40.0, 119.0, 121.0])
def test_a_clock_that_is_off_all_day_is_corrected(behind_s: float) -> None:
    told, why = timed(status(lived(), behind_s=behind_s))
    assert told["at"].to_list() == [moment(row[0]) for row in lived()]
    assert set(why["reason"]) == {"clock_corrected"}


@pytest.mark.parametrize("behind_s", [-4.0, 1.0, 19.0])
def test_some_seconds_are_the_networks_or_our_own_clocks(behind_s: float) -> None:
    told, why = timed(status(lived(), behind_s=behind_s))
    assert told["at"].to_list() == [moment(row[0] - behind_s) for row in lived()]
    assert why.is_empty()


def test_a_network_that_holds_up_some_messages_is_no_wrong_clock() -> None:
    held = pl.when(pl.col("sequence") % 4 > 0).then(pl.duration(seconds=90)).otherwise(pl.duration(seconds=0))
    rows = status(lived()).with_columns((pl.col("received_at") + held).alias("received_at"))
    assert timed(rows)[1].is_empty()


def test_a_network_that_holds_up_all_messages_of_some_hours_is_no_wrong_clock() -> None:
    held = pl.when(pl.col("time") < moment(5 * 3600)).then(pl.duration(seconds=90)).otherwise(pl.duration(seconds=0))
    rows = status(lived()).with_columns((pl.col("received_at") + held).alias("received_at"))
    assert timed(rows)[1].is_empty()


def test_a_polled_answer_is_as_old_as_the_vehicles_last_word_and_tells_nothing() -> None:
    rows = status(lived(), behind_s=90).with_columns(pl.lit("poll").alias("via"))
    assert timed(rows)[1].is_empty()


def test_a_message_that_comes_late_does_not_hide_that_the_clock_is_off() -> None:
    late = pl.when(pl.col("sequence") % 7 == 0).then(pl.duration(seconds=700)).otherwise(pl.duration(seconds=0))
    rows = status(lived(), behind_s=90).with_columns((pl.col("received_at") + late).alias("received_at"))
    assert timed(rows)[0]["at"].to_list() == [moment(row[0]) for row in lived()]


def test_an_hour_of_which_all_came_late_follows_its_day() -> None:
    hour = pl.col("received_at").is_between(moment(6 * 3600), moment(7 * 3600), closed="left")
    late = pl.when(hour).then(pl.duration(seconds=400)).otherwise(pl.duration(seconds=0))
    rows = status(lived(), behind_s=90).with_columns((pl.col("received_at") + late).alias("received_at"))
    assert timed(rows)[0]["at"].to_list() == [moment(row[0]) for row in lived()]


def test_a_clock_that_is_set_right_is_believed_from_then_on() -> None:
    right = pl.col("received_at") >= moment(9 * 3600)
    rows = status(lived(), behind_s=-50).with_columns(
        pl.when(right).then("received_at").otherwise("time").alias("time")
    )
    assert timed(rows)[0]["at"].to_list() == [moment(row[0]) for row in lived()]


def test_a_day_of_few_hours_follows_the_day_beside_it() -> None:
    evening = [row for row in lived(2) if row[0] >= 15 * 3600]
    rows = status(evening, behind_s=60)
    assert seconds(timed(rows)[0], "at")[0] == (evening[0][0],)
    alone = status([row for row in evening if row[0] < 18 * 3600], behind_s=60)
    assert timed(alone)[1].is_empty()


def test_a_clock_that_drifts_is_followed_within_seconds() -> None:
    """A hundred parts in a million are nine seconds a day."""
    drift = ((pl.col("received_at") - moment(0)).dt.total_milliseconds() * 1e-4).cast(pl.Int64)
    rows = status(lived(5), behind_s=30).with_columns(pl.col("time") - pl.duration(milliseconds=drift))
    early_s, late_s = off_s(rows)
    assert early_s <= 10
    assert late_s <= 0


def test_other_vehicles_clocks_are_their_own() -> None:
    both = pl.concat([status(lived(), "a", behind_s=90), status(lived(), "b")])
    assert set(timed(both)[1]["vehicle"]) == {"a"}


@given(st.integers(-3600, 3600), st.integers(1, 20))
@settings(deadline=None, max_examples=25)
def test_a_clock_off_by_up_to_an_hour_makes_the_same_trips(behind_s: int, thin: int) -> None:
    """T7."""
    rows = [row for number, row in enumerate(lived()) if number % (thin + 1) or row[1]]
    found, right = (trips(segments_of(observed(status(rows, behind_s=by)))) for by in (behind_s, 0))
    assert found["trip_id"].to_list() == right["trip_id"].to_list()
    assert found.height == 1
    for edge in ("started_at", "finished_at"):
        apart_s = (found[edge] - right[edge]).dt.total_milliseconds().abs() / 1000
        assert max(apart_s) <= (0 if behind_s > 20 or behind_s < -5 else 20)


@given(st.integers(-100, 300), st.integers(2, 5), st.integers(1, 2))
@settings(deadline=None, max_examples=15)
def test_what_a_day_says_depends_on_the_days_beside_it_alone(behind_s: int, days: int, kept: int) -> None:
    """So that an analysis of some days gives what one of everything gives."""
    whole = timed(status(lived(days + 2), behind_s=behind_s))[0]
    middle = (moment(18 * 3600 + timedelta(days=kept).total_seconds()), moment(18 * 3600 + 86_400 * (kept + 1)))
    near = pl.col("time").is_between(middle[0] - timedelta(days=1), middle[1] + timedelta(days=1))
    part = timed(status(lived(days + 2), behind_s=behind_s).filter(near))[0]
    there = pl.col("received_at").is_between(*middle, closed="left")
    assert part.filter(there)["at"].equals(whole.filter(there)["at"])


# ---- all tables of a vehicle together ------------------------------------------------------------------------------


def rows(*told: tuple[float, float], behind_s: float = 0.0, clock: str = "device") -> pl.DataFrame:
    """Rows that were so at one second and came at another, stamped by a clock that is behind by so much."""
    made = [
        {"provider": "p", "vehicle": "a", "time": moment(was - behind_s), "received_at": moment(came)}
        | {"sequence": number, "via": "push", "clock": clock}
        for number, (was, came) in enumerate(told, 1)
    ]
    schema = {name: RAW["event"].schema[name] for name in ("provider", "vehicle", *ORIGIN)}
    return pl.DataFrame(made, schema=schema)


def live(begin: int = 0, end: int = HOUR_S, every: int = 60, **clock: Any) -> pl.DataFrame:
    """Rows that came at once."""
    return rows(*((at, at) for at in range(begin, end, every)), **clock)


def stored(count: int, hours: float, came: float = HOUR_S - 600, **clock: Any) -> pl.DataFrame:
    """Rows 20 s from each other that were stored for so long and came in one go, a second from each other."""
    return rows(*((came - hours * HOUR_S + 20 * number, came + number) for number in range(count)), **clock)


def told(table: str, **frames: pl.DataFrame) -> list[float]:
    """The moments that rows of this table get."""
    return [second for (second,) in seconds(corrected(frames[table], table, clocks(frames)), "at")]


def was(frame: pl.DataFrame, behind_s: float = 0.0) -> list[float]:
    """When these rows really were so."""
    return [second + behind_s for (second,) in seconds(frame, "time")]


@pytest.mark.parametrize("other", ["status", "location", "battery"])
def test_events_that_were_stored_without_network_keep_their_time_where_anything_came_on_time(other: str) -> None:
    event = stored(4, hours=2)
    assert told("event", event=event) != was(event)
    assert told("event", event=event, **{other: live(every=900)}) == was(event)


def test_what_came_on_time_in_the_hour_before_proves_as_much() -> None:
    event = stored(4, hours=2, came=HOUR_S + 60)
    assert told("event", event=event, status=live(end=HOUR_S)) == was(event)


def test_rows_of_one_table_that_came_late_in_one_go_were_stored_too() -> None:
    garage = stored(4, hours=2, came=2 * HOUR_S + 60)
    status = pl.concat([live(end=2 * HOUR_S), garage])
    assert told("status", status=status) == was(status)


def test_stored_events_of_a_clock_that_is_slow_are_put_right_by_the_clock_and_not_by_their_delay() -> None:
    event = stored(4, hours=2, behind_s=3600)
    assert told("event", event=event, status=live(behind_s=3600)) == was(event, 3600)


@pytest.mark.parametrize("behind_s", [-3600, -300, 90, 300])
def test_a_single_event_follows_the_clock_that_the_status_tells(behind_s: float) -> None:
    event, status = rows((9000, 9000), behind_s=behind_s), live(end=9 * HOUR_S, behind_s=behind_s)
    assert told("event", event=event, status=status) == was(event, behind_s)
    late = rows((9000, 12_000), behind_s=behind_s)
    assert told("event", event=late, status=status) == was(late, behind_s)


def test_an_event_follows_the_clock_of_the_hours_around_it() -> None:
    event = rows((HOUR_S + 5, HOUR_S + 2000), behind_s=600)
    status = pl.concat([live(behind_s=600), live(2 * HOUR_S, 3 * HOUR_S, behind_s=600)])
    assert told("event", event=event, status=status) == was(event, 600)


def test_a_clock_that_is_wrong_is_corrected_though_the_receivers_is_right() -> None:
    status, location = live(behind_s=3600), live()
    assert told("status", status=status, location=location) == was(status, 3600)
    assert told("location", status=status, location=location) == was(location)


def test_positions_that_were_stored_do_not_follow_the_vehicles_clock() -> None:
    location = stored(4, hours=2)
    assert told("location", status=live(behind_s=3600), location=pl.concat([live(), location])) == was(
        pl.concat([live(), location])
    )


def test_events_that_another_clock_stamps_do_not_hide_that_the_vehicles_is_wrong() -> None:
    status, event = live(behind_s=3600), live(every=700)
    assert told("status", status=status, event=event) == was(status, 3600)
    assert told("event", status=status, event=event) == was(event)


def test_rows_of_a_clock_that_is_not_the_vehicles_say_nothing_of_it() -> None:
    event = stored(4, hours=2)
    assert told("event", event=event, battery=live(clock="server")) == told("event", event=event)


def test_a_vehicle_that_speaks_seldom_and_briefly_is_believed_where_nothing_else_came_sooner() -> None:
    briefly = pl.concat([live(hour * HOUR_S, hour * HOUR_S + 60, 20, behind_s=1800) for hour in range(3)])
    assert told("status", status=briefly) == was(briefly, 1800)


@given(
    st.sampled_from([0, 0, -3600, -130, 130, 1700, 3600]), st.integers(1, 9), st.integers(1, 20), st.integers(0, 3599)
)
@settings(deadline=None, max_examples=40)
def test_events_get_their_own_time_however_long_they_were_stored(
    behind_s: int, count: int, hours: int, second: int
) -> None:
    """But where the delay is, to seconds, what a fast clock is ahead: then they look as if they had come at once."""
    event = stored(count, hours + 0.3, came=24 * HOUR_S + second, behind_s=behind_s)
    status, location = live(end=30 * HOUR_S, behind_s=behind_s), live(end=30 * HOUR_S)
    assert told("event", event=event, status=status, location=location) == was(event, behind_s)


@given(st.randoms())
@settings(deadline=None, max_examples=15)
def test_the_order_of_rows_does_not_matter(random: Random) -> None:
    frames = {"status": live(behind_s=600), "event": stored(3, hours=1, behind_s=600), "location": live()}
    mixed = {name: each.sample(fraction=1, shuffle=True, seed=random.randrange(99)) for name, each in frames.items()}
    assert clocks(frames).offsets.equals(clocks(mixed).offsets)
