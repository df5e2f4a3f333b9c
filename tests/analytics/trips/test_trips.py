"""Trips: every rule of lock, odometer and riding seconds, on vehicles of a few rows."""

import polars as pl
import pytest

from analytics.frames import DOWNTIME, downtime, out_of_service
from analytics.trips.trips import trips
from tests.analytics.finding import observed, segments_of
from tests.analytics.told import AT, Said, made, moment, outing, parked, ridden, seconds, status


def test_a_ride_lies_between_unlocking_and_locking_and_has_what_the_counters_say() -> None:
    found = made(outing())
    assert seconds(found, "started_at", "finished_at") == [(3610, 4210)]
    told = found.select("kind", "distance_m", "riding_s", "paused_s", "start_odometer_m", "finish_odometer_m").row(0)
    assert told == ("observed", 6000, 600, 0, 1000, 7000)


def test_a_parked_vehicle_has_no_trip() -> None:
    """T5."""
    assert made(parked(0, 30 * 86_400, 1000, 500)).is_empty()


def test_a_start_that_was_not_heard_is_dated_back_by_the_riding_seconds() -> None:
    rows = [row for row in outing() if not 3600 < row[0] < 3700]
    assert seconds(made(rows), "started_at") == [(3610,)]
    assert made(rows)["distance_m"].to_list() == [6000]


def test_an_end_that_was_not_heard_is_where_the_riding_seconds_stop() -> None:
    rows = [row for row in outing() if not 4100 < row[0] < 5000]
    assert seconds(made(rows), "finished_at") == [(4210,)]


def test_a_gap_that_was_ridden_through_is_bridged() -> None:
    rows = [row for row in outing(3000) if not 4000 < row[0] < 6000]
    found = made(rows)
    assert found["kind"].to_list() == ["bridged"]
    assert found["distance_m"].to_list() == [30_000]


def test_a_gap_that_hides_a_stop_splits_the_ride() -> None:
    late = ridden(3000, 3300, 3000, 700)
    found = made([*parked(0, 1, 1000, 500), *ridden(10, 210, 1000, 500), *late, *parked(3300, 3301, 6000, 1000)])
    assert seconds(found, "started_at", "finished_at") == [(10, 200), (2990, 3300)]
    assert found["distance_m"].to_list() == [1900, 3000]


@pytest.mark.parametrize(("silent_s", "rides"), [(200, 1), (400, 2)])
def test_a_short_silence_hides_no_stop(silent_s: int, rides: int) -> None:
    again = 210 + silent_s
    rows = [*parked(0, 1, 1000, 500), *ridden(10, 211, 1000, 500), *ridden(again, again + 200, 3000, 700)]
    assert made([*rows, *parked(again + 200, again + 201, 5000, 900)]).height == rides


def test_a_ride_between_two_locked_readings_has_exact_counters_and_a_window() -> None:
    rows = [*parked(0, 901, 1000, 500), *parked(4500, 6000, 4000, 800)]
    found = made(rows)
    assert found.select("kind", "distance_m", "riding_s").row(0) == ("inferred", 3000, 300)
    assert seconds(found, "started_at", "finished_at") == [(2550, 2850)]
    assert found.select("start_uncertainty_s", "finish_uncertainty_s").row(0) == (1650, 1650)


def test_a_lock_that_bounces_ends_no_ride() -> None:
    first, second = ridden(10, 310, 1000, 500), ridden(320, 620, 4000, 800)
    rows = [*parked(0, 1, 1000, 500), *first, (312, True, 4000, 800), *second, *parked(620, 621, 7000, 1100)]
    found = made(rows)
    assert seconds(found, "started_at", "finished_at") == [(10, 620)]


def test_a_lock_that_is_told_a_minute_late_did_not_bounce() -> None:
    first, second = ridden(10, 310, 1000, 500), ridden(380, 620, 4000, 800)
    rows = [*parked(0, 1, 1000, 500), *first, (310, False, 4000, 800), (370, True, 4000, 800), *second]
    found = made([*rows, *parked(620, 621, 6400, 1040)])
    assert seconds(found, "started_at", "finished_at") == [(10, 370), (380, 620)]


def test_standing_unlocked_for_longer_than_an_hour_ends_a_ride_where_it_last_moved() -> None:
    def still(until: int) -> list[Said]:
        return [
            *parked(0, 1, 1000, 500),
            *ridden(10, 211, 1000, 500),
            *((second, False, 3000.0, 700.0) for second in range(220, until, 60)),
            *ridden(until, until + 200, 3000, 700),
            *parked(until + 200, until + 201, 5000, 900),
        ]

    assert seconds(made(still(1500)), "started_at", "finished_at") == [(10, 1700)]
    assert made(still(1500))["paused_s"].to_list() == [1290]
    assert seconds(made(still(6000)), "started_at", "finished_at")[0] == (10, 210)
    assert made(still(6000)).height == 2


def test_locking_after_a_long_rest_is_no_part_of_the_ride() -> None:
    rest: list[Said] = [(second, False, 3000.0, 700.0) for second in range(220, 5000, 60)]
    rows = [*parked(0, 1, 1000, 500), *ridden(10, 211, 1000, 500), *rest, *parked(5000, 6000, 3000, 700)]
    assert seconds(made(rows), "started_at", "finished_at") == [(10, 210)]


def test_pushed_by_hand_is_no_trip() -> None:
    assert made([*parked(0, 901, 1000, 500), *parked(1800, 5000, 1080, 500)]).is_empty()


def test_riding_seconds_of_a_wheel_that_did_not_turn_are_no_hidden_ride() -> None:
    still, turned = ([*parked(0, 901, 1000, 500), *parked(1800, 5000, 1000 + way_m, 575)] for way_m in (0, 80))
    assert made(still).is_empty()
    assert made(turned)["kind"].to_list() == ["inferred"]


def test_unlocked_and_locked_again_without_going_is_no_trip() -> None:
    assert made([*parked(0, 901, 1000, 500), (960, False, 1010, 505), *parked(970, 3000, 1012, 510)]).is_empty()


def test_a_stale_reading_makes_no_trip() -> None:
    rows = [*parked(0, 5000, 9000, 4000), (950, True, 8000, 3800), (1900, True, 8000, 3800)]
    assert made(sorted(rows)).is_empty()


def test_the_first_reading_under_way_begins_an_open_trip() -> None:
    found = made([*ridden(0, 300, 1000, 500), *parked(300, 2000, 4000, 800)])
    assert found.select("distance_m", "start_uncertainty_s").row(0) == (3000, None)


def test_a_ride_that_is_under_way_has_no_row() -> None:
    assert made([*parked(0, 3601, 1000, 500), *ridden(3610, 4000, 1000, 500)]).is_empty()


def test_a_vehicle_whose_lock_is_told_late_does_not_ride_with_another() -> None:
    first = status(outing(), "a")
    silent: list[Said] = [(0, None, 5000, 100), *((second, False, 5000.0, 100.0) for second in range(10, 60, 10))]
    both = pl.concat([first, status([*silent, *parked(60, 100, 5000, 100)], "b")])
    assert trips(segments_of(observed(both))).equals(made(outing()))


def test_a_trip_is_named_by_its_vehicle_and_the_counters_at_its_start() -> None:
    whole, part = made(outing()), made([row for row in outing() if row[0] not in (3610, 3650, 4000)])
    assert whole["trip_id"].to_list() == ["p/a/1000/500"]
    assert part["trip_id"].to_list() == whole["trip_id"].to_list()


def test_what_was_ridden_while_the_collector_was_away_is_never_observed() -> None:
    spans = pl.DataFrame({"begin": [moment(3900)], "end": [moment(3905)]}, schema=DOWNTIME)
    told = observed(status(outing()))
    assert trips(segments_of(told, spans))["kind"].to_list() == ["bridged"]
    assert trips(segments_of(told, DOWNTIME.to_frame()))["kind"].to_list() == ["observed"]


def test_the_collector_was_away_between_heartbeats_that_are_far_apart() -> None:
    beats = pl.LazyFrame({"time": [moment(second) for second in (120, 0, 60, 600, 660, 660)]})
    assert seconds(downtime(beats), "begin", "end") == [(120, 600)]


# ---- vehicles without a lock ---------------------------------------------------------------------------------------


def polled(*told: tuple[int, float]) -> pl.DataFrame:
    rows = status([(second, None, odometer, None) for second, odometer in told])
    return trips(segments_of(observed(rows, use=False), use=False))


def test_a_vehicle_without_a_lock_rode_where_its_odometer_moved() -> None:
    found = polled((0, 1000), (300, 1000), (600, 1570), (900, 1570))
    assert found.select("kind", "distance_m", "riding_s").row(0) == ("inferred", 570, None)
    assert seconds(found, "started_at", "finished_at") == [(400, 500)]
    assert found["start_uncertainty_s"].to_list() == [100]


def test_windows_between_polls_are_one_ride_while_it_stands_for_less_than_ten_minutes() -> None:
    found = polled((0, 1000), (300, 2710), (600, 2710), (900, 4420), (3000, 4420), (3300, 6130), (3600, 6130))
    assert found["distance_m"].to_list() == [3420, 1710]
    assert seconds(found, "started_at", "finished_at")[0] == (0, 900)


def test_a_ride_over_several_windows_ends_its_first_and_begins_its_last() -> None:
    found = polled((0, 1000), (300, 1570), (600, 3280), (900, 4420), (1200, 4420))
    assert seconds(found, "started_at", "finished_at") == [(200, 800)]
    assert found.select("start_uncertainty_s", "finish_uncertainty_s").row(0) == (200, 200)


def test_a_long_window_is_not_joined_with_its_neighbour() -> None:
    assert polled((0, 1000), (30_000, 4000), (30_300, 5710), (30_600, 5710))["distance_m"].to_list() == [3000, 1710]


@pytest.mark.parametrize(("reading", "rides"), [(1010, 0), (1030, 0), (1031, 1)])
def test_thirty_metres_between_two_polls_are_no_ride(reading: float, rides: int) -> None:
    assert polled((0, 1000), (300, reading), (600, reading)).height == rides


def resting(begin: float, end: float) -> pl.DataFrame:
    """Vehicle `a` was out of service, as `vehicles` tells."""
    told = {"time": [AT, moment(begin), moment(end)], "in_service": [True, False, True]}
    return out_of_service(pl.LazyFrame({"provider": "p", "vehicle": "a", **told}))


def test_a_vehicle_out_of_service_makes_no_trips() -> None:
    later = [(at + 10_000, lock, (way or 0) + 6000, (ran or 0) + 600) for at, lock, way, ran in outing()]
    heard = observed(status([*outing(), *later]))
    assert seconds(trips(segments_of(heard, None, resting(9000, 20_000))), "started_at") == [(3610,)]
    unheard = observed(status([*outing(), *parked(12_000, 14_000, 9000, 1900)]))
    assert trips(segments_of(unheard)).height == 2
    assert trips(segments_of(unheard, None, resting(5000, 20_000))).height == 1


# ---- what is said of a trip ----------------------------------------------------------------------------------------


def test_a_trip_that_was_heard_throughout_has_nothing_to_be_known_of_it() -> None:
    found = made(outing())
    assert found.select("flags", "coverage", "mean_speed_kmh", "distance_source").row(0) == (None, 1, 36, "odometer")


def test_flags_tell_what_a_trip_lacks() -> None:
    open_start = made([*ridden(0, 300, 1000, 500), *parked(300, 2000, 4000, 800)])
    assert open_start["flags"].to_list() == [["open_start"]]
    late = ridden(3000, 3300, 3000, 700)
    split = made([*parked(0, 1, 1000, 500), *ridden(10, 210, 1000, 500), *late, *parked(3300, 3301, 6000, 1000)])
    assert split["flags"].to_list() == [["open_end"], None]
    long = made([*parked(0, 1, 1000, 500), *ridden(10, 20_000, 1000, 500), *parked(20_000, 21_000, 200_900, 20_490)])
    assert long["flags"].to_list() == [["outlier"]]


def test_coverage_is_the_share_of_the_readings_that_were_to_come() -> None:
    half = [row for row in outing() if row[1] or row[0] % 20]
    assert made(half)["coverage"].to_list() == [pytest.approx(31 / 61)]
    assert made([*parked(0, 901, 1000, 500), *parked(4500, 6000, 4000, 800)])["coverage"].to_list() == [0]
    often = [*parked(0, 1, 1000, 500), *ridden(10, 310, 1000, 500, every=5), *parked(310, 311, 4000, 800)]
    assert made(often)["coverage"].to_list() == [1]
    assert polled((0, 1000), (300, 1000), (600, 1570), (900, 1570))["coverage"].to_list() == [None]
