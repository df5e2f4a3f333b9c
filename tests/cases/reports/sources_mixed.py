"""Sources that change how they tell, or tell in another unit."""

from tests.cases.reports.checks import Check, count, near, one, total
from tests.cases.reports.situations import Situation, situation
from tests.cases.reports.story import Story, at

_PLACED = ("lat_deg", "lon_deg", "soc_pct")


def _two_days() -> Story:
    """Each day 18 km from 08:00 to 08:30, and 24 km from 17:00 to 17:40."""
    story = Story("03-16 00:00", soc_pct=90)
    for _ in range(2):
        story.stands(480).drives(30, km=18, pct=4).stands(510).drives(40, km=24, pct=5).stands(380)
    return story


def _all_four(metres: float) -> tuple[Check, ...]:
    return (
        count("trips", 4),
        total("trips", "distance_m", 84_000 - metres, 84_000 + metres),
        near("started_at", "03-16 08:00", 5),
        near("finished_at", "03-17 17:40", 10, row=3),
    )


@situation
def device_given_up_for_the_cloud() -> Situation:
    """A device tells each half minute on the way, until at noon of the second day a cloud takes over, each quarter."""
    dense = _two_days().told("odometer_m", *_PLACED, every_s=900, driving_s=30)
    polled = _two_days().polled("odometer_m", *_PLACED, every_s=900)
    noon = at("03-17 12:00")
    rows = [row for row in dense if row["time"] < noon] + [row for row in polled if row["time"] >= noon]
    return Situation(rows, _all_four(100))


@situation
def speed_in_miles_per_hour() -> Situation:
    """A tracker's speed is in miles an hour, and nobody said so: dense positions deny it, and tell the way."""
    rows = _two_days().told("speed_kmh", *_PLACED, every_s=600, driving_s=10)
    told = [row | {"speed_kmh": round(row["speed_kmh"] / 1.609)} for row in rows]
    return Situation(told, (*_all_four(2_000), count("trips", 4, distance_source="gps")))


@situation
def poll_a_minute_after_the_start() -> Situation:
    """Asked each hour, and once a minute after the start of a drive of 40 minutes: that is one trip, and not two."""
    story = Story("03-16 06:00", soc_pct=80).stands(420).drives(40, km=30, pct=7).stands(600)
    return Situation(
        story.polled("odometer_m", "soc_pct", every_s=3600, first_s=60),
        (count("trips", 1), one("trips", "distance_m", 29_990, 30_010), near("started_at", "03-16 13:00", 15)),
    )


@situation
def two_errands_of_two_hours() -> Situation:
    """Asked each hour, two short errands in neighbouring hours stay two: there was time enough to stand."""
    story = Story("03-16 06:00", soc_pct=80).stands(70).drives(8, km=4, pct=1).stands(52).drives(8, km=4, pct=1)
    return Situation(story.stands(300).polled("odometer_m", "soc_pct", every_s=3600), (count("trips", 2),))
