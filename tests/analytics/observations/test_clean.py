"""Cleaning: clocks, order, repetition and positions; nothing is changed without a reason."""

from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from analytics.observations.clean import fixes, readings
from analytics.schemas import FIXES, READINGS, REASONS
from analytics.trips.intervals import intervals
from analytics.trips.trips import trips
from logger.tables import shaped
from tests.analytics.told import AT, Said, moment, outing, parked, seconds, status

DAY_S = 86_400


def reasons(found: pl.DataFrame) -> list[tuple[float, str]]:
    return [((at - AT).total_seconds(), why) for at, why in found.sort("time").select("time", "reason").rows()]


def test_readings_have_their_columns_and_no_reason_where_nothing_was_changed() -> None:
    told, why = readings(status(outing()))
    assert (told.schema, why.schema) == (READINGS, REASONS)
    assert why.is_empty()
    assert told.select(pl.col("way_m", "ride_s").last()).row(0) == (6000, 600)


def test_nothing_comes_of_nothing() -> None:
    told, why = readings(status(outing()).head(0))
    assert (told.schema, told.height, why.height) == (READINGS, 0, 0)
    assert trips(intervals(told)).is_empty()


def test_a_reading_that_is_taken_back_is_left_out_with_its_reason() -> None:
    rows: list[Said] = [*parked(0, 3601, 1000, 500), (3700, True, 400, 500), *parked(4500, 9000, 1000, 500)]
    told, why = readings(status(rows))
    assert reasons(why) == [(3700, "glitch")]
    assert told.height == len(rows) - 1


def test_a_counter_that_begins_anew_is_told() -> None:
    rows = [*parked(0, 3601, 90_000, 500), *parked(4500, 9000, 0, 500)]
    told, why = readings(status(rows))
    assert reasons(why) == [(4500, "odometer_reset")]
    assert told["jump"].sum() == 1


def test_a_clock_that_is_an_hour_off_is_corrected() -> None:
    told, why = readings(status(outing(), behind_s=3600))
    assert told["at"].to_list() == [moment(row[0]) for row in outing()]
    assert set(why["reason"]) == {"clock_corrected"}


def test_vehicles_of_two_providers_that_share_a_name_have_a_clock_each() -> None:
    right, behind = status(outing()), status(outing(), behind_s=3600).with_columns(provider=pl.lit("q"))
    told, why = readings(pl.concat([behind, right]))
    assert_frame_equal(told, pl.concat([readings(right)[0], readings(behind)[0]]))
    assert set(why["provider"]) == {"q"}


def test_an_hour_with_a_single_message_follows_the_hours_around_it() -> None:
    rows = [*parked(0, 7200, 1000, 500), *parked(9000, 9001, 1000, 500), *parked(10_800, 14_400, 1000, 500)]
    told, _ = readings(status(rows, behind_s=-1800))
    assert (9000,) in seconds(told, "at")
    alone = readings(status([*parked(0, 1, 1000, 500), *parked(9000, 9001, 1000, 500)], behind_s=1800))[0]
    assert seconds(alone, "at") == [(-1800,), (7200,)]
    other = status(parked(9000, 9001, 1000, 500), "b", behind_s=1800)
    both = readings(pl.concat([status(rows, behind_s=1800), other]))[0]
    assert seconds(both.filter(pl.col("vehicle") == "b"), "at") == [(7200,)]


def test_stored_messages_that_come_late_are_no_wrong_clock() -> None:
    rows = status(parked(0, 20_000, 1000, 500)).with_columns(
        received_at=pl.max_horizontal("received_at", pl.lit(moment(15_000)).cast(pl.Datetime("ms", "UTC")))
    )
    assert readings(rows)[1].is_empty()


def test_a_moment_after_its_receipt_is_replaced_by_the_receipt() -> None:
    ahead = pl.when(pl.col("sequence") == 2).then(pl.col("time") + timedelta(seconds=300)).otherwise("time")
    told, why = readings(status(parked(0, 9000, 1000, 500)).with_columns(time=ahead))
    assert reasons(why) == [(1200, "time_ahead")]
    assert seconds(told, "at")[1] == (900,)


def test_an_import_keeps_its_times() -> None:
    rows = status(outing(), behind_s=3600).with_columns(via=pl.lit("import"))
    assert readings(rows)[0]["at"][0] == moment(-3600)


# ---- what does not matter ------------------------------------------------------------------------------------------


def made(rows: pl.LazyFrame) -> pl.DataFrame:
    return trips(intervals(readings(rows)[0]))


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


# ---- positions -----------------------------------------------------------------------------------------------------


def location(**told: object) -> pl.LazyFrame:
    base = {"provider": "p", "vehicle": "a", "time": moment(0), "received_at": moment(0), "via": "push"}
    row = {**base, "clock": "device", "sequence": 1, "lat_deg": 52.5, "lon_deg": 13.4, **told}
    return shaped(pl.DataFrame([row]), "location").lazy()


def test_a_position_has_a_standard_error_by_its_hdop() -> None:
    found, why = fixes(location(hdop=1.2, satellites=9))
    assert found.schema == FIXES
    assert found["sigma_m"].to_list() == [6.0]
    assert why.is_empty()


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"lat_deg": 0.0, "lon_deg": 0.0}, "no_position"),
        ({"lat_deg": None}, "no_position"),
        ({"lat_deg": 91.0}, "no_position"),
        ({"fix_valid": False}, "fix_invalid"),
        ({"satellites": 3}, "few_satellites"),
        ({"hdop": 5.1}, "poor_hdop"),
    ],
)
def test_what_is_no_position_is_left_out_with_its_reason(told: dict[str, object], reason: str) -> None:
    found, why = fixes(location(**told))
    assert found.is_empty()
    assert why["reason"].to_list() == [reason]
