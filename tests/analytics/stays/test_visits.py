"""Stays in places and vehicles that were carried, by positions and counters."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.schemas import FIXES
from analytics.stays.stay_points import whereabouts
from analytics.stays.visits import known_span, relocations, stays
from analytics.trips.trips import trips
from logger.settings.schema import Place
from logger.tables import TIME
from tests.analytics.finding import observed, segments_of
from tests.analytics.told import Said, moment, outing, parked, ridden, status, stories

LAT, LON, DEGREE_M = 52.5, 13.4, 111_195.08
Fix = tuple[float, float]  # second, metres to the north
Place_ = Mapping[str, Place]


def circle(north_m: float, radius_m: float) -> Place:
    return Place(lat_deg=LAT + north_m / DEGREE_M, lon_deg=LON, radius_m=radius_m)


DEPOT = {"Depot": circle(0, 100)}


def fixes(told: Iterable[Fix], sigma_m: float = 5.0) -> pl.DataFrame:
    rows = [("p", "a", moment(second), LAT + north_m / DEGREE_M, LON, sigma_m) for second, north_m in told]
    return pl.DataFrame(rows, schema=FIXES, orient="row").sort("at")


def seen(said: Sequence[Said], told: Iterable[Fix], sigma_m: float = 5.0) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Whereabouts, and the intervals that they are held against."""
    steps = segments_of(observed(status(said)))
    return whereabouts(fixes(told, sigma_m), steps, trips(steps)), steps


def stayed(said: Sequence[Said], told: Iterable[Fix], places: Place_ = DEPOT) -> list[Any]:
    rows, _ = seen(said, told)
    got = stays(rows, places, known_span(rows, places, from_begin=True, to_end=True))
    assert got.select("kind", "system", "count").unique().rows() in ([], [("pipeline", "place", 1)])
    return got.select("code", "started_at", "finished_at", "open").rows()


def carried(said: Sequence[Said], told: Iterable[Fix], sigma_m: float = 5.0) -> list[Any]:
    rows, steps = seen(said, told, sigma_m)
    got = relocations(rows, steps, known_span(rows, {}, from_begin=True, to_end=True))
    return got.select("system", "code", "text", "started_at", "finished_at").rows()


def stood(begin: int, end: int, north_m: float, scatter_m: float = 0.0) -> list[Fix]:
    """Fixes of a parked vehicle every 900 s, south of where it stands, there, and north of it by turns."""
    return [(second, north_m + scatter_m * (n % 3 - 1)) for n, second in enumerate(range(begin, end, 900))]


def rode(begin: int, end: int, north_m: float) -> list[Fix]:
    """Fixes every 10 s at 10 m/s to the north."""
    return [(second, north_m + 10 * (second - begin)) for second in range(begin, end, 10)]


OUTING = outing()  # locked until 3610 s, ridden for 600 s, locked for an hour
WAY = [*stood(0, 3601, 0), *rode(3610, 4210, 0), *stood(4210, 7811, 6000)]


def span(code: str, begin: float, end: float | None) -> tuple[str, datetime, datetime | None, bool]:
    return code, moment(begin), None if end is None else moment(end), end is None


# ---- stays ---------------------------------------------------------------------------------------------------------


def test_a_stay_lies_from_the_first_fix_inside_to_the_last() -> None:
    assert stayed(OUTING, WAY) == [span("Depot", 0, 3620)]


def test_what_has_not_left_is_open() -> None:
    assert stayed(OUTING, WAY, {"End": circle(6000, 105)}) == [span("End", 4200, None)]


def test_riding_through_is_a_stay_and_one_fix_inside_is_none() -> None:
    assert stayed(OUTING, WAY, {"Gate": circle(3000, 110)}) == [span("Gate", 3900, 3920)]
    assert stayed(OUTING, WAY, {"Kerb": circle(3000, 40)}) == []


def test_a_single_fix_outside_is_no_leaving() -> None:
    thrown = [(second, north + (500 if second == 4000 else 0)) for second, north in WAY]
    assert stayed(OUTING, thrown, {"Town": circle(3000, 9000)}) == [span("Town", 0, None)]
    assert len(stayed(OUTING, thrown, {"Road": circle(3000, 2000)})) == 1


def test_a_reflection_of_a_parked_vehicle_does_not_begin_the_stay_of_the_ride_after_it() -> None:
    told = [*stood(0, 3601, 0), *rode(3610, 4210, 0)[1:]]
    told[2] = (1800, 150)
    assert stayed(OUTING, told, {"Gate": circle(150, 100)}) == [span("Gate", 3620, 3630)]


def test_a_parked_vehicle_at_a_border_stays_or_does_not_but_never_jitters() -> None:
    said = parked(0, 90_000, 1000, 500)
    for north_m, times in ((99, 1), (101, 0)):
        assert len(stayed(said, stood(0, 90_000, north_m, scatter_m=8))) == times


def test_a_vehicle_that_moves_along_a_border_leaves_once() -> None:
    along = [(second, 100 + 9 * (-1) ** n) for n, second in enumerate(range(3610, 4210, 10))]
    told = [*stood(0, 3601, 90), *along, *stood(4210, 7811, 400)]
    assert len(stayed(OUTING, told)) == 1


def test_places_that_overlap_have_stays_of_their_own() -> None:
    nested = {"Depot": circle(0, 100), "Town": circle(0, 3000), "Polygon": Place(polygon=square(1000))}
    assert stayed(OUTING, WAY, nested) == [
        span("Depot", 0, 3620),
        span("Polygon", 0, 3710),
        span("Town", 0, 3910),
    ]


def square(half_m: float) -> tuple[tuple[float, float], ...]:
    north, east = half_m / DEGREE_M, 2 * half_m / DEGREE_M
    return tuple((LAT + a * north, LON + b * east) for a, b in ((-1, -1), (-1, 1), (1, 1), (1, -1)))


def test_a_vehicle_that_tells_only_positions_stays_too() -> None:
    assert stayed([(0.0, None, None, None)], WAY) == [span("Depot", 0, 3620)]


def test_no_row_of_a_private_place_tells_a_position() -> None:
    rows, _ = seen(OUTING, WAY)
    home = {"Home": Place(lat_deg=LAT, lon_deg=LON, radius_m=100, private=True)}
    got = stays(rows, home, known_span(rows, home, from_begin=True, to_end=True))
    assert got.select("code", "text").rows() == [("Home", "in Home")]
    assert not [name for name in got.columns if "lat" in name or "lon" in name]


@settings(deadline=None)
@given(st.lists(st.floats(-400, 400), min_size=1, max_size=40), st.integers(1, 300))
def test_stays_do_not_overlap_and_lie_between_fixes_whatever_a_vehicle_does(norths: list[float], radius: int) -> None:
    told = [(60.0 * n, north) for n, north in enumerate(norths)]
    got = stayed([(0.0, None, None, None)], told, {"Depot": circle(0, radius)})
    ends = [each for _, begin, end, _ in got for each in (begin, end)]
    whole = [end for end in ends if end is not None]
    assert whole == sorted(whole)
    assert {*whole} <= {moment(second) for second, _ in told}
    assert [end is None for _, _, end, _ in got][:-1] == [False] * (len(got) - 1 if got else 0)


# ---- carried -------------------------------------------------------------------------------------------------------


def test_a_vehicle_that_stands_elsewhere_and_did_not_roll_was_carried() -> None:
    told = [*stood(0, 36_000, 0, 6), *stood(36_000, 72_000, 1234, 6)]
    assert carried(parked(0, 72_000, 1000, 500), told) == [
        ("relocation", "relocated", "carried 1.2 km", moment(35_100), moment(36_000))
    ]


def test_one_that_rolled_so_far_was_pushed() -> None:
    said = [*parked(0, 36_000, 1000, 500), *parked(36_000, 72_000, 1240, 500)]
    assert carried(said, [*stood(0, 36_000, 0), *stood(36_000, 72_000, 200)]) == []
    assert len(carried(said, [*stood(0, 36_000, 0), *stood(36_000, 72_000, 1200)])) == 1


def test_one_that_was_ridden_there_was_not_carried() -> None:
    assert carried(OUTING, WAY) == []


def test_a_clock_of_positions_that_is_a_minute_ahead_of_that_of_counters_carries_nobody() -> None:
    early = [(second, 80 + 3 * (second - 3550)) for second in range(3550, 3610, 10)]
    assert carried(OUTING, [*stood(0, 3550, 0), *early, *rode(3610, 4210, 260), *stood(4210, 7811, 6260)]) == []


def test_unlocking_it_to_load_it_is_no_ride() -> None:
    touched = [*parked(0, 36_000, 1000, 500), (35_200.0, False, 1000.0, 500.0), (35_215.0, True, 1004.0, 500.0)]
    said = sorted([*touched, *parked(36_000, 72_000, 1004, 500)])
    assert len(carried(said, [*stood(0, 36_000, 0), *stood(36_000, 72_000, 300)])) == 1


@pytest.mark.parametrize(("north_m", "sigma_m", "times"), [(49, 5, 0), (60, 5, 1), (60, 20, 0), (90, 20, 1)])
def test_errors_of_positions_are_no_way(north_m: float, sigma_m: float, times: int) -> None:
    told = [*stood(0, 36_000, 0), *stood(36_000, 72_000, north_m)]
    assert len(carried(parked(0, 72_000, 1000, 500), told, sigma_m)) == times


def test_a_reflection_is_no_place_and_neither_is_what_a_van_passes() -> None:
    said = parked(0, 72_000, 1000, 500)
    assert carried(said, [*stood(0, 36_000, 0), (36_000, 300), *stood(36_900, 72_000, 0)]) == []
    told = [*stood(0, 36_000, 0), (36_000, 5000), (36_900, 9000), *stood(37_800, 72_000, 20_000)]
    assert [row[2:] for row in carried(said, told)] == [("carried 20.0 km", moment(35_100), moment(37_800))]


def test_a_van_that_reports_on_its_way_carries_once() -> None:
    stops = [(36_000 + 20 * n + m * 10, 200 * (n + 1)) for n in range(30) for m in (0, 1)]
    told = [*stood(0, 36_000, 0), *stops, *stood(36_600, 72_000, 6200)]
    assert [row[2:] for row in carried(parked(0, 72_000, 1000, 500), told)] == [
        ("carried 6.2 km", moment(35_100), moment(36_600))
    ]


def test_a_van_that_waits_for_long_carries_twice() -> None:
    told = [*stood(0, 36_000, 0), *stood(36_000, 39_600, 3000), *stood(39_600, 72_000, 6000)]
    assert [row[2] for row in carried(parked(0, 72_000, 1000, 500), told)] == ["carried 3.0 km", "carried 3.0 km"]


@pytest.mark.parametrize("offset_s", [-3600, 3600])
def test_a_clock_that_is_an_hour_off_that_of_positions_carries_nobody(offset_s: int) -> None:
    begin, end = 36_000, 36_600
    said = [*parked(0, begin, 1000, 500), *ridden(begin, end, 1000, 500), *parked(end, 72_000, 7000, 1100)]
    ride = [(begin + offset_s + 10 * n, 10 * 10 * n) for n in range(61)]
    told = [*stood(0, begin + offset_s, 0), *ride, *stood(end + offset_s + 900, 72_000, 6000)]
    assert carried(said, told) == []


def test_one_that_was_carried_before_a_round_trip_was_carried() -> None:
    said = [*parked(0, 36_000, 1000, 500), *ridden(36_000, 36_600, 1000, 500), *parked(36_600, 72_000, 7000, 1100)]
    there_and_back = [(36_000 + 10 * n, 900 + 100 * min(n, 60 - n)) for n in range(61)]
    told = [*stood(0, 30_000, 0), *stood(30_000, 36_000, 900), *there_and_back, *stood(36_600, 72_000, 900)]
    assert [row[2] for row in carried(said, told)] == ["carried 900 m"]


def test_where_the_odometer_began_anew_or_is_none_nobody_knows() -> None:
    told = [*stood(0, 36_000, 0), *stood(36_000, 72_000, 1200)]
    anew = [*parked(0, 36_000, 100_000, 500), *parked(36_000, 72_000, 0, 500)]
    assert carried(anew, told) == []
    without = [(second, True, None, None) for second, *_ in parked(0, 72_000, 0, 0)]
    assert carried(without, told) == []


def test_a_trip_is_not_made_of_being_carried() -> None:
    _, steps = seen(parked(0, 72_000, 1000, 500), [*stood(0, 36_000, 0), *stood(36_000, 72_000, 9000)])
    assert trips(steps).is_empty()


# ---- what is known of a part ---------------------------------------------------------------------------------------


def test_of_a_part_is_known_what_lies_between_two_rides() -> None:
    later = [(second + 7900, locked, way and way + 6000, ran) for second, locked, way, ran in OUTING]
    told = [*WAY, *((second + 7900, north + 6000) for second, north in WAY)]
    rows, _ = seen([*OUTING, *later], told)
    got = known_span(rows, {"Depot": circle(0, 105)}, from_begin=False, to_end=False)
    assert got.schema == pl.Schema({"vehicle": pl.String(), "known_from": TIME, "known_to": TIME})
    assert got.rows() == [("a", moment(3620), moment(11_500))]
    parked_only, _ = seen(parked(0, 9000, 1000, 500), stood(0, 9000, 0))
    assert known_span(parked_only, DEPOT, from_begin=False, to_end=False).rows() == [("a", None, None)]


def test_a_part_that_begins_or_ends_with_a_ride_knows_nothing_of_that_ride() -> None:
    again = [(second + 7900, locked, way and way + 6000, ran and ran + 600) for second, locked, way, ran in OUTING]
    told = [*WAY, *((second + 7900, north + 6000) for second, north in WAY)]
    under_way, no_rest = [row for row in [*OUTING, *again] if row[0] >= 3700], [*OUTING, *again][:-4]
    rows, _ = seen(under_way, [each for each in told if each[0] >= 3700])
    assert known_span(rows, {}, from_begin=False, to_end=False).rows() == [("a", moment(11_520), moment(11_500))]
    rows, _ = seen(no_rest, [each for each in told if each[0] <= no_rest[-1][0]])
    assert known_span(rows, {}, from_begin=False, to_end=False)["known_to"].to_list() == [moment(3600)]


def test_the_last_fix_of_a_part_may_be_confirmed_by_the_next() -> None:
    rows, _ = seen([(0.0, None, None, None)], [(0, 500), (60, 500), (120, 500), (180, 0)])
    assert known_span(rows, DEPOT, from_begin=False, to_end=False).rows() == [("a", moment(0), moment(120))]


def test_a_stay_that_is_not_whole_in_what_was_read_says_so() -> None:
    later = ridden(7900, 8500, 7000, 1100)
    rows, _ = seen(
        [*OUTING, *later, *parked(8500, 10_500, 13_000, 1700)], [*WAY, *rode(7900, 8500, 6000), (8500, 12_000)]
    )
    town = {"Town": circle(0, 100_000)}
    got = stays(rows, town, known_span(rows, town, from_begin=False, to_end=False))
    assert got.select("start_seen", "end_seen").rows() == [(False, False)]


@settings(max_examples=60, deadline=None)
@given(stories(), st.lists(st.sampled_from([-300, -90, 0, 90, 110, 2000]), min_size=30, max_size=30), st.data())
def test_what_a_part_tells_is_what_the_whole_tells(said: list[Said], norths: list[float], data: Any) -> None:
    end = said[-1][0]
    told = [(end * n / len(norths), north) for n, north in enumerate(norths)]
    first, last = sorted(data.draw(st.tuples(st.integers(0, len(said) - 1), st.integers(0, len(said) - 1))))
    since = said[first][0] if first else 0.0
    until = said[last][0]
    part, _ = seen(said[first : last + 1], [each for each in told if since <= each[0] <= until])
    whole, _ = seen(said, told)
    known = known_span(part, DEPOT, from_begin=first == 0, to_end=last == len(said) - 1)
    got = stays(part, DEPOT, known).filter("start_seen", "end_seen")
    every = stays(whole, DEPOT, known_span(whole, DEPOT, from_begin=True, to_end=True))
    names = ("started_at", "finished_at", "open")
    assert set(got.select(names).rows()) <= set(every.select(names).rows())
    begun = every.join(known, on="vehicle").filter(
        pl.col("time") > pl.col("known_from"), pl.col("time") < pl.col("known_to")
    )
    assert set(begun["time"]) <= set(stays(part, DEPOT, known)["time"])
