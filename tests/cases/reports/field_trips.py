"""Trips of vehicles whose signals stick, sleep or come from two loggers."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from tests.cases.reports.checks import count, minutes_of, near, since, total
from tests.cases.reports.situations import Situation, situation
from tests.cases.reports.story import Row, Story


def _later(row: Row, seconds: float) -> Row:
    return row | {"time": row["time"] + timedelta(seconds=seconds)}


def _changes(rows: Iterable[Row]) -> Iterator[Row]:
    """A row for each value that is not the one before."""
    last: Row = {}
    for row in rows:
        for name, value in row.items():
            if name != "time" and last.get(name) != value:
                yield {"time": row["time"], name: value}
        last = row


@situation
def speed_of_three_at_rest() -> Situation:
    """A scooter tells speed and percent alone, and 3 km/h for hours while it stands; two rides at 18 km/h."""
    story = Story("05-05 06:00", soc_pct=90, speed_kmh=3.0).stands(100).drives(8, km=2.4, pct=9).stands(150)
    rows = story.drives(6, km=1.8, pct=7).stands(120).told("speed_kmh", "soc_pct", every_s=30, driving_s=10)
    return Situation(
        rows,
        (
            count("trips", 2),
            total("trips", "distance_m", 4_000, 4_500),
            near("started_at", "05-05 07:40", 1),
            near("finished_at", "05-05 07:48", 1),
            minutes_of("parked", 360, 372),
        ),
    )


@situation
def ignition_flag_that_falls_hours_late() -> Situation:
    """Asked hourly, a car drives 60 km from 10:20 to 11:10; the cloud says `moving` for three hours more."""
    story = Story("05-05 00:00").stands(620).drives(50, km=60, pct=12).stands(180, moving=True).stands(600)
    return Situation(
        story.polled("odometer_m", "soc_pct", "moving", "charging", every_s=3600),
        (
            count("trips", 1),
            total("trips", "distance_m", 59_999, 60_001),
            total("coverage", "unplaced_m", 0, 0),
            since("started_at", "05-05 10:00", "05-05 10:30"),
            since("finished_at", "05-05 11:00", "05-05 12:00"),
        ),
    )


@situation
def asleep_for_weeks() -> Situation:
    """A car says that it sleeps, and for 20 days hardly anything more, each 9 hours: it was parked all the time."""
    story = Story("05-05 06:00", asleep=False).stands(60).drives(20, km=15, pct=4).stands(80)
    story.from_now(asleep=True)
    rows = story.told("odometer_m", "soc_pct", "asleep", every_s=600, driving_s=60)
    slept = story.stands(20 * 1440, pct=-3).told("asleep", every_s=32_400)
    return Situation(
        [*rows, *(row for row in slept if row["time"] > rows[-1]["time"])],
        (count("trips", 1), minutes_of("no_data", 0, 0), minutes_of("parked", 20 * 1440, 20.2 * 1440)),
    )


@situation
def two_loggers_of_one_car() -> Situation:
    """Two loggers ask one car, each at its own pace, and the clock of one is 40 s ahead: two drives of 18 km."""
    story = Story("05-05 08:00").stands(60).drives(20, km=18, pct=4).stands(120).drives(20, km=18, pct=4).stands(60)
    tells = ("odometer_m", "soc_pct", "speed_kmh")
    ahead = [_later(row, 40) for row in story.told(*tells, every_s=240, driving_s=20)]
    return Situation(
        [*story.told(*tells, every_s=300, driving_s=15), *ahead],
        (
            count("trips", 2),
            total("coverage", "trips_m", 35_900, 36_001),
            near("started_at", "05-05 09:00", 2),
            near("finished_at", "05-05 09:20", 2),
            minutes_of("parked", 230, 245),
        ),
    )


@situation
def log_of_changes() -> Situation:
    """A log has a row where a value changed, and only that value: 40 km in 40 minutes, then 30 % in three hours."""
    story = Story("05-05 08:00", soc_pct=60).stands(60).drives(40, km=40, pct=8).stands(20, plugged=True)
    story.charges(180, pct=30).stands(120)
    rows = story.polled("odometer_m", "soc_pct", "charging", "plugged", every_s=300, steps={"odometer_m": 1000})
    return Situation(
        list(_changes(rows)),
        (
            count("trips", 1),
            total("trips", "distance_m", 40_000, 40_000),
            near("started_at", "05-05 09:00", 2),
            near("finished_at", "05-05 09:40", 2),
            count("charges", 1),
            total("charges", "soc_added_pct", 29, 30.1),
            near("finished_at", "05-05 13:00", 5, table="charges"),
        ),
    )
