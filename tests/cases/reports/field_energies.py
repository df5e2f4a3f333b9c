"""Energy where polls straddle charges, counters never begin anew, and figures are of another unit."""

from logger.settings.schema import Model
from tests.cases.reports.checks import count, most, near, one, total, within
from tests.cases.reports.situations import Situation, settings, situation
from tests.cases.reports.story import Story

_FAMILY_CAR = Model(capacity_wh=50_000)


@situation
def fast_charge_that_two_polls_straddle() -> Situation:
    """Asked every 20 min, a car arrives at a charger with 12 % and leaves with 70, and no poll sees either."""
    story = Story("05-04 08:00", soc_pct=80).stands(55).drives(80, km=120, pct=68).charges(18, pct=58)
    rows = story.drives(60, km=90, pct=45).stands(120).polled("odometer_m", "soc_pct", "charging", every_s=1200)
    return Situation(
        rows,
        (
            count("trips", 2),
            count("charges", 1),
            one("trips", "soc_used_pct", 66, 70),
            one("trips", "soc_used_pct", 43, 47, row=1),
            within("trips", "energy_low_wh", 34_000, "energy_high_wh"),
            within("trips", "energy_low_wh", 22_500, "energy_high_wh", row=1),
        ),
        settings=settings("fast_charge_that_two_polls_straddle", _FAMILY_CAR),
    )


@situation
def counter_of_all_charges_ever() -> Situation:
    """A car's counter of what charges added stands at 500 kWh and never begins anew: 8 kWh for 16 %, 5 for 10."""
    story = Story("05-04 08:00", soc_pct=50, charge_added_wh=500_000.0).stands(60)
    story.goes_on("charge", 120, {"soc_pct": 16, "charge_added_wh": 8_000}, charging=True).stands(60)
    story.drives(20, km=15, pct=5).stands(60)
    story.goes_on("charge", 80, {"soc_pct": 10, "charge_added_wh": 5_000}, charging=True).stands(60)
    return Situation(
        story.told("odometer_m", "soc_pct", "charging", "charge_added_wh", every_s=300),
        (
            count("charges", 2),
            one("charges", "energy_wh", 7_800, 8_200),
            one("charges", "energy_wh", 4_800, 5_200, row=1),
        ),
    )


@situation
def capacity_in_kilowatt_hours() -> Situation:
    """A cloud tells a capacity of 62.4 in Wh and a health of 0: nobody knows what a percent is worth."""
    story = Story("05-04 08:00", soc_pct=50, capacity_wh=62.4, soh_pct=0.0).stands(60).charges(120, pct=16).stands(60)
    rows = story.drives(20, km=15, pct=5).stands(300)
    return Situation(
        rows.told("odometer_m", "soc_pct", "charging", "capacity_wh", "soh_pct", every_s=300),
        (
            count("trips", 1),
            count("charges", 1),
            total("trips", "energy_wh", 0, 0),
            total("charges", "energy_wh", 0, 0),
            count("battery_health", 0, method="reported"),
        ),
    )


@situation
def down_from_the_pass_with_decimals() -> Situation:
    """30 km down from a pass give 6 % back: the trip gained 3 kWh, give or take as much on both sides."""
    story = Story("05-04 08:00", soc_pct=40.0).stands(60).drives(40, km=30, pct=-6).stands(60)
    tells = ("odometer_m", "soc_pct", "speed_kmh", "charging")
    return Situation(
        story.told(*tells, every_s=300, driving_s=20, steps={"soc_pct": 0.1}),
        (
            count("charges", 0),
            one("trips", "energy_wh", -3_100, -2_900),
            one("trips", "energy_low_wh", -6_000, -3_200),
            one("trips", "energy_high_wh", -2_800, 0),
            one("consumption", "driven_low_wh", -6_000, -3_200),
            near("started_at", "05-04 09:00", 2),
        ),
        settings=settings("down_from_the_pass_with_decimals", _FAMILY_CAR),
    )


@situation
def power_cut_in_the_night() -> Situation:
    """15 % in four hours, no power for three, 20 % in five: between them nothing was charged, lost or regained."""
    story = Story("05-06 20:00", soc_pct=40).stands(60).charges(240, pct=15).stands(180, plugged=True)
    rows = story.charges(300, pct=20).stands(60).told("odometer_m", "soc_pct", "charging", "plugged", every_s=600)
    return Situation(
        rows,
        (
            count("charges", 2),
            total("charges", "soc_added_pct", 34, 36),
            total("consumption", "charged_wh", 17_500, 19_000),
            total("consumption", "standby_wh", -50, 50),
        ),
        settings=settings("power_cut_in_the_night", _FAMILY_CAR),
    )


@situation
def asked_each_evening_of_drive_and_charge() -> Situation:
    """Asked at 22:00 alone: each day 40 km and 9 %, and each fourth night 36 % from the wall."""
    story = Story("05-06 22:00", soc_pct=90)
    for day in range(1, 13):
        story.stands(600).drives(48, km=40, pct=9).stands(200)
        story = story.charges(300, pct=36).stands(292) if day % 4 == 0 else story.stands(592)
    story.stands(60)
    return Situation(
        story.polled("odometer_m", "soc_pct", every_s=86_400),
        (
            count("trips", 12),
            count("charges", 3),
            total("trips", "soc_used_pct", 100, 112),
            most("trips", "soc_used_pct", 12),
            total("consumption", "standby_wh", -2_000, 2_000),
        ),
        settings=settings("asked_each_evening_of_drive_and_charge", _FAMILY_CAR),
    )
