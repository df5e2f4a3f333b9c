"""Charges of which only watt hours tell: the battery's content, or what was added; no percent."""

from tests.cases.reports.checks import count, most, near, total
from tests.cases.reports.situations import Situation, situation
from tests.cases.reports.story import Row, Story


def _day() -> Story:
    """21 kWh go into a battery of 24 kWh from 08:10 to 11:40; a drive of 30 km takes 5 kWh of them."""
    story = Story("03-20 06:00", energy_wh=24_000.0, charge_added_wh=0.0).stands(130)
    story.goes_on("charge", 210, {"energy_wh": 21_000, "charge_added_wh": 21_000}, charging=True, plugged=True)
    drive = {"odometer_m": 30_000, "energy_wh": -5_000}
    return story.stands(220).goes_on("drive", 40, drive, moving=True).stands(240)


def _told(*signals: str, every_s: float) -> list[Row]:
    return _day().polled(*signals, "odometer_m", every_s=every_s, first_s=7)


def _of(rows: list[Row], minutes: float, source: str) -> Situation:
    low, high = {"content": (21_900, 22_200), "reported": (20_900, 21_100)}[source]  # in a battery some is lost
    return Situation(
        rows,
        (
            count("charges", 1),
            total("charges", "energy_wh", low, high, energy_source=source),
            near("started_at", "03-20 08:10", minutes, table="charges"),
            near("finished_at", "03-20 11:40", minutes, table="charges"),
            most("charges", "soc_added_pct", -1),
            total("consumption", "charged_wh", low, high),
            count("trips", 1),
        ),
    )


@situation
def content_alone_by_the_minute() -> Situation:
    """A car tells its content each minute; no flag, no percent."""
    return _of(_told("energy_wh", every_s=60), 5, "content")


@situation
def content_and_capacity_by_the_quarter() -> Situation:
    """Content in hundreds of watt hours and a capacity each quarter, and whether it is plugged in."""
    told = _told("energy_wh", "plugged", every_s=900)
    rows = [row | {"energy_wh": round(row["energy_wh"], -2), "capacity_wh": 58_000.0} for row in told]
    return _of(rows, 16, "content")


@situation
def content_and_flag_by_the_hour() -> Situation:
    """Asked each hour, a car tells its content and whether it charges: what rose before the first such word counts."""
    return _of(_told("energy_wh", "charging", every_s=3600), 35, "content")


@situation
def counter_and_flag_by_the_hour() -> Situation:
    """The same of a counter: the first word is of an hour later than the counter's last 0."""
    return _of(_told("charge_added_wh", "charging", every_s=3600), 60, "reported")


@situation
def content_that_flutters_while_parked() -> Situation:
    """For two days a parked car tells a content that goes to and fro by 300 Wh: nothing is charged."""
    rows = Story("03-20 06:00", energy_wh=40_000.0).stands(2880).polled("energy_wh", "odometer_m", every_s=300)
    return Situation(
        [row | {"energy_wh": 40_000.0 + 100 * (place * 7 % 4)} for place, row in enumerate(rows)],
        (count("charges", 0), count("trips", 0), most("consumption", "charged_wh", 0)),
    )
