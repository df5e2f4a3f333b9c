"""Trips amid which a cloud answers what it knew before, and stops that look alike."""

from collections.abc import Iterable

from tests.cases.reports.checks import count, minutes_of, near, one, since, total
from tests.cases.reports.situations import Situation, situation
from tests.cases.reports.story import Row, Story, at

_CAR = ("lat_deg", "lon_deg", "odometer_m", "soc_pct")


def _repeats(rows: Iterable[Row], *whens: str, of: str) -> list[Row]:
    """At these moments the cloud answers what it did at another."""
    told = {row["time"]: row for row in rows}
    return [told[at(of)] | {"time": when} if when in map(at, whens) else row for when, row in told.items()]


def _hour_at_50_kmh() -> Story:
    return Story("03-18 06:00", soc_pct=80.5).stands(64).drives(60, km=50, pct=8).stands(150)


_ONE_OF_50_KM = (
    count("trips", 1),
    total("trips", "distance_m", 49_900, 50_000),
    near("started_at", "03-18 07:04", 8),
    near("finished_at", "03-18 08:04", 8),
    count("charges", 0),
)


@situation
def poll_repeated_on_the_way() -> Situation:
    """Asked each ten minutes, a cloud answers once, in the middle of an hour's drive, what it did before."""
    rows = _hour_at_50_kmh().polled(*_CAR, every_s=600)
    return Situation(_repeats(rows, "03-18 07:30", of="03-18 07:20"), _ONE_OF_50_KM)


@situation
def poll_repeated_twice_by_the_lock() -> Situation:
    """Asked each seven minutes and a half, a car that tells its lock is answered for twice as before."""
    rows = _hour_at_50_kmh().polled("locked", "odometer_m", "soc_pct", every_s=450)
    told = _repeats(rows, "03-18 07:30", "03-18 07:37:30", of="03-18 07:22:30")
    return Situation(told, (*_ONE_OF_50_KM, minutes_of("riding", 52, 72)))


@situation
def poll_of_an_hour_ago_on_the_way() -> Situation:
    """Asked each quarter, a cloud answers on the way what the car told when it stood at home."""
    rows = _hour_at_50_kmh().polled("moving", "odometer_m", "soc_pct", every_s=900)
    told = _repeats(rows, "03-18 07:45", of="03-18 06:45")
    return Situation(told, (*_ONE_OF_50_KM, count("episodes", 0, code="odometer_reset")))


@situation
def positions_repeated_on_the_way() -> Situation:
    """Positions alone, each ten minutes, one of which is told again."""
    rows = _hour_at_50_kmh().polled("lat_deg", "lon_deg", "soc_pct", every_s=600)
    told = _repeats(rows, "03-18 07:40", of="03-18 07:30")
    return Situation(told, (count("trips", 1), one("trips", "distance_m", 48_000, 52_000)))


@situation
def stop_for_a_coffee_between_polls() -> Situation:
    """Asked each ten minutes; between two drives of half an hour at one pace a car is parked for 22 minutes."""
    story = Story("03-18 06:00", soc_pct=80).stands(64).drives(30, km=25, pct=4).stands(22).drives(30, km=25, pct=4)
    return Situation(
        story.stands(150).polled(*_CAR, every_s=600),
        (
            count("trips", 2),
            total("trips", "distance_m", 49_900, 50_000),
            since("finished_at", "03-18 07:28", "03-18 07:40"),
            near("started_at", "03-18 07:56", 8, row=1),
        ),
    )
