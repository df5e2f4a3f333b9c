"""Percents as owners reported them wrong: zeros, decimals, and two sources that contradict each other."""

from tests.cases.reports.checks import count, one, size, total
from tests.cases.reports.situations import Situation, situation
from tests.cases.reports.story import Story, at, every_nth


@situation
def percent_zero_in_one_poll() -> Situation:
    """Parked with 57 % and asked hourly for 30 hours; one poll tells 0 %; never charging."""
    rows = Story("03-21 00:00", soc_pct=57).stands(30 * 60).polled("odometer_m", "soc_pct", "charging", every_s=3600)
    return Situation(
        [row | {"soc_pct": 0.0} if row["time"] == at("03-21 11:00") else row for row in rows],
        (count("charges", 0), size("standby", "pct_per_day", 2), count("trips", 0)),
    )


@situation
def decimals_from_full() -> Situation:
    """A percent with two decimals falls from 100.0 to 97.7 over 14 km."""
    story = Story("03-21 06:00", soc_pct=100.0).stands(80).drives(16, km=14, pct=2.3).stands(120)
    return Situation(
        story.told("odometer_m", "soc_pct", every_s=600, driving_s=60, steps={"soc_pct": 0.01}),
        (
            count("trips", 1),
            one("trips", "soc_used_pct", 2.1, 2.5),
            one("trips", "soc_start_pct", 99.8, 100),
            one("trips", "soc_finish_pct", 97.5, 97.9),
        ),
    )


@situation
def live_and_last_percent_take_turns() -> Situation:
    """Parked and unplugged, each fourth poll tells the percent of the last charge, 74, and the others the live 58."""
    rows = Story("03-21 07:00", soc_pct=58).stands(15 * 60).polled(
        "odometer_m", "soc_pct", "charging", "plugged", every_s=900
    )  # fmt: skip
    return Situation(
        list(every_nth(rows, 4, 2, soc_pct=74.0)),
        (
            count("charges", 0),
            size("standby", "pct_per_day", 10),
            count("trips", 0),
            total("charges", "energy_wh", 0, 0),
        ),
    )
