"""Energy of vehicles that tell it in ways of their own: counters, contents, volts and amperes, or not at all."""

import math
from datetime import datetime, timedelta

import polars as pl

from tests.cases.reports.checks import Check, count, most, near, one, total, within
from tests.cases.reports.situations import Situation, situation
from tests.cases.reports.story import Row, Story, at


def says(table: str, word: str) -> Check:
    """The flags of the first row have this word."""

    def value(rows: pl.DataFrame) -> str | None:
        return word if rows["flags"].list.contains(word)[0] else None

    return Check(f"{word} in {table}", table, value, word, word)


def _later(begin: datetime, second: float) -> datetime:
    return begin + timedelta(seconds=second)


@situation
def charge_that_the_car_counts() -> Situation:
    """A car adds 18.4 kWh from 24 to 56 % and says so by a counter, which once tells 212 kWh; no capacity is told."""
    story = Story("04-07 19:00", soc_pct=24.5, charge_added_wh=31_250.0).stands(90)
    story.from_now(charge_added_wh=0.0).goes_on(
        "charge", 230, {"soc_pct": 32, "charge_added_wh": 18_400}, charging=True, plugged=True
    )
    rows = story.stands(120).told("odometer_m", "soc_pct", "charging", "charge_added_wh", every_s=300)
    for row in rows:
        row["charge_added_wh"] = 212_000.0 if row["time"] == at("04-07 21:40") else round(row["charge_added_wh"], -1)
    return Situation(
        rows,
        (
            count("charges", 1),
            total("charges", "energy_wh", 18_200, 18_500, energy_source="reported"),
            near("started_at", "04-07 20:30", 5, table="charges"),
        ),
    )


@situation
def two_charges_of_a_counter_that_two_polls_tell() -> Situation:
    """Asked at arrival and departure alone, a car tells of the charge before at the one, of this one at the other."""
    told = (
        ("04-08 18:00", 900.0, 61, 11_900.0), ("04-09 07:10", 900.0, 92, 17_300.0),
        ("04-09 18:05", 962.0, 70, 17_300.0), ("04-09 23:00", 962.0, 88, 10_100.0),
        ("04-10 18:00", 1024.0, 66, 10_100.0),
    )  # fmt: skip
    rows: list[Row] = [
        {"time": at(when), "odometer_m": 1000 * km, "soc_pct": float(pct), "charge_added_wh": wh}
        for when, km, pct, wh in told
    ]
    return Situation(
        rows,
        (
            count("charges", 2),
            total("charges", "energy_wh", 27_300, 27_500, energy_source="reported"),
            count("trips", 2),
        ),
    )


@situation
def wheel_of_volts_and_amperes() -> Situation:
    """A wheel tells volts every five seconds and amperes each second, in rows of their own: 486 W on the mean."""
    story = Story("04-11 08:00", soc_pct=88).stands(2).drives(25, km=8.2, pct=14).stands(3)
    rows = story.told("odometer_m", "soc_pct", "moving", "speed_kmh", every_s=5)
    begin = at("04-11 08:02")
    told = [(second, 486 + 300 * math.sin(second / 40)) for second in range(1501)]
    volts: list[Row] = [{"time": _later(begin, second), "voltage_v": 81.0} for second in range(0, 1501, 5)]
    amperes: list[Row] = [{"time": _later(begin, second + 0.4), "current_a": -watt / 81} for second, watt in told]
    used = sum(watt for _, watt in told[1:]) / 3600
    return Situation(
        [*rows, *volts, *amperes],
        (
            count("trips", 1),
            one("trips", "energy_source", "power"),
            total("trips", "energy_wh", 0.98 * used, 1.02 * used),
            total("trips", "energy_low_wh", 0.94 * used, 0.98 * used),
            total("consumption", "driven_wh", 0.98 * used, 1.02 * used),
            count("charges", 0),
        ),
    )


@situation
def car_that_tells_its_content() -> Situation:
    """A car tells its content in tens of watt hours: 31.4 to 27.9 kWh on 21 km, 27.9 to 36 at a cable; no capacity."""
    story = Story("04-12 06:00", soc_pct=60.4, energy_wh=31_400.0).stands(120)
    story.goes_on(
        "drive", 30, {"odometer_m": 21_000, "soc_pct": -6.7, "energy_wh": -3_500}, moving=True, speed_kmh=42.0
    ).stands(40)
    story.goes_on("charge", 160, {"soc_pct": 15.6, "energy_wh": 8_100}, charging=True, plugged=True).stands(200)
    rows = story.told("odometer_m", "soc_pct", "charging", "moving", "energy_wh", every_s=120)
    told = [row | {"energy_wh": round(row["energy_wh"], -1)} for row in rows]
    return Situation(
        told,
        (
            count("trips", 1),
            one("trips", "energy_source", "content"),
            total("trips", "energy_wh", 3_450, 3_550),
            total("charges", "energy_wh", 8_300, 8_700, energy_source="content"),
            total("consumption", "driven_wh", 3_450, 3_550),
            total("consumption", "charged_wh", 7_500, 8_700),
            most("standby", "mean_w", 40),
        ),
    )


@situation
def percent_of_nobody_knows_what() -> Situation:
    """A car tells percent and odometer, nobody tells a capacity: no energy, and a word why."""
    story = Story("04-13 06:00", soc_pct=71).stands(120).drives(40, km=33, pct=12).stands(60).charges(200, pct=30)
    rows = story.stands(120).told("odometer_m", "soc_pct", "charging", "moving", every_s=120)
    return Situation(
        rows,
        (
            count("trips", 1),
            most("trips", "energy_high_wh", -1),
            says("trips", "no_capacity"),
            says("charges", "no_capacity"),
        ),
    )


@situation
def odometer_and_nothing_of_the_battery() -> Situation:
    """A car tells its odometer and whether it moves, nothing of the battery: no energy, and a word why."""
    story = Story("04-14 06:00").stands(120).drives(25, km=17).stands(300)
    return Situation(
        story.told("odometer_m", "moving", every_s=120),
        (count("trips", 1), most("trips", "energy_high_wh", -1), says("trips", "no_percent")),
    )


@situation
def counter_alone_tells_of_a_charge_over_midnight() -> Situation:
    """A car tells its counter and a flag that stays false, no percent: 12 kWh from 22:00 to 02:00, half on each day."""
    told = (
        ("04-15 18:00", 3_300), ("04-15 22:00", 3_300), ("04-15 23:00", 3_000), ("04-16 00:00", 6_000),
        ("04-16 01:00", 9_000), ("04-16 02:00", 12_000), ("04-16 08:00", 12_000), ("04-18 08:00", 12_000),
    )  # fmt: skip
    rows: list[Row] = [
        {"time": at(when), "odometer_m": 900_000.0, "charging": False, "charge_added_wh": float(wh)}
        for when, wh in told
    ]
    return Situation(
        [rows[0] | {"time": at("04-15 07:00"), "odometer_m": 850_000.0}, *rows],
        (
            count("charges", 1),
            total("charges", "energy_wh", 11_990, 12_010, energy_source="reported"),
            total("consumption", "charged_wh", 5_990, 6_010, day="2026-04-15"),
            total("consumption", "charged_wh", 5_990, 6_010, day="2026-04-16"),
            total("consumption", "charged_wh", 0, 0, day="2026-04-17"),
        ),
    )


def _day_of(**more: float) -> Story:
    """A car of 58 kWh drives 25 km and charges 18 kWh."""
    state = {"energy_wh": 40_600.0, "charge_added_wh": 0.0, **more}
    story = Story("04-19 06:00", soc_pct=70.5, **state).stands(60)
    drive = {"odometer_m": 25_000, "soc_pct": -7.3, "energy_wh": -4_200}
    story.goes_on("drive", 30, drive, moving=True, speed_kmh=50.0, power_w=-8_400.0).stands(120)
    charge = {"soc_pct": 29.5, "energy_wh": 17_100, "charge_added_wh": 18_000}
    return story.goes_on("charge", 180, charge, charging=True, plugged=True, power_w=6_000.0).stands(300)


_NOTHING = (
    count("trips", 1),
    count("charges", 1),
    most("trips", "energy_high_wh", -1),
    most("charges", "energy_high_wh", -1),
    most("consumption", "charged_wh", -1),
    says("trips", "no_capacity"),
    says("charges", "no_capacity"),
)


@situation
def kilowatt_hours_told_as_watt_hours() -> Situation:
    """A file has kWh in columns of Wh: 4.2 Wh for 25 km is no energy, and neither is 18 Wh for 30 %."""
    rows = _day_of().told("odometer_m", "soc_pct", "charging", "moving", "energy_wh", "charge_added_wh", every_s=300)
    names = ("energy_wh", "charge_added_wh")
    told = [row | {name: round(row[name] / 1000, 2) for name in names} for row in rows]
    return Situation(told, _NOTHING)


@situation
def power_of_the_other_sign() -> Situation:
    """A car tells power as positive when used: the percent denies it, and no charge takes energy out of a battery."""
    rows = _day_of(power_w=0.0).told("odometer_m", "soc_pct", "charging", "moving", "power_w", every_s=20)
    return Situation([row | {"power_w": -row["power_w"]} for row in rows], _NOTHING)


@situation
def content_that_is_frozen() -> Situation:
    """A cloud tells one content for days, and a capacity: the percent counts, for trip, charge and capacity."""
    rows = _day_of().told("odometer_m", "soc_pct", "charging", "moving", every_s=300)
    told = [row | {"energy_wh": 40_600.0, "capacity_wh": 58_000.0} for row in rows]
    return Situation(
        told,
        (
            one("trips", "energy_source", "soc"),
            within("trips", "energy_low_wh", 4_200, "energy_high_wh"),
            total("charges", "energy_wh", 17_000, 18_500, energy_source="soc"),
            within("charges", "energy_low_wh", 18_000, "energy_high_wh"),
            total("consumption", "charged_wh", 17_000, 18_500),
        ),
    )
