"""Ways that are hard to tell from noise: an odometer that goes to and fro, and somebody who walks."""

import random
from collections.abc import Iterable

from tests.cases.reports.checks import count, near, one, total
from tests.cases.reports.situations import Situation, situation
from tests.cases.reports.story import Row, Story, shaken


def _jittering(rows: Iterable[Row]) -> list[Row]:
    """With an odometer that is off by up to 60 m."""
    dice = random.Random(4)
    return [row | {"odometer_m": row["odometer_m"] + dice.choice((-60, -30, 0, 30, 60))} for row in rows]


def _parked_mostly() -> Story:
    return Story("03-18 06:00", soc_pct=80).stands(600).drives(30, km=20, pct=5).stands(900)


@situation
def odometer_that_goes_to_and_fro() -> Situation:
    """Parked, a tracker's odometer goes to and fro by 60 m, each minute; between there is a drive of 20 km."""
    rows = _jittering(_parked_mostly().polled("odometer_m", "soc_pct", every_s=60))
    return Situation(
        rows,
        (
            count("trips", 1, 2),
            total("trips", "distance_m", 19_850, 20_150),
            total("coverage", "odometer_m", 19_850, 20_150),
            count("episodes", 0, code="odometer_reset"),
        ),
    )


@situation
def odometer_that_goes_to_and_fro_beside_a_flag() -> Situation:
    """The same each five minutes, of a car that tells whether its motor is on."""
    rows = _jittering(_parked_mostly().polled("odometer_m", "soc_pct", "moving", every_s=300))
    return Situation(rows, (count("trips", 1, 2), total("coverage", "odometer_m", 19_850, 20_250)))


def _walk(every_s: float, metres: float) -> Situation:
    rows = Story("03-18 06:00").stands(30).drives(40, km=3).stands(60).told("lat_deg", "lon_deg", every_s=every_s)
    return Situation(
        shaken(rows, metres),
        (count("trips", 1), one("trips", "distance_m", 2_800, 3_150), near("started_at", "03-18 06:30", 3)),
    )


@situation
def walk_told_by_the_second() -> Situation:
    """Somebody pushes a bike for 3 km; its positions are told each second and err by 3 m."""
    return _walk(1, 3)


@situation
def walk_told_each_half_minute() -> Situation:
    """The same each half minute: a leg of 38 m is one where six lead on."""
    return _walk(30, 3)
