"""Observations: one row a moment; a bad counter costs the counter, and never the row."""

from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from analytics.observations.observations import observations
from analytics.schemas import OBSERVATIONS
from analytics.trips.trips import trips
from logger.tables import shaped, table
from tests.analytics.finding import observed, segments_of
from tests.analytics.told import Said, moment, outing, parked, status

NOWHERE = table("location").schema.to_frame().lazy()


def test_observations_have_their_columns_and_counters_begin_at_nothing() -> None:
    told = observations(status(outing()), NOWHERE)
    assert told.schema == OBSERVATIONS
    assert told.select(pl.col("count_m", "ride_s").last()).row(0) == (6000, 600)


def test_nothing_comes_of_nothing() -> None:
    told = observations(status(outing()).head(0), NOWHERE)
    assert (told.schema, told.height) == (OBSERVATIONS, 0)
    assert trips(segments_of(told)).is_empty()


def test_a_reading_that_is_taken_back_costs_its_counter_and_not_the_row() -> None:
    rows: list[Said] = [*parked(0, 3601, 1000, 500), (3700, True, 400, 500), *parked(4500, 9000, 1000, 500)]
    told = observations(status(rows), NOWHERE)
    assert told.height == len(rows)
    assert told.filter(pl.col("at") == moment(3700))["count_m"].to_list() == [None]
    assert told["ride_s"].null_count() == 0


def test_an_odometer_that_goes_to_and_fro_is_the_same_whichever_vehicle_is_beside_it() -> None:
    """A vehicle of more metres, and then one of fewer, whose readings are no later ones of the first."""
    rows: list[Said] = [
        (60.0 * minute, True, 50_000 + 400 * (minute > 90) + 60 * (minute % 3), 500) for minute in range(120)
    ]
    alone = observations(status(rows), NOWHERE)
    assert alone.select((pl.col("count_m").max() - pl.col("count_m").first()).is_between(280, 520)).item()
    other = status(parked(0, 3600, 10, 500, every=60), vehicle="b")
    both = observations(pl.concat([status(rows), other]), NOWHERE)
    assert_frame_equal(both.filter(vehicle="a"), alone)


@pytest.mark.parametrize(("kmh", "told"), [(3.0, 0.0), (30.0, 30.0)])
def test_a_walking_pace_that_stays_the_same_for_minutes_is_none(kmh: float, told: float) -> None:
    rows = status(parked(0, 241, 1000, 500, every=60)).with_columns(speed_kmh=pl.lit(kmh))
    assert observations(rows, NOWHERE)["speed_kmh"].to_list() == [told] * 5


def test_a_speed_out_of_reach_in_one_row_is_none_and_one_that_lasts_stays() -> None:
    rows = status(parked(0, 301, 1000, 500, every=60)).with_columns(
        speed_kmh=pl.Series([48.0, 255.0, 52.0, 210.0, 214.0, 208.0])
    )
    assert observations(rows, NOWHERE)["speed_kmh"].to_list() == [48.0, None, 52.0, 210.0, 214.0, 208.0]


def test_a_walking_pace_that_changes_or_lasts_for_a_minute_is_one() -> None:
    rows = status(parked(0, 301, 1000, 500, every=60)).with_columns(speed_kmh=pl.Series([3.0, 4.0, 3.0, 3.0, 4.0, 0.0]))
    assert observations(rows, NOWHERE)["speed_kmh"].to_list() == [3.0, 4.0, 3.0, 3.0, 4.0, 0.0]


def test_a_position_of_the_same_moment_stands_on_the_same_row() -> None:
    place = {"provider": "p", "vehicle": "a", "via": "push", "clock": "device", "lat_deg": 52.5, "lon_deg": 13.4}
    rows = [{**place, "time": moment(at), "received_at": moment(at), "sequence": at} for at in (900, 1000)]
    told = observations(status(parked(0, 1801, 1000, 500)), shaped(pl.DataFrame(rows), "location").lazy())
    assert told.height == 4
    assert told["placed"].to_list() == [False, True, True, False]
    assert told["lat_deg"].to_list() == [None, 52.5, 52.5, None]


@pytest.mark.parametrize(
    ("said", "charges"),
    [
        ({"charge_state": "charging_dc"}, True),
        ({"charge_state": "complete", "charging": False}, False),
        ({"charging": True}, True),
        ({"charging": True, "plugged": False}, False),
        ({"plugged": True}, None),
    ],
)
def test_a_charge_is_what_word_or_flag_say_and_never_one_of_an_unplugged_vehicle(
    said: dict[str, object], charges: bool | None
) -> None:
    rows = status(parked(0, 1, 1000, 500)).with_columns(pl.lit(value).alias(name) for name, value in said.items())
    assert observations(rows, NOWHERE)["charging"].to_list() == [charges]


# ---- what does not matter ------------------------------------------------------------------------------------------


def made(rows: pl.LazyFrame) -> pl.DataFrame:
    return trips(segments_of(observed(rows)))


def fleet() -> pl.DataFrame:
    """Two vehicles over three outings each, one of them pushed about, both with gaps."""
    parts = []
    for vehicle, thin in (("a", 7), ("b", 11)):
        rows: list[Said] = []
        for each in range(3):
            rows += [
                (at + each * 40_000, lock, (way or 0) + each * 6020, (ran or 0) + each * 600)
                for number, (at, lock, way, ran) in enumerate(outing())
                if number % thin
            ]
        parts.append(status(rows, vehicle).collect())
    return pl.concat(parts)


FLEET = fleet()
TRIPS = made(FLEET.lazy())


def test_the_fleet_of_these_tests_has_trips() -> None:
    assert TRIPS.group_by("vehicle").len()["len"].to_list() == [3, 3]


@given(st.randoms(use_true_random=False), st.integers(0, 200))
@settings(deadline=None, max_examples=20)
def test_order_and_late_receipt_make_no_difference(chance: object, late: int) -> None:
    """T1."""
    assert hasattr(chance, "shuffle")
    places = list(range(FLEET.height))
    chance.shuffle(places)
    again = FLEET.with_columns(pl.when(pl.int_range(pl.len()) % 50 == late % 50).then(
        pl.col("received_at") + timedelta(seconds=late)
    ).otherwise("received_at").alias("received_at"))  # fmt: skip
    assert_frame_equal(made(again[places].lazy()), TRIPS)


@given(st.integers(1, FLEET.height - 1))
@settings(deadline=None, max_examples=20)
def test_trips_that_had_ended_before_a_restart_are_the_same_after_it(cut: int) -> None:
    """T7."""
    by_time = FLEET.sort("time", "vehicle")
    before = made(by_time.head(cut).lazy())
    ended = before.filter(pl.col("finished_at") < by_time["time"][cut - 1] - timedelta(seconds=1800))
    same = TRIPS.join(ended.select("trip_id"), on="trip_id", how="semi", maintain_order="left")
    assert_frame_equal(same.drop("ride"), ended.drop("ride"))


@given(st.integers(-65, 3900), st.integers(1, 20))
@settings(deadline=None, max_examples=20)
def test_a_clock_that_is_off_makes_the_same_trips(behind_s: int, thin: int) -> None:
    """T7."""
    rows = [row for number, row in enumerate(outing()) if number % (thin + 1)]
    found, right = made(status(rows, behind_s=behind_s)), made(status(rows))
    assert found["trip_id"].to_list() == right["trip_id"].to_list()
    apart = (found["started_at"] - right["started_at"]).dt.total_milliseconds().abs() / 1000
    assert apart.max() == (0 if behind_s > 120 or behind_s < -60 else abs(behind_s))


@given(st.integers(0, 3), st.integers(0, 66), st.floats(0.0, 2000.0))
@settings(deadline=None, max_examples=30)
def test_a_stale_or_repeated_reading_makes_no_trip(copies: int, place: int, stale: float) -> None:
    rows = outing()
    wrong = [(9000.0 + 60 * each, True, float(stale), 500.0) for each in range(copies)]
    still = [(at + 10_000.0, lock, way, ran) for at, lock, way, ran in parked(0, 30_000, 7000, 1100)]
    found = made(status(sorted([*rows, *wrong, *still], key=lambda row: row[0])))
    assert_frame_equal(found, made(status(rows)).with_columns(found["ride"]))
    assert found.height == 1


def test_a_swap_of_packs_makes_no_difference() -> None:
    swapped = pl.when(pl.col("sequence") < 40).then(12.0).otherwise(98.0).alias("soc_pct")
    assert_frame_equal(made(FLEET.lazy().with_columns(swapped)), TRIPS)
