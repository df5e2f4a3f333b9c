"""Percents that sag, flicker, freeze, leap, come in steps or come alone."""

from tests.cases.reports.checks import count, most, near, one, size, total, within
from tests.cases.reports.situations import Situation, situation
from tests.cases.reports.story import Row, Story, changed, frozen, lacking

_CAR = ("moving", "odometer_m", "soc_pct", "charging")


@situation
def percent_sags_uphill_and_comes_back() -> Situation:
    """Up a hill 64 % sag to 58; ten minutes after it was parked the car tells 60, and stays there; never charging."""
    story = Story("03-21 06:00", soc_pct=64).stands(60).drives(18, km=9, pct=6).stands(10, pct=2).stands(400)
    return Situation(
        story.told(*_CAR, every_s=120, driving_s=30),
        (
            count("charges", 0),
            count("trips", 1),
            one("trips", "soc_used_pct", 3, 7),
            size("standby", "pct_per_day", 9),
        ),
    )


@situation
def recalibrated_at_rest() -> Situation:
    """Unplugged and parked, a battery is found to hold 6 % more from one reading to the next, and keeps it."""
    story = Story("03-21 06:00", soc_pct=69).stands(500).from_now(soc_pct=75.0).stands(700)
    return Situation(
        story.told("odometer_m", "soc_pct", "charging", "plugged", every_s=600),
        (count("charges", 0), count("trips", 0), size("standby", "pct_per_day", 3)),
    )


@situation
def nothing_but_a_percent() -> Situation:
    """A vehicle tells its percent and nothing else: 83 % for a morning, down to 61 and up to 90 in four hours."""
    story = Story("03-21 06:00", soc_pct=83).stands(240).drives(70, km=30, pct=22).stands(30).charges(240, pct=29)
    return Situation(
        story.stands(300).polled("soc_pct", every_s=300),
        (
            count("charges", 1),
            total("charges", "soc_added_pct", 28, 30),
            near("started_at", "03-21 11:40", 30, table="charges"),
            near("finished_at", "03-21 15:40", 30, table="charges"),
            total("trips", "distance_m", 0, 0),
            total("states", "duration_s", 52_000, 53_000),
        ),
    )


@situation
def percent_flickers_between_two() -> Situation:
    """Parked between 46 and 47 %, a car tells now the one and now the other for twenty hours."""
    rows = Story("03-21 02:00", soc_pct=47).stands(1200).polled("odometer_m", "soc_pct", every_s=600)
    flicker = [row | {"soc_pct": 46.0 + (place * 7 % 5 < 2)} for place, row in enumerate(rows)]
    return Situation(flicker, (count("charges", 0), count("trips", 0), size("standby", "pct_per_day", 2.5)))


@situation
def percent_frozen_under_way() -> Situation:
    """A cloud keeps the percent of the departure for a whole drive of 44 km; the first parked reading is 11 % less."""
    story = Story("03-21 06:00", soc_pct=72).stands(90).drives(40, km=44, pct=11).stands(400)
    rows = story.told(*_CAR, every_s=300, driving_s=60)
    return Situation(
        frozen(rows, "03-21 07:30", "03-21 08:10", "soc_pct"),
        (
            count("trips", 1),
            one("trips", "soc_used_pct", 9.9, 12.1),
            size("standby", "pct_per_day", 3),
            count("charges", 0),
        ),
    )


@situation
def percent_in_steps_of_ten() -> Situation:
    """A moped shows tenths of its charge: 7.4 % are used, and the reading falls from 60 to 50."""
    story = Story("03-21 06:00", soc_pct=63.1).stands(90).drives(13, km=3.9, pct=7.4).stands(500)
    rows = story.told("locked", "speed_kmh", "odometer_m", "ride_time_s", "soc_pct", every_s=900, driving_s=10,
                      steps={"soc_pct": 10})  # fmt: skip
    return Situation(
        rows,
        (
            count("charges", 0),
            count("trips", 1),
            within("trips", "soc_used_low_pct", 7.4, "soc_used_high_pct"),
            size("standby", "pct_per_day", 6),
        ),
        provider="segway",
    )


@situation
def colder_at_night_warmer_by_day() -> Situation:
    """Unplugged, a parked car loses 4 % in a freezing night and has them back by noon."""
    story = Story("03-21 18:00", soc_pct=62).stands(600, pct=-4).stands(120).stands(360, pct=4).stands(240)
    return Situation(
        story.polled("odometer_m", "soc_pct", "charging", "plugged", every_s=1800),
        (count("charges", 0), count("trips", 0), total("standby", "soc_lost_pct", -1.5, 1.5)),
    )


@situation
def empty_and_still_rolling() -> Situation:
    """A moped shows 0 % for the last 1.8 km of a ride of 5.4 km, and stands at 0 % through the night."""
    story = Story("03-21 16:00", soc_pct=8).stands(60).drives(12, km=3.6, pct=8).drives(6, km=1.8).stands(700)
    return Situation(
        story.told("locked", "speed_kmh", "odometer_m", "ride_time_s", "soc_pct", every_s=900, driving_s=10),
        (
            count("trips", 1),
            total("trips", "distance_m", 5_399, 5_401),
            one("trips", "soc_used_pct", 6.5, 9.5),
            one("trips", "soc_finish_pct", 0, 1),
            count("charges", 0),
            size("standby", "pct_per_day", 2.5),
        ),
        provider="segway",
    )


@situation
def hundred_on_waking_up() -> Situation:
    """A moped that wakes up tells 100 % once and 43 % ever after: neither was a pack swapped nor was it charged."""
    story = Story("03-21 06:00", soc_pct=43).stands(300).drives(10, km=3, pct=6).stands(300)
    rows = story.told("locked", "charging", "speed_kmh", "odometer_m", "ride_time_s", "soc_pct", every_s=900,
                      driving_s=10)  # fmt: skip
    return Situation(
        changed(rows, "03-21 11:00", "03-21 11:00:05", soc_pct=100.0),
        (
            count("charges", 0),
            count("trips", 1),
            one("trips", "soc_used_pct", 4.5, 7.5),
            most("trips", "swaps", 0),
            size("standby", "pct_per_day", 3),
        ),
        provider="segway",
    )


@situation
def departure_percent_returns_under_way() -> Situation:
    """On a drive of 52 km each fourth poll tells the percent of the departure again, 88 instead of what is left."""
    story = Story("03-21 06:00", soc_pct=88).stands(60).drives(48, km=52, pct=13).stands(300)
    rows = story.told(*_CAR, every_s=600, driving_s=120)
    mixed = [row | {"soc_pct": 88.0} if row["moving"] and place % 4 == 1 else row for place, row in enumerate(rows)]
    return Situation(
        mixed,
        (
            count("trips", 1),
            one("trips", "soc_used_pct", 11.5, 14.5),
            count("charges", 0),
            total("trips", "distance_m", 51_900, 52_100),
        ),
    )


@situation
def percent_told_at_rest_only() -> Situation:
    """Under way no percent is told at all; parked again it is 10 % lower, and stays so."""
    story = Story("03-21 06:00", soc_pct=79).stands(100).drives(36, km=39, pct=10).stands(300)
    rows = story.told(*_CAR, every_s=600, driving_s=60)
    return Situation(
        lacking(rows, "03-21 07:40", "03-21 08:16", "soc_pct"),
        (
            count("trips", 1),
            one("trips", "soc_used_pct", 8.9, 11.1),
            size("standby", "pct_per_day", 3),
            count("charges", 0),
        ),
    )


@situation
def decimals_with_noise() -> Situation:
    """Parked for two days, a percent with one decimal wanders by two tenths and loses none."""
    rows = Story("03-21 00:00", soc_pct=66.4).stands(2880).polled("odometer_m", "soc_pct", every_s=900)
    wandering: list[Row] = [row | {"soc_pct": 66.4 + 0.1 * (place * 13 % 5 - 2)} for place, row in enumerate(rows)]
    rounded = [row | {"soc_pct": round(row["soc_pct"], 1)} for row in wandering]
    return Situation(
        rounded,
        (
            count("charges", 0),
            count("trips", 0),
            size("standby", "pct_per_day", 0.5),
            total("charges", "energy_wh", 0, 0),
        ),
    )


@situation
def full_for_the_first_ten_km() -> Situation:
    """A battery with a reserve above 100 % shows 100 for the first 11 km of 30 km, then falls to 95."""
    story = Story("03-21 06:00", soc_pct=100).stands(60).drives(11, km=11).drives(19, km=19, pct=5).stands(300)
    return Situation(
        story.told(*_CAR, every_s=600, driving_s=60),
        (
            count("trips", 1),
            total("trips", "distance_m", 29_900, 30_100),
            one("trips", "soc_used_pct", 3.5, 6.5),
            near("started_at", "03-21 07:00", 2),
            one("trips", "soc_start_pct", 99, 100),
        ),
    )
