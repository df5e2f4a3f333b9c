"""Trips of cars whose odometer is told late: at the next start, once in half an hour, or once a day."""

from tests.cases.reports.checks import Check, count, most, near, one, since, slower_than, total
from tests.cases.reports.situations import Situation, situation
from tests.cases.reports.story import Row, Story, renewed

DAY_S, HALF_HOUR_S = 86_400, 1800
PLACE = ("lat_deg", "lon_deg")


def _two_trips_a_day(days: int) -> Story:
    """From midnight on, each day 15 km from 08:00 to 08:30, and 15 km from 17:00 to 17:40."""
    story = Story("03-16 00:00", soc_pct=90)
    for _ in range(days):
        story.stands(480).drives(30, km=15, pct=4).stands(510).drives(40, km=15, pct=4).stands(380)
    return story


def _trip(row: int, started: str, finished: str, minutes: float) -> tuple[Check, Check]:
    """When a trip was, as near as so many minutes."""
    return near("started_at", started, minutes, row), near("finished_at", finished, minutes, row)


def _at_switch_on(before: Row, row: Row) -> bool:
    return bool(row["moving"] and not before["moving"])


def _each(span_s: float, row: Row) -> int:
    return int(row["time"].timestamp() // span_s)


def _each_half_hour(before: Row, row: Row) -> bool:
    return _each(HALF_HOUR_S, before) != _each(HALF_HOUR_S, row)


def _each_day(before: Row, row: Row) -> bool:
    return _each(DAY_S, before) != _each(DAY_S, row)


@situation
def odometer_told_at_the_next_start() -> Situation:
    """A car polled every ten minutes tells the metres of a trip when the next begins; of the last they are unknown."""
    rows = _two_trips_a_day(3).told("moving", "odometer_m", every_s=600)
    return Situation(
        renewed(rows, "odometer_m", _at_switch_on),
        (
            count("trips", 5),
            total("trips", "distance_m", 74_900, 75_100),
            most("trips", "distance_m", 15_100),
            *_trip(0, "03-16 08:00", "03-16 08:30", 10),
            *_trip(1, "03-16 17:00", "03-16 17:40", 10),
        ),
    )


@situation
def odometer_told_at_the_next_start_and_positions() -> Situation:
    """The last trip of yesterday is shown by its positions; today the odometer takes it, and it counts once."""
    rows = renewed(_two_trips_a_day(3).told("moving", *PLACE, "odometer_m", every_s=300), "odometer_m", _at_switch_on)
    today = [row for row in rows if row["time"].day == 18]
    return Situation(
        [row for row in rows if row["time"].day < 18],
        (
            count("trips", 6),
            total("trips", "distance_m", 89_000, 91_000),
            count("trips", 5, distance_source="odometer"),
            one("trips", "distance_source", "gps", row=-1),
            one("trips", "distance_m", 14_900, 15_100, row=3),
            one("trips", "distance_m", 14_500, 15_500, row=-1),
            *_trip(-1, "03-18 17:00", "03-18 17:40", 6),
        ),
        late=today,
    )


@situation
def odometer_told_at_the_next_start_beside_positions_alone() -> Situation:
    """A car polled every half hour tells its place and the odometer of the trip before."""
    rows = _two_trips_a_day(3).polled("moving", *PLACE, "odometer_m", every_s=HALF_HOUR_S)
    told = renewed(rows, "odometer_m", _at_switch_on)
    return Situation(
        [{name: value for name, value in row.items() if name != "moving"} for row in told],
        (
            count("trips", 5),
            total("trips", "distance_m", 74_900, 75_100),
            *_trip(0, "03-16 08:00", "03-16 08:30", 15),
            near("started_at", "03-16 17:00", 15, row=1),
        ),
    )


@situation
def odometer_kept_for_half_an_hour() -> Situation:
    """A cloud renews the odometer each half hour: the end of a drive from 17:00 to 17:40 is told at 18:00."""
    rows = _two_trips_a_day(2).told("moving", "odometer_m", every_s=300)
    return Situation(
        renewed(rows, "odometer_m", _each_half_hour),
        (
            count("trips", 4),
            total("trips", "distance_m", 59_900, 60_100),
            most("trips", "distance_m", 15_100),
            count("trips", 0, kind="inferred"),
            *_trip(1, "03-16 17:00", "03-16 17:40", 5),
        ),
    )


@situation
def odometer_kept_for_a_day_and_the_motor() -> Situation:
    """A cloud renews the odometer at midnight; that its motor ran tells when both trips were."""
    rows = _two_trips_a_day(3).told("moving", "odometer_m", every_s=60)
    return Situation(
        renewed(rows, "odometer_m", _each_day),
        (
            count("trips", 6),
            total("trips", "distance_m", 89_900, 90_100),
            most("trips", "distance_m", 18_000),
            *_trip(0, "03-16 08:00", "03-16 08:30", 2),
            *_trip(1, "03-16 17:00", "03-16 17:40", 2),
            slower_than(40),
        ),
    )


@situation
def odometer_kept_for_a_day_and_speeds_far_apart() -> Situation:
    """A cloud renews the odometer at midnight; polls ten minutes apart tell when the car drove."""
    rows = _two_trips_a_day(3).told("speed_kmh", "odometer_m", every_s=600)
    return Situation(
        renewed(rows, "odometer_m", _each_day),
        (
            count("trips", 6),
            total("trips", "distance_m", 89_900, 90_100),
            most("trips", "distance_m", 18_000),
            *_trip(0, "03-16 08:00", "03-16 08:30", 10),
            *_trip(1, "03-16 17:00", "03-16 17:40", 10),
        ),
    )


@situation
def odometer_kept_for_a_day_and_nothing_else() -> Situation:
    """A car tells its odometer every minute, and a cloud renews it at midnight: when it drove, nobody knows."""
    rows = _two_trips_a_day(4).told("odometer_m", every_s=60)
    return Situation(
        renewed(rows, "odometer_m", _each_day),
        (
            count("trips", 4, kind="inferred"),
            count("trips", 4),
            total("trips", "distance_m", 119_900, 120_100),
            one("trips", "start_uncertainty_s", 80_000, 86_400, row=1),
            one("trips", "finish_uncertainty_s", 80_000, 86_400, row=1),
            since("started_at", "03-17 00:00", "03-18 00:00", row=1),
        ),
    )


@situation
def odometer_kept_for_a_day_and_polled_seldom() -> Situation:
    """The same, polled every ten minutes: nobody goes 30 km in ten minutes from a stand to a stand."""
    rows = _two_trips_a_day(4).told("odometer_m", every_s=600)
    return Situation(
        renewed(rows, "odometer_m", _each_day),
        (
            count("trips", 4, kind="inferred"),
            total("trips", "distance_m", 119_900, 120_100),
            one("trips", "start_uncertainty_s", 80_000, 86_400, row=1),
            slower_than(80),
        ),
    )


@situation
def motor_runs_long_before_it_leaves() -> Situation:
    """Half an hour of heating with the motor on makes no way of a drive of 48 km that a true odometer tells."""
    story = Story("03-16 00:00")
    for _ in range(3):
        story.stands(450).stands(30, moving=True).drives(40, km=48, pct=12).stands(920)
    return Situation(
        story.told("moving", "odometer_m", every_s=600),
        (
            count("trips", 3),
            total("coverage", "trips_m", 143_900, 144_100),
            *(one("trips", "distance_m", 47_900, 48_100, row=row) for row in range(3)),
            near("finished_at", "03-16 08:40", 10),
        ),
    )
