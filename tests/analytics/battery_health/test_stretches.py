"""What was ridden while the same packs were in: sums of a day are its own, whatever was before and comes after."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.battery_health.effort import ways
from analytics.battery_health.stretches import stretches
from analytics.observations.soc_at import soc_path
from analytics.observations.soc_used import used
from analytics.schemas import BATTERIES, OBSERVATIONS, PACKS, SWAPS
from analytics.trips.trips import trips
from logger.tables import TIME, table
from tests.analytics.driven import driven, stored
from tests.analytics.finding import observed, segments_of
from tests.analytics.hand import at, rows

DAY = 1440.0  # minutes
RIDE = {
    "provider": pl.String(), "vehicle": pl.String(), "kind": pl.String(), "started_at": TIME, "finished_at": TIME,
    "distance_m": pl.Float64(), "riding_s": pl.Float64(), "soc_used_pct": pl.Float64(), "soc_mean_pct": pl.Float64(),
    "swaps": pl.Int64(), "drag": pl.Float64(), "rush": pl.Float64(),
}  # fmt: skip


class Log(NamedTuple):
    """What stretches are made of, of one vehicle."""

    rides: pl.DataFrame
    steps: pl.DataFrame
    batteries: pl.DataFrame
    packs: pl.DataFrame
    swaps: pl.DataFrame


def ride(minute: float, km: float = 4, pct: float | None = 10, **more: Any) -> dict[str, Any]:
    """Ten minutes at fifty percent."""
    return {
        "provider": "segway", "vehicle": "a", "kind": "observed", "started_at": at(minute),
        "finished_at": at(minute + 10), "distance_m": 1000 * km, "soc_used_pct": pct, "soc_mean_pct": 50.0, "swaps": 0,
        "drag": 2 * km, "rush": 3 * km, **more,
    }  # fmt: skip


def swapped(*minutes: float, port: str = "1") -> pl.DataFrame:
    return rows(SWAPS, *({"minute": minute, "port": port} for minute in minutes))


def polls(*told: tuple[float, str, int | None]) -> pl.DataFrame:
    """Of (minute, port, cycles)."""
    return rows(PACKS, *({"minute": minute, "port": port, "pack_cycles": cycles} for minute, port, cycles in told))


def asked(*told: tuple[float, float], name: str = "power_w", turn: float = -1.0) -> pl.DataFrame:
    """Answers of (minute, power used)."""
    return rows(BATTERIES, *({"minute": minute, name: turn * watt} for minute, watt in told))


def moved(*told: tuple[float, float | None]) -> pl.DataFrame:
    """Intervals of half a minute that end at a minute, with their riding seconds."""
    schema = pl.Schema({**OBSERVATIONS, "dt_s": pl.Float64(), "dr_s": pl.Float64()})
    return rows(schema, *({"minute": minute, "dt_s": 30.0, "dr_s": ridden_s} for minute, ridden_s in told))


NO_SWAPS, NO_POLLS, NO_ANSWERS, NO_STEPS = swapped(), polls(), asked(), moved()


def log(
    *rides: dict[str, Any],
    steps: pl.DataFrame = NO_STEPS,
    answers: pl.DataFrame = NO_ANSWERS,
    packs: pl.DataFrame = NO_POLLS,
    swaps: pl.DataFrame = NO_SWAPS,
) -> Log:
    return Log(pl.DataFrame(rides, schema=RIDE), steps, answers, packs, swaps)


def between(whole: Log, since: float, until: float) -> Log:
    """What was told from this minute to before that one."""
    parts = [
        frame.filter(pl.col(name).is_between(at(since), at(until), closed="left"))
        for frame, name in zip(whole, ("started_at", "at", "at", "at", "at"), strict=True)
    ]
    return Log(*parts)


# ---- where a stretch begins ----------------------------------------------------------------------------------------


def test_a_stretch_begins_with_the_day_or_with_a_swap_in_it() -> None:
    of = log(ride(100, 1), ride(400, 2), ride(DAY + 100, 4), swaps=swapped(300))
    got = stretches(*of)
    assert got.select("time", "swapped", "km").rows() == [
        (at(0), False, 1),
        (at(300), True, 2),
        (at(DAY), False, 4),
    ]


def test_rows_are_those_of_the_table() -> None:
    assert stretches(*log(ride(100))).schema == table("stretches").schema
    assert stretches(*log()).schema == table("stretches").schema
    assert stretches(*log()).is_empty()


def test_a_swap_without_rides_has_its_row() -> None:
    got = stretches(*log(swaps=swapped(300, 500)))
    assert got.select("time", "swapped", "ports", "km", "used_pct", "polled_km", "motor_wh").rows() == [
        (at(minute), True, None, 0, 0, 0, 0) for minute in (300, 500)
    ]


def test_packs_that_are_changed_at_one_moment_and_at_midnight_begin_one_stretch() -> None:
    both = pl.concat([swapped(DAY), swapped(DAY, port="2")])
    assert stretches(*log(ride(DAY + 9), swaps=both)).select("time", "swapped", "km").rows() == [(at(DAY), True, 4)]


def test_each_vehicle_has_its_own_stretches() -> None:
    of = log(ride(100, 1), ride(400, 2, vehicle="b"), swaps=swapped(300))
    assert stretches(*of).select("vehicle", "time", "km").rows() == [
        ("a", at(0), 1),
        ("a", at(300), 0),
        ("b", at(0), 2),
    ]


# ---- what was ridden -----------------------------------------------------------------------------------------------


def test_a_ride_belongs_to_where_its_middle_lies() -> None:
    of = log(ride(294, 1), ride(296, 2), ride(DAY - 6, 4), ride(DAY - 4, 8), swaps=swapped(300))
    got = stretches(*of)
    assert got.select("time", "km").rows() == [(at(0), 1), (at(300), 2 + 4), (at(DAY), 8)]


def test_a_ride_with_a_swap_on_its_way_counts_in_no_stretch() -> None:
    of = log(ride(100, 4, 10), ride(295, 3, 7, swaps=1), ride(400, 1, 2), swaps=swapped(300))
    assert stretches(*of).select("km", "used_pct").rows() == [(4, 10), (1, 2)]


def test_a_ride_that_went_nowhere_and_one_of_unknown_charge_tell_nothing() -> None:
    of = log(ride(100, 4, 10), ride(200, 0, 1), ride(400, 3, None))
    assert stretches(*of).select("km", "used_pct", "drag", "rush").rows() == [(4, 10, 8, 12)]
    assert stretches(*log(ride(200, 0, 1))).is_empty()


def test_kilometres_of_which_no_speed_tells_how_they_were_ridden_stand_alone() -> None:
    of = log(ride(100, 4, 10), ride(200, 3, 7, drag=None, rush=None))
    assert stretches(*of).select("km", "blind_km", "drag", "rush", "used_pct").rows() == [(4, 3, 8, 12, 17)]


def test_what_was_used_above_fifty_is_told_apart() -> None:
    of = log(ride(100, 4, 10, soc_mean_pct=75.0), ride(200, 4, 4, soc_mean_pct=25.0))
    assert stretches(*of).select("used_pct", "tilted_pct").rows() == [(14, 10 * 0.5 - 4 * 0.5)]


_RIDDEN = st.lists(st.tuples(st.floats(0.1, 9), st.floats(0.1, 30), st.booleans()), min_size=1, max_size=20)


@settings(deadline=None)
@given(_RIDDEN, st.sets(st.integers(1, 450)), st.integers(7, 330))
def test_no_kilometre_is_lost_or_counted_twice_whatever_swaps_lie_between(
    told: Sequence[tuple[float, float, bool]], swaps: set[int], every: int
) -> None:
    dark = {"drag": None, "rush": None}
    rides = (ride(every * place + 5, km, pct, **dark if blind else {}) for place, (km, pct, blind) in enumerate(told))
    got = stretches(*log(*rides, swaps=swapped(*(14.0 * minute for minute in swaps))))
    assert got["km"].sum() == pytest.approx(sum(km for km, _, blind in told if not blind))
    assert got["blind_km"].sum() == pytest.approx(sum(km for km, _, blind in told if blind))
    assert got["used_pct"].sum() == pytest.approx(sum(pct for _, pct, _ in told))
    assert got.select("provider", "vehicle", "time").is_unique().all()
    assert got["swapped"].sum() == len(swaps)


# ---- cycles --------------------------------------------------------------------------------------------------------


def test_packs_are_told_by_their_cycles_when_a_stretch_began_and_ended() -> None:
    cells = polls((10, "1", 200), (200, "1", 201), (290, "1", 201), (320, "1", 77), (800, "1", 79))
    got = stretches(*log(packs=cells, swaps=swapped(300)))
    assert got.select("time", "ports", "first_low", "first_high", "last_low", "last_high").rows() == [
        (at(0), 1, 200, 200, 201, 201),
        (at(300), 1, 77, 77, 79, 79),
    ]


def test_two_packs_are_told_by_the_least_and_the_most_cycles() -> None:
    before, after = polls((10, "1", 90), (10, "2", 50), (290, "2", 52)), polls((310, "1", 90), (310, "2", 300))
    got = stretches(*log(packs=pl.concat([before, after]), swaps=swapped(300, port="2")))
    assert got.select("ports", "first_low", "first_high", "last_low", "last_high").rows() == [
        (2, 50, 90, 52, 90),
        (2, 90, 300, 90, 300),
    ]


def test_a_pack_that_told_no_cycles_is_not_known() -> None:
    assert stretches(*log(packs=polls((10, "1", None)))).is_empty()
    got = stretches(*log(ride(100), packs=polls((10, "1", None), (20, "2", 5), (30, "2", None))))
    assert got.select("ports", "first_low", "last_high").rows() == [(1, 5, 5)]


# ---- power ---------------------------------------------------------------------------------------------------------


def test_power_is_that_of_motion_for_the_riding_seconds_and_that_of_standing_for_the_rest() -> None:
    steps = moved((100.5, 0), (102.5, 30), (105.5, 28), (150.5, 30))
    answers = asked((100.2, 30.0), (102.3, 600.0), (105.1, 1000.0), (150.2, 5000.0))
    got = stretches(*log(ride(100, riding_s=480.0), steps=steps, answers=answers))
    assert got["polled_km"].to_list() == [4]
    assert got["polled_wh"].item() == pytest.approx((800 * 480 + 30 * 120) / 3600)


def test_power_of_the_motor_stands_beside_that_of_the_battery_with_its_sign_as_it_comes() -> None:
    battery = asked((101.2, 600.0))
    motor = asked((201.2, 300.0), (203.2, 900.0), name="motor_power_w", turn=-1)
    rides = ride(100, 4), ride(200, 2)
    got = stretches(*log(*rides, steps=moved((101.5, 30), (203.5, 30)), answers=pl.concat([battery, motor])))
    assert got.select("polled_km", "polled_wh", "motor_km", "motor_wh").row(0) == pytest.approx((4, 100, 2, -100))


def test_without_riding_seconds_a_ride_moved_all_the_time() -> None:
    got = stretches(*log(ride(100), steps=moved((101.5, None)), answers=asked((101.2, 600.0))))
    assert got["polled_wh"].item() == pytest.approx(100)


def test_a_ride_with_a_gap_and_one_asked_only_at_a_stand_tell_no_power() -> None:
    for of, ridden_s in ((ride(100, kind="bridged"), 30), (ride(100, riding_s=480.0), 0)):
        got = stretches(*log(of, steps=moved((101.5, ridden_s)), answers=asked((101.2, 600.0))))
        assert got.select("km", "polled_km", "polled_wh").rows() == [(4, 0, 0)]


def test_power_of_rides_lies_in_the_stretch_of_their_middle_whatever_charge_they_used() -> None:
    rides = ride(294, 1, None), ride(304, 2, 5, swaps=1), ride(DAY - 4, 4)
    answers = asked((296, 600.0), (306, 300.0), (DAY - 3, 900.0))
    got = stretches(*log(*rides, steps=moved((300, 30)), answers=answers, swaps=swapped(300)))
    assert got.select("time", "polled_km", "polled_wh").rows() == [(at(0), 1, 100), (at(300), 2, 50), (at(DAY), 4, 150)]


# ---- parts of the time ---------------------------------------------------------------------------------------------


@st.composite
def logs(draw: st.DrawFn) -> Log:
    """Six days, with a rest at each midnight."""
    whole = log()
    for day in range(6):
        minutes = [day * DAY + minute for minute in sorted(draw(st.sets(st.integers(1, 70).map(lambda n: 20 * n))))]
        numbers, watts = st.integers(1, 90).map(float), st.integers(1, 3000).map(float)
        rides = [ride(minute, draw(numbers), draw(numbers), riding_s=draw(st.floats(0, 600))) for minute in minutes]
        part = log(
            *rides,
            steps=moved(*((minute + 5, draw(st.sampled_from([0, 30]))) for minute in minutes)),
            answers=asked(*((minute + 4.9, draw(watts)) for minute in minutes)),
            packs=polls(*((minute - 1, draw(st.sampled_from("12")), draw(st.integers(0, 99))) for minute in minutes)),
            swaps=swapped(*(day * DAY + minute for minute in draw(st.sets(st.integers(0, 1439), max_size=3)))),
        )
        whole = Log(*(pl.concat(pair) for pair in zip(whole, part, strict=True)))
    return whole


@settings(deadline=None, max_examples=50)
@given(logs(), st.integers(0, 6))
def test_stretches_of_two_halves_of_a_log_are_those_of_the_whole(whole: Log, days: int) -> None:
    parts = between(whole, 0, days * DAY), between(whole, days * DAY, 6 * DAY)
    assert pl.concat([stretches(*part) for part in parts]).equals(stretches(*whole))


def test_rides_of_a_log_have_their_kilometres_and_charge_in_stretches() -> None:
    said = stored(list(driven("a", 6, *(24 * day + 9.1 + 3 * n for day in range(6) for n in range(4)))))
    clean = observed(said.lazy())
    steps = segments_of(clean)
    rides = trips(steps)
    spent = rides.hstack(used(soc_path(clean, None, rides), rides)).hstack(ways(steps, rides))
    got = stretches(spent, steps, BATTERIES.to_frame(), PACKS.to_frame(), SWAPS.to_frame())
    assert got.height == 6
    assert (got["km"] + got["blind_km"]).to_list() == pytest.approx([4 * 1.8] * 6)
    assert got["used_pct"].sum() == pytest.approx(spent["soc_used_pct"].sum())
