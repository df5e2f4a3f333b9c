"""Charges as owners reported them wrong: invented, missed, or taken for something else."""

from tests.cases.reports.checks import count, minutes_of, most, near, one, since, size, total
from tests.cases.reports.situations import CAR, Situation, settings, situation
from tests.cases.reports.story import Story, at


@situation
def percent_recovers_in_the_sun() -> Situation:
    """Parked, asked hourly: 47 to 52 % in five hours in a row as the battery warms; never plugged, never charging."""
    story = Story("03-19 00:02", soc_pct=47).stands(9 * 60).stands(5 * 60, pct=5).stands(11 * 60)
    return Situation(
        story.polled("odometer_m", "soc_pct", "charging", "plugged", every_s=3600),
        (count("charges", 0), count("trips", 0), minutes_of("charging", 0, 0)),
    )


@situation
def fast_charge_that_no_poll_saw() -> Situation:
    """On a journey a car stands at 16 %, 23 minutes later at 78 %; at both polls `charging` is false."""
    story = Story("03-19 08:00", soc_pct=82).stands(90).drives(100, km=151, pct=66).stands(4)
    story.charges(19, pct=62, charging=False, plugged=False).stands(3).drives(80, km=128, pct=55).stands(150)
    polls = ("03-19 11:12", "03-19 11:35")
    rows = story.polled("lat_deg", "lon_deg", "moving", "odometer_m", "soc_pct", "charging", every_s=1800)
    kept = [row for row in rows if not at("03-19 11:00") < row["time"] < at("03-19 11:37")]
    seen = [row for row in story.polled(*kept[0], every_s=60) if row["time"] in [at(text) for text in polls]]
    return Situation(
        [*kept, *seen],
        (
            count("charges", 1),
            count("charges", 0, kind="swap"),
            total("charges", "soc_added_pct", 61, 63, kind="inferred"),
            since("started_at", polls[0], polls[1], table="charges"),
            since("finished_at", polls[0], polls[1], table="charges"),
            total("charges", "energy_wh", 32_000, 42_000),
            most("trips", "swaps", 0),
            count("trips", 2),
        ),
        settings=settings("fast_charge_that_no_poll_saw", CAR),
    )


@situation
def slow_charge_that_nothing_tells() -> Situation:
    """Percent and odometer by the minute and nothing else: 37 to 51 % in eight hours and a quarter."""
    story = Story("03-19 16:00", soc_pct=37).stands(70).charges(495, pct=14).stands(60)
    return Situation(
        story.polled("odometer_m", "soc_pct", every_s=60),
        (
            count("charges", 1),
            total("charges", "soc_added_pct", 13, 15),
            near("started_at", "03-19 17:10", 45, table="charges"),
            near("finished_at", "03-20 01:25", 45, table="charges"),
            count("trips", 0),
        ),
    )


@situation
def kettle_and_heater_at_a_camp() -> Situation:
    """For six hours a parked car gives 1.8 kW to a camp, as `charge_state` and power say: 71 to 52 %."""
    story = Story("03-19 06:00", soc_pct=71, charge_state="unplugged", power_w=0.0).stands(180)
    story.stands(360, pct=-19, charge_state="discharging", power_w=-1_800.0).stands(300)
    tells = ("odometer_m", "soc_pct", "charging", "charge_state", "power_w", "locked", "moving")
    return Situation(
        story.told(*tells, every_s=300),
        (
            count("charges", 0),
            count("trips", 0),
            size("standby", "pct_per_day", 5),
            size("consumption", "standby_wh", 600),
            minutes_of("discharging", 345, 375),
        ),
        settings=settings("kettle_and_heater_at_a_camp", CAR),
    )


@situation
def stale_odometer_while_charging() -> Situation:
    """Asked every 35 minutes while it charges from 23 to 79 %, a car's odometer is one of two months ago."""
    story = Story("03-18 12:00", soc_pct=44).stands(1100).drives(75, km=81.4, pct=21).stands(15)
    story.charges(245, pct=56).stands(35).drives(60, km=66.7, pct=17).stands(240)
    rows = story.polled("odometer_m", "soc_pct", "charging", "plugged", every_s=2100)
    first, last = at("03-19 07:35"), at("03-19 11:50")
    stale = [row | {"odometer_m": 39_868_200.0} if first <= row["time"] < last else row for row in rows]
    return Situation(
        stale,
        (
            count("charges", 1),
            total("charges", "soc_added_pct", 55, 57.5),
            total("coverage", "odometer_m", 148_000, 148_200),
            count("trips", 2),
            one("trips", "distance_m", 81_000, 82_000),
        ),
    )
