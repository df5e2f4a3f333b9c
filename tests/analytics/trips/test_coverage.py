"""The books: every metre of the odometer is in a trip, pushed or unplaced, and every day has its own."""

from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.frames import IDLE
from analytics.schemas import OBSERVATIONS
from analytics.trips.coverage import coverage
from analytics.trips.trips import trips
from logger.tables import DERIVED, RAW, shaped
from tests.analytics.finding import observed, segments_of
from tests.analytics.told import Said, moment, outing, parked, ridden, status, stories

NO_INTAKE = RAW["intake"].schema.to_frame()

_STEPS = segments_of(OBSERVATIONS.to_frame())
NOTHING = (_STEPS, trips(_STEPS))


def known(zone: str = "UTC") -> pl.DataFrame:
    return pl.DataFrame({"provider": ["p"], "vehicle": ["a"], "timezone": [zone]})


def covered(rows: list[Said], zone: str = "UTC", intake: pl.DataFrame = NO_INTAKE) -> pl.DataFrame:
    steps = segments_of(observed(status(rows)))
    return coverage(steps, trips(steps), intake, known(zone))


def books(found: pl.DataFrame) -> list[tuple[float | None, ...]]:
    return found.select("odometer_m", "trips_m", "pushed_m", "unplaced_m").rows()


def test_a_day_has_the_columns_of_its_table() -> None:
    assert covered(outing()).schema == DERIVED["coverage"].schema
    assert coverage(*NOTHING, NO_INTAKE, known()).schema == DERIVED["coverage"].schema


def test_metres_of_trips_are_apart_from_those_pushed_by_hand() -> None:
    rows = [*outing(), (8710, True, 7020, 1100), (9600, True, 7025, 1100)]
    assert books(covered(rows)) == [(6025, 6000, 25, 0)]


def test_metres_around_a_hidden_stop_are_unplaced() -> None:
    rows = [*parked(0, 1, 1000, 500), *ridden(10, 210, 1000, 500), *ridden(3000, 3300, 4000, 700)]
    assert books(covered([*rows, *parked(3300, 3301, 7000, 1000)])) == [(6000, 4900, 0, 1100)]


def test_metres_of_a_ride_under_way_are_unplaced_until_it_ends() -> None:
    rows = [*parked(0, 3601, 1000, 500), *ridden(3610, 4000, 1000, 500)]
    assert books(covered(rows)) == [(3800, 0, 0, 3800)]


def test_a_trip_over_midnight_is_shared_between_its_days() -> None:
    midnight = 18 * 3600  # the story begins at six in the morning
    rows = [(at + midnight - 4000, lock, way, ran) for at, lock, way, ran in outing()]
    found = covered(rows)
    assert found["day"].to_list() == ["2026-03-01", "2026-03-02"]
    assert books(found) == [(3800, 3800, 0, 0), (2200, 2200, 0, 0)]


def test_each_day_is_the_vehicles_own_and_begins_at_its_midnight() -> None:
    found = covered(parked(0, 3600, 1000, 500), "America/Los_Angeles")
    assert found["day"].to_list() == ["2026-02-28"]
    assert found["time"].to_list() == [datetime(2026, 2, 28, 8, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("zone", "begins"),
    [
        ("Africa/Cairo", datetime(2026, 4, 23, 22, tzinfo=UTC)),  # no midnight
        ("Asia/Beirut", datetime(2026, 3, 28, 22, tzinfo=UTC)),  # no midnight
        ("America/Havana", datetime(2026, 11, 1, 4, tzinfo=UTC)),  # two
    ],
)
def test_a_day_begins_with_its_first_moment_where_clocks_change_at_midnight(zone: str, begins: datetime) -> None:
    noon = (begins - moment(0)).total_seconds() + 12 * 3600
    found = covered([(noon, True, 1000, 500), (noon + 900, True, 1000, 500)], zone)
    assert found["time"].to_list() == [begins]


def test_a_vehicle_without_an_odometer_has_no_metres() -> None:
    found = covered([(0, True, None, None), (900, True, None, None)])
    assert books(found) == [(None, None, None, None)]


def test_a_jump_of_the_odometer_has_no_metres() -> None:
    rows = [*parked(0, 5000, 900_000, 500), *parked(5400, 10_000, 20, 500)]
    assert books(covered(rows)) == [(0, 0, 0, 0)]


def test_metres_of_a_vehicle_out_of_service_are_pushed() -> None:
    resting = pl.DataFrame([("p", "a", moment(0), None)], schema=IDLE, orient="row")
    steps = segments_of(observed(status(outing())), None, resting)
    assert books(coverage(steps, trips(steps), NO_INTAKE, known())) == [(6000, 0, 6000, 0)]


def test_messages_are_expected_by_the_cadence_of_riding_and_standing() -> None:
    found = covered(outing(ride_s=600, before_s=3600, after_s=3600))
    assert found["expected"].to_list() == [2 * (60 + 8)]
    assert covered([(0, None, 1000, None), (900, None, 5000, None)])["expected"].to_list() == [None]


def test_messages_are_counted_on_the_local_day_of_their_hour() -> None:
    told = {"provider": "p", "vehicle": "a", "duplicates": 1, "late": 2}
    rows = [
        {**told, "time": moment(0), "source": "s", "received": 30, "median_latency_s": 1.0},
        {**told, "time": moment(0), "source": "t", "received": 10, "median_latency_s": 3.0},
        {**told, "time": moment(18 * 3600), "source": "s", "received": 5, "median_latency_s": None},
    ]
    found = covered([(0, True, 1000, 500), (900, True, 1000, 500)], intake=shaped(pl.DataFrame(rows), "intake"))
    assert found.select("day", "received", "duplicates", "late", "median_latency_s", "longest_gap_s").rows() == [
        ("2026-03-01", 40, 2, 4, 1.5, 900),
        ("2026-03-02", 5, 1, 2, None, None),
    ]


@given(stories(), st.sampled_from(["UTC", "America/Los_Angeles", "Asia/Kolkata", "Pacific/Apia"]))
@settings(deadline=None, max_examples=40)
def test_the_books_add_up_to_the_odometer_whatever_happened(rows: list[Said], zone: str) -> None:
    """T2."""
    steps = segments_of(observed(status(rows)))
    found, rides = coverage(steps, trips(steps), NO_INTAKE, known(zone)), trips(steps)
    gone = (rows[-1][2] or 0) - (rows[0][2] or 0)
    assert found["odometer_m"].sum() == gone
    assert found.select(pl.sum_horizontal("trips_m", "pushed_m", "unplaced_m"))["trips_m"].sum() == gone
    assert found["trips_m"].sum() == rides["distance_m"].sum()


@given(stories(), st.data())
@settings(deadline=None, max_examples=40)
def test_readings_that_are_missing_change_no_distance(rows: list[Said], data: st.DataObject) -> None:
    """T4."""
    kept = data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    thin = [row for place, row in enumerate(rows) if kept[place] or place in (0, len(rows) - 1)]
    assert covered(thin)["odometer_m"].sum() == covered(rows)["odometer_m"].sum()
