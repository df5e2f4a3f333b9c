"""States: every moment between a vehicle's first and last reading is in one, and only one."""

from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.charging.discharges import discharges
from analytics.charging.sessions import sessions
from analytics.frames import DOWNTIME, IDLE
from analytics.schemas import BATTERIES, SWAPS
from analytics.timeline.states import daily, states
from analytics.trips.trips import trips
from logger.tables import DERIVED
from tests.analytics.finding import observed, segments_of
from tests.analytics.told import AT, Said, moment, outing, parked, ridden, seconds, status, stories

Spans = list[tuple[float, float]]


def spans(*told: tuple[float, float]) -> pl.DataFrame:
    return pl.DataFrame([{"begin": moment(a), "end": moment(b)} for a, b in told], schema=DOWNTIME)


def idle(*told: tuple[float, float]) -> pl.DataFrame:
    rows = [{"provider": "p", "vehicle": "a", "begin": moment(a), "end": moment(b)} for a, b in told]
    return pl.DataFrame(rows, schema=IDLE)


def lived(rows: list[Said], away: pl.DataFrame | None = None, resting: pl.DataFrame | None = None) -> pl.DataFrame:
    return found_in(status(rows), away, resting)


def found_in(
    told: pl.LazyFrame, away: pl.DataFrame | None = None, resting: pl.DataFrame | None = None,
    cadence_s: float | None = None, *, use: bool = True,
) -> pl.DataFrame:  # fmt: skip
    away, resting = spans() if away is None else away, idle() if resting is None else resting
    rows = observed(told, use=use)
    steps = segments_of(rows, away, resting, use=use)
    traits = rows.select("provider", "vehicle").unique().with_columns(swappable=False, cadence_s=cadence_s)
    traits = traits.cast({"cadence_s": pl.Float64()})
    rides = trips(steps)
    charged = sessions(rows, BATTERIES.to_frame(), SWAPS.to_frame(), rides, traits)
    return states(steps, rides, rows, charged, discharges(rows, BATTERIES.to_frame()), away, resting, traits)


def stretches(found: pl.DataFrame) -> list[tuple[float, float, str]]:
    return [
        (begin, end, state)
        for (begin, end), state in zip(seconds(found, "started_at", "finished_at"), found["state"], strict=True)
    ]


def test_states_have_the_columns_of_their_table() -> None:
    assert lived(outing()).schema == DERIVED["states"].schema
    assert found_in(status(outing()).clear()).schema == DERIVED["states"].schema


def test_a_vehicle_is_parked_ridden_and_parked() -> None:
    assert stretches(lived(outing())) == [(0, 3610, "parked"), (3610, 4210, "riding"), (4210, 7810, "parked")]


def test_a_ride_of_which_neither_start_nor_end_was_heard_lies_where_its_trip_does() -> None:
    rows = [row for row in outing() if not (3600 < row[0] < 3700 or 4100 < row[0] < 5000)]
    assert stretches(lived(rows)) == [(0, 3610, "parked"), (3610, 4210, "riding"), (4210, 7810, "parked")]


def test_each_vehicle_has_its_own_stretches() -> None:
    told = pl.concat([status(parked(0, 3601, 1000, 500), vehicle) for vehicle in ("a", "b")])
    found = found_in(told.lazy())
    assert found["vehicle"].to_list() == ["a", "b"]
    assert stretches(found) == [(0, 3600, "parked"), (0, 3600, "parked")]


def test_standing_on_a_ride_is_a_pause() -> None:
    still: list[Said] = [(second, False, 4000.0, 800.0) for second in range(310, 610, 10)]
    rows = [*parked(0, 1, 1000, 500), *ridden(10, 310, 1000, 500), *still, *ridden(610, 700, 4000, 800)]
    found = stretches(lived([*rows, *parked(700, 701, 4900, 890)]))
    assert found == [(0, 10, "parked"), (10, 310, "riding"), (310, 610, "paused"), (610, 700, "riding")]


def test_a_pause_out_of_reach_is_a_pause() -> None:
    rows = [*parked(0, 1, 1000, 500), *ridden(10, 211, 1000, 500), *ridden(850, 1050, 3300, 740)]
    found = stretches(lived([*rows, *parked(1050, 2000, 5300, 940)]))
    assert found[1:4] == [(10, 210, "riding"), (210, 850, "paused"), (850, 1050, "riding")]


def test_a_ride_under_way_is_riding() -> None:
    assert stretches(lived([*parked(0, 1, 1000, 500), *ridden(10, 110, 1000, 500)]))[-1] == (10, 100, "riding")


def test_what_is_too_short_for_a_trip_is_parked() -> None:
    rows: list[Said] = [*parked(0, 901, 1000, 500), (960, False, 1010, 505), *parked(970, 3000, 1012, 510)]
    assert {state for *_, state in stretches(lived(rows))} == {"parked"}


def test_nothing_is_known_of_a_longer_silence_than_twice_the_cadence() -> None:
    rows = [*parked(0, 901, 1000, 500), *parked(2700, 3601, 1000, 500), *parked(7200, 7201, 1000, 500)]
    assert stretches(lived(rows)) == [(0, 3600, "parked"), (3600, 7200, "no_data")]


def test_nothing_is_known_while_the_collector_was_away_but_of_a_ride_that_counters_prove() -> None:
    found = stretches(lived(outing(), spans((600, 1000), (3700, 4400))))
    assert found == [
        (0, 600, "parked"),
        (600, 1000, "no_data"),
        (1000, 3610, "parked"),
        (3610, 4210, "riding"),
        (4210, 4400, "no_data"),
        (4400, 7810, "parked"),
    ]


def test_out_of_service_goes_before_everything() -> None:
    found = stretches(lived(outing(), spans((600, 1000)), idle((500, 4000))))
    assert found[:2] == [(0, 500, "parked"), (500, 4000, "out_of_service")]


def test_charging_is_a_session_and_offline_lasts_until_the_next_reading() -> None:
    told = status(parked(0, 4501, 1000, 500)).with_columns(
        charging=pl.col("time").is_between(moment(900), moment(1800)), online=pl.col("time") != moment(3600)
    )
    assert stretches(found_in(told)) == [
        (0, 450, "parked"),
        (450, 2250, "charging"),
        (2250, 3600, "parked"),
        (3600, 4500, "offline"),
    ]


def test_giving_energy_on_purpose_is_discharging_and_not_parked() -> None:
    gives = pl.col("time").is_between(moment(900), moment(2700))
    word = pl.when(gives).then(pl.lit("discharging")).otherwise(pl.lit("unplugged"))
    found = stretches(found_in(status(parked(0, 4501, 1000, 500)).with_columns(charge_state=word)))
    assert found == [(0, 900, "parked"), (900, 3600, "discharging"), (3600, 4500, "parked")]


HOURLY = parked(0, 71 * 3600, 1000, 500, every=3600)


@pytest.mark.parametrize(("cadence_s", "state"), [(None, "parked"), (3600.0, "parked"), (900.0, "no_data")])
def test_a_vehicle_is_silent_by_its_own_cadence(cadence_s: float | None, state: str) -> None:
    assert stretches(found_in(status(HOURLY), cadence_s=cadence_s)) == [(0, 70 * 3600, state)]


def test_of_hourly_polls_those_that_are_missing_leave_no_data() -> None:
    rows = [row for row in HOURLY if not 36_000 < row[0] < 72_000]
    assert stretches(lived(rows)) == [(0, 36_000, "parked"), (36_000, 72_000, "no_data"), (72_000, 252_000, "parked")]


def test_a_silence_of_a_vehicle_that_said_it_sleeps_is_parked() -> None:
    rows = status([row for row in HOURLY if not 36_000 < row[0] < 72_000])
    asleep = rows.with_columns(asleep=pl.col("time") == moment(36_000))
    assert stretches(found_in(asleep)) == [(0, 252_000, "parked")]


def test_a_day_on_which_clocks_change_has_its_own_hours() -> None:
    begin = (datetime(2026, 3, 27, tzinfo=UTC) - AT).total_seconds()
    rows = [(begin + second, lock, way, ran) for second, lock, way, ran in parked(0, 4 * 86_400, 1000, 500)]
    known = pl.DataFrame({"provider": ["p"], "vehicle": ["a"], "timezone": ["Europe/Berlin"]})
    found = daily(lived(rows), known)
    assert dict(found.select("day", "duration_s").rows()) == {
        "2026-03-27": 23 * 3600,
        "2026-03-28": 24 * 3600,
        "2026-03-29": 23 * 3600,
        "2026-03-30": 24 * 3600,
        "2026-03-31": 2 * 3600 - 900,
    }


def disjoint(draw: st.DrawFn, most: int) -> Spans:
    edges = sorted(draw(st.lists(st.integers(0, 100_000), max_size=most, unique=True)))
    return list(zip(edges[::2], edges[1::2], strict=False))


@given(st.data())
@settings(deadline=None, max_examples=40)
def test_states_partition_the_time_that_was_observed(data: st.DataObject) -> None:
    """T20."""
    rows = data.draw(stories())
    away, resting = (data.draw(st.composite(disjoint)(8)) for _ in range(2))
    found = lived(rows, spans(*away), idle(*resting))
    assert found["started_at"][0] == moment(rows[0][0])
    assert found["finished_at"][-1] == moment(rows[-1][0])
    assert found["started_at"][1:].to_list() == found["finished_at"][:-1].to_list()
    assert found["duration_s"].sum() == rows[-1][0] - rows[0][0]
    assert (found["state"][1:] != found["state"][:-1]).all()
    known = pl.DataFrame({"provider": ["p"], "vehicle": ["a"], "timezone": ["Europe/Berlin"]})
    assert daily(found, known)["duration_s"].sum() == found["duration_s"].sum()


@given(st.data(), st.integers(7, 600))
@settings(deadline=None, max_examples=30)
def test_looking_now_and_then_tells_how_long_a_state_lasts_but_for_its_edges(data: st.DataObject, step_s: int) -> None:
    """T20: the more often, the nearer."""
    found = lived(data.draw(stories()), spans(), idle())
    ends = found["started_at"][0], found["finished_at"][-1]
    looks = pl.datetime_range(*ends, f"{step_s}s", closed="left", time_unit="ms", eager=True)
    seen = pl.DataFrame({"at": looks}).join_asof(found, left_on="at", right_on="started_at")
    for (state,), part in found.group_by("state"):
        looked_s = step_s * seen.filter(pl.col("state") == state).height
        assert abs(looked_s - float(part["duration_s"].sum())) <= step_s * part.height


def test_a_vehicle_without_a_lock_rides_from_its_first_window_to_its_last() -> None:
    told = [(0, 1000), (300, 2710), (600, 2710), (900, 4420), (1800, 4420)]
    rows = status([(second, None, odometer, None) for second, odometer in told])
    found = stretches(found_in(rows, use=False))
    assert found == [(0, 300, "riding"), (300, 600, "paused"), (600, 900, "riding"), (900, 1800, "parked")]
