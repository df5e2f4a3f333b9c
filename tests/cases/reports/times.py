"""Clocks that are wrong, messages that come late, twice or in disorder, and days that are no days of UTC."""

import random
from datetime import datetime, timedelta

from tests.cases.reports.checks import Check, count, days, minutes_of, near, one, since, total
from tests.cases.reports.situations import Situation, settings, situation
from tests.cases.reports.story import Row, Story, at, between, lacking

_TRACKER = ("lat_deg", "lon_deg", "odometer_m", "soc_pct")
_MOPED = ("locked", "speed_kmh", "odometer_m", "ride_time_s", "soc_pct")


def _elsewhen(rows: list[Row], when: str, shift: timedelta) -> list[Row]:
    """The row of this minute stands so much later."""
    until = (at(when) + timedelta(minutes=1)).isoformat(sep=" ")[:19]
    return [row | {"time": row["time"] + shift} if between(row, when, until) else row for row in rows]


def _on(first: str, last: str, metres: float) -> tuple[Check, ...]:
    """One trip of so many metres, and no row of any table on a day that never was."""
    known = [days(at(first), at(last), table) for table in ("trips", "states", "consumption", "coverage")]
    return (count("trips", 1), total("trips", "distance_m", metres - 100, metres + 100), *known)


@situation
def dates_of_a_gps_week_too_low() -> Situation:
    """Two rows of a ride carry a date 1,024 weeks too early."""
    story = Story("03-24 09:00").stands(70).drives(12, km=8.4, pct=3).stands(90)
    rows = story.told(*_TRACKER, every_s=300, driving_s=60)
    wrong = timedelta(weeks=-1024)
    shifted = _elsewhen(_elsewhen(rows, "03-24 10:14", wrong), "03-24 10:17", wrong)
    return Situation(shifted, _on("03-24 00:00", "03-25 00:00", 8_400), lake="wrong dates")


@situation
def date_of_the_next_decade() -> Situation:
    """One parked row carries a date nine years ahead."""
    rows = Story("03-24 09:00").stands(70).drives(12, km=8.4, pct=3).stands(90).told(
        *_TRACKER, every_s=300, driving_s=60
    )  # fmt: skip
    decade = _elsewhen(rows, "03-24 09:25", timedelta(days=3301))
    return Situation(decade, _on("03-24 00:00", "03-25 00:00", 8_400), lake="wrong dates")


@situation
def first_row_of_1970() -> Situation:
    """A tracker's first row stands at the epoch, before it has a clock."""
    rows = Story("03-24 09:00").stands(70).drives(12, km=8.4, pct=3).stands(90).told(
        *_TRACKER, every_s=300, driving_s=60
    )  # fmt: skip
    epoch = [rows[0] | {"time": datetime.fromisoformat("1970-01-01T00:00:04+00:00")}, *rows]
    return Situation(epoch, _on("03-24 00:00", "03-25 00:00", 8_400), lake="wrong dates")


def _shuffled_cars() -> list[Row]:
    rows: list[Row] = []
    for car, km in (("shuffled_a", 18.0), ("shuffled_b", 25.5)):
        story = Story("03-24 07:00").stands(40).drives(30, km=km, pct=4).stands(40)
        rows += [row | {"vehicle": car} for row in story.polled("odometer_m", "soc_pct", every_s=60)]
    random.Random(5).shuffle(rows)
    return rows


@situation
def shuffled_and_told_again() -> Situation:
    """Two cars in disorder; a third of it is known first, then all comes, some rows of it thrice."""
    rows = _shuffled_cars()
    again = [row | {"received_at": row["time"] + timedelta(hours=9)} for row in [*rows, *rows[::3], *rows[::3]]]
    return Situation(
        rows[: len(rows) // 3],
        (
            count("trips", 2),
            one("trips", "distance_m", 17_999, 18_001, vehicle="shuffled_a"),
            one("trips", "distance_m", 25_499, 25_501, vehicle="shuffled_b"),
            near("started_at", "03-24 07:40", 1, vehicle="shuffled_a"),
            near("finished_at", "03-24 08:10", 1, vehicle="shuffled_b"),
        ),
        late=again,
    )


@situation
def events_kept_in_a_cellar() -> Situation:
    """Live messages of a moped come on time; events of a swap three hours ago come now, with their own times."""
    story = Story("03-24 05:00", soc_pct=68).stands(420)
    told = [("06:50:10", "component", "battery_1", "taken"), ("06:50:20", "alert", "9", "appeared"),
            ("06:50:50", "alert", "9", "cleared"), ("06:50:58", "component", "battery_1", "returned")]  # fmt: skip
    events: list[Row] = [
        {"table": "event", "time": at(f"03-24 {when}"), "kind": kind, "code": code, "state": state,
         "received_at": at("03-24 09:51") + timedelta(seconds=place)}
        for place, (when, kind, code, state) in enumerate(told)
    ]  # fmt: skip
    return Situation(
        [*story.told(*_MOPED, every_s=600), *events],
        (
            near("started_at", "03-24 06:50:20", 2 / 60, table="episodes", kind="alert"),
            near("finished_at", "03-24 06:50:50", 2 / 60, table="episodes", kind="alert"),
            count("trips", 0),
        ),
        provider="segway",
    )


# ---- days and zones ------------------------------------------------------------------------------------------------


@situation
def into_the_new_year() -> Situation:
    """A car in Lisbon drives 72 km from 23:15 to 00:45 on New Year's Eve: half of it in each year."""
    story = Story("2025-12-31 20:00").stands(195).drives(90, km=72, pct=16).stands(300)
    return Situation(
        story.told("moving", "odometer_m", "soc_pct", every_s=600, driving_s=60),
        (
            count("trips", 1),
            total("consumption", "distance_m", 35_000, 37_000, day="2025-12-31"),
            total("consumption", "distance_m", 35_000, 37_000, day="2026-01-01"),
            total("consumption", "trips", 1, 1, day="2025-12-31"),
            total("consumption", "trips", 0, 0, day="2026-01-01"),
        ),
        settings=settings("into_the_new_year", timezone="Europe/Lisbon"),
    )


@situation
def in_the_night_that_lacks_an_hour() -> Situation:
    """From 00:30 to 01:30 UTC on 29 March a car in Madrid drives 48 km while the clock leaps from 2 to 3."""
    story = Story("03-28 20:00").stands(270).drives(60, km=48, pct=11).stands(240)
    return Situation(
        story.told("moving", "odometer_m", "soc_pct", every_s=600, driving_s=60),
        (
            count("trips", 1),
            one("trips", "duration_s", 3_480, 3_720),
            total("consumption", "distance_m", 47_900, 48_100, day="2026-03-29"),
            total("consumption", "driving_s", 3_400, 3_720, day="2026-03-29"),
        ),
        settings=settings("in_the_night_that_lacks_an_hour", timezone="Europe/Madrid"),
    )


@situation
def in_the_hour_that_comes_twice() -> Situation:
    """A charge in Berlin runs from 23:30 UTC to 02:30 UTC over the hour that comes twice in October."""
    story = Story("10-24 20:00", soc_pct=35).stands(210).charges(180, pct=33).stands(180)
    return Situation(
        story.told("charging", "odometer_m", "soc_pct", every_s=300),
        (
            count("charges", 1),
            near("started_at", "10-24 23:30", 6, table="charges"),
            near("finished_at", "10-25 02:30", 6, table="charges"),
            total("charges", "soc_added_pct", 32, 34),
            minutes_of("charging", 170, 190),
            count("consumption", 1, day="2026-10-25"),
        ),
        settings=settings("in_the_hour_that_comes_twice", timezone="Europe/Berlin"),
    )


@situation
def a_quarter_before_midnight_in_nepal() -> Situation:
    """In Kathmandu, at UTC+5:45, a car drives 12 km until ten to midnight and 9 km from ten past."""
    story = Story("03-24 14:00").stands(225).drives(20, km=12, pct=3).stands(20).drives(15, km=9, pct=2).stands(120)
    return Situation(
        story.told("moving", "odometer_m", "soc_pct", every_s=600, driving_s=60),
        (
            count("trips", 2),
            total("consumption", "distance_m", 11_990, 12_010, day="2026-03-24"),
            total("consumption", "distance_m", 8_990, 9_010, day="2026-03-25"),
            total("coverage", "trips_m", 8_990, 9_010, day="2026-03-25"),
        ),
        settings=settings("a_quarter_before_midnight_in_nepal", timezone="Asia/Kathmandu"),
    )


# ---- clocks and delays ---------------------------------------------------------------------------------------------


@situation
def clock_an_hour_behind() -> Situation:
    """The clock of a moped is an hour behind, all day, as each push proves that is received at once."""
    story = Story("03-24 06:00", soc_pct=83).stands(240).drives(12, km=3.6, pct=7).stands(400)
    rows = story.told(*_MOPED, every_s=900, driving_s=10)
    behind = [row | {"received_at": row["time"] + timedelta(seconds=2), "time": row["time"] - timedelta(hours=1)}
              for row in rows]  # fmt: skip
    return Situation(
        behind,
        (
            count("trips", 1),
            total("trips", "distance_m", 3_599, 3_601),
            near("started_at", "03-24 10:00", 1),
            near("finished_at", "03-24 10:12", 1),
        ),
        provider="segway",
    )


@situation
def stored_for_five_hours() -> Situation:
    """Without network from 9 to 14 a moped is ridden twice; all messages come at once at 14, with their own times."""
    story = Story("03-24 06:00", soc_pct=85).stands(240).drives(10, km=3, pct=6).stands(110).drives(10, km=3, pct=6)
    rows = story.stands(330).told(*_MOPED, every_s=900, driving_s=10)
    stored = [row | {"received_at": at("03-24 14:00:05")} if between(row, "03-24 09:00", "03-24 14:00") else row
              for row in rows]  # fmt: skip
    return Situation(
        stored,
        (
            count("trips", 2),
            total("trips", "distance_m", 5_998, 6_002),
            near("started_at", "03-24 10:00", 1),
            near("finished_at", "03-24 12:10", 1, row=1),
            count("trips", 2, kind="observed"),
        ),
        provider="segway",
    )


@situation
def clock_leaps_at_the_end() -> Situation:
    """The last three rows of a recording stand 13 hours later; what was ridden before is one ride of 22 minutes."""
    story = Story("03-24 06:00", soc_pct=95).stands(2).drives(22, km=9.9, pct=21).stands(2)
    rows = story.told("speed_kmh", "odometer_m", "soc_pct", every_s=1)
    leapt = [*rows[:-3], *(row | {"time": row["time"] + timedelta(hours=13)} for row in rows[-3:])]
    return Situation(
        leapt,
        (
            count("trips", 1),
            total("trips", "distance_m", 9_850, 9_950),
            near("started_at", "03-24 06:01", 2),
            near("finished_at", "03-24 06:24", 3),
            minutes_of("riding", 21, 26),
        ),
    )


@situation
def whole_minutes_and_two_cadences() -> Situation:
    """Positions come each 20 s, status each minute on the minute, as two services of one cloud tell them."""
    story = Story("03-24 06:00").stands(60).drives(24, km=18, pct=4).stands(120)
    status = story.polled("moving", "odometer_m", "soc_pct", every_s=60)
    places = story.polled("lat_deg", "lon_deg", every_s=20, first_s=7)
    return Situation(
        [*status, *places],
        (
            count("trips", 1),
            total("trips", "distance_m", 17_990, 18_010),
            near("started_at", "03-24 07:00", 2),
            near("finished_at", "03-24 07:24", 2),
            one("trips", "finish_lat_deg", 58.3 + 0.1609, 58.3 + 0.1629),
        ),
    )


@situation
def gap_that_is_filled_later() -> Situation:
    """First one poll before and one after a drive are known; its rows by the minute come a day later."""
    story = Story("03-24 06:00").stands(120).drives(35, km=28, pct=7).stands(300)
    rows = story.told("moving", "odometer_m", "soc_pct", every_s=900, driving_s=60)
    span = ("03-24 07:50", "03-24 09:01")
    return Situation(
        lacking(rows, *span),
        (
            count("trips", 1),
            count("trips", 0, kind="inferred"),
            total("trips", "distance_m", 27_990, 28_010),
            near("started_at", "03-24 08:00", 2),
            near("finished_at", "03-24 08:35", 2),
            total("coverage", "trips_m", 27_990, 28_010),
        ),
        late=[row for row in rows if between(row, *span)],
    )


@situation
def trip_and_charge_over_the_end_of_a_month() -> Situation:
    """A car in UTC comes home at 23:40 on 31 March and charges from 23:50 to 03:20 in April."""
    story = Story("03-31 20:00", soc_pct=48).stands(190).drives(30, km=24, pct=6).stands(10)
    story.charges(210, pct=45).stands(240)
    return Situation(
        story.told("moving", "charging", "odometer_m", "soc_pct", every_s=300, driving_s=60),
        (
            count("trips", 1),
            count("charges", 1),
            total("consumption", "distance_m", 23_990, 24_010, day="2026-03-31"),
            total("consumption", "distance_m", 0, 0, day="2026-04-01"),
            since("started_at", "03-31 23:44", "03-31 23:56", table="charges"),
            since("finished_at", "04-01 03:14", "04-01 03:26", table="charges"),
        ),
    )
