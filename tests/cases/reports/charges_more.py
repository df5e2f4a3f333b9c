"""Charges told by words alone, by power alone, once a day, with breaks; and what looks like a charge and is none."""

from tests.cases.reports.checks import count, minutes_of, most, near, one, since, size, total
from tests.cases.reports.situations import CAR, MOPED, Situation, settings, situation
from tests.cases.reports.story import Row, Story, at, lacking

_PLUG = ("charge_state", "odometer_m", "soc_pct")


@situation
def charge_by_words_of_the_plug() -> Situation:
    """`charge_state` alone says it: plugged, charging, complete, unplugged; 41 to 78 %."""
    story = Story("03-20 06:00", soc_pct=41, charge_state="unplugged").stands(120).stands(20, charge_state="plugged")
    story.charges(200, pct=37, charge_state="charging").stands(160, charge_state="complete").stands(90)
    return Situation(
        story.told(*_PLUG, every_s=600),
        (
            count("charges", 1, kind="charge"),
            count("charges", 1),
            total("charges", "soc_added_pct", 36, 38),
            near("started_at", "03-20 08:20", 15, table="charges"),
            near("finished_at", "03-20 11:40", 15, table="charges"),
            minutes_of("charging", 180, 225),
        ),
    )


@situation
def charge_by_power_alone() -> Situation:
    """Power into the battery says it, 7,200 W told by the minute; no flag, no plug; 30 to 61 % of 58 kWh."""
    story = Story("03-20 06:00", soc_pct=30, power_w=0.0).stands(90).charges(150, pct=31, power_w=7_200.0).stands(120)
    return Situation(
        story.told("odometer_m", "soc_pct", "power_w", every_s=60),
        (
            count("charges", 1),
            total("charges", "soc_added_pct", 30, 32),
            total("charges", "energy_wh", 17_100, 18_900),
            near("started_at", "03-20 07:30", 15, table="charges"),
            near("finished_at", "03-20 10:00", 15, table="charges"),
        ),
        settings=settings("charge_by_power_alone", CAR),
    )


@situation
def charge_seen_once_a_day() -> Situation:
    """Asked each evening: 64, 63, 91, 91, 90 %, and the odometer never moves: one charge, in one of the nights."""
    story = Story("03-20 00:00", soc_pct=64).stands(1440, pct=-0.6).stands(720, pct=-0.2).charges(240, pct=28)
    story.stands(480).stands(3 * 1440, pct=-0.8)
    return Situation(
        story.polled("odometer_m", "soc_pct", every_s=86_400, first_s=19 * 3600),
        (
            count("charges", 1),
            count("charges", 0, kind="swap"),
            total("charges", "soc_added_pct", 27, 29),
            since("started_at", "03-20 19:00", "03-22 19:00", table="charges"),
            count("trips", 0),
        ),
    )


@situation
def full_and_a_percent_less_once_unplugged() -> Situation:
    """Charged to 100 %, unplugged, and 99 % ten minutes later: that is no trip, and nothing is lost by it."""
    story = Story("03-20 06:00", soc_pct=70.5).stands(60).charges(240, pct=29.5).stands(30, plugged=True).stands(10)
    story.from_now(soc_pct=99.0).stands(700)
    return Situation(
        story.told("odometer_m", "soc_pct", "charging", "plugged", every_s=300),
        (
            count("charges", 1),
            total("charges", "soc_added_pct", 28.5, 31),
            one("charges", "soc_finish_pct", 99.5, 100),
            count("trips", 0),
            size("standby", "pct_per_day", 4),
        ),
    )


@situation
def charge_with_breaks() -> Situation:
    """One cable, one night: a wall box pauses for five minutes every half hour; 26 to 68 %."""
    story = Story("03-20 18:00", soc_pct=26).stands(60)
    for part in range(7):
        story.charges(30, pct=6)
        if part < 6:
            story.stands(5, plugged=True)
    return Situation(
        story.stands(180, plugged=True).stands(60).told("odometer_m", "soc_pct", "charging", "plugged", every_s=60),
        (
            count("charges", 1),
            total("charges", "soc_added_pct", 41, 43),
            near("started_at", "03-20 19:00", 3, table="charges"),
            near("finished_at", "03-20 23:00", 5, table="charges"),
        ),
    )


@situation
def charge_cut_by_a_short_drive() -> Situation:
    """Charged for an hour, fetched something 5 km away, charged on: two charges and one trip."""
    story = Story("03-20 06:00", soc_pct=22).stands(60).charges(60, pct=20).stands(2).drives(12, km=5, pct=2).stands(2)
    story.charges(120, pct=40).stands(240)
    return Situation(
        story.told("odometer_m", "soc_pct", "charging", "moving", every_s=120),
        (
            count("charges", 2),
            count("trips", 1),
            total("charges", "soc_added_pct", 58, 62),
            total("trips", "distance_m", 4_990, 5_010),
            since("finished_at", "03-20 07:58", "03-20 08:04", table="charges"),
            since("started_at", "03-20 08:12", "03-20 08:20", row=1, table="charges"),
        ),
    )


@situation
def preheated_from_the_wall() -> Situation:
    """Full and plugged in, a car heats its cabin for 25 minutes with 2.4 kW from the wall; nothing goes in or out."""
    story = Story("03-20 04:00", soc_pct=80, plugged=True, power_w=0.0, charger_power_w=0.0, climate_on=False)
    story.stands(120).stands(25, charger_power_w=2_400.0, climate_on=True).stands(10)
    story.from_now(plugged=False).drives(30, km=21, pct=5, power_w=-7_000.0).stands(200)
    tells = ("odometer_m", "soc_pct", "charging", "plugged", "moving", "power_w", "charger_power_w", "climate_on")
    return Situation(
        story.told(*tells, every_s=300, driving_s=60),
        (
            count("trips", 1),
            near("started_at", "03-20 06:35", 3),
            total("charges", "soc_added_pct", -0.5, 1),
            total("charges", "energy_wh", 0, 300),
            size("standby", "pct_per_day", 6),
        ),
        settings=settings("preheated_from_the_wall", CAR),
    )


@situation
def into_the_grid_and_back() -> Situation:
    """Plugged in, a car gives 4 kW to the grid for two hours and takes 6 kW for four: 66 to 52 to 93 %."""
    story = Story("03-20 16:00", soc_pct=66, charge_state="plugged", plugged=True, power_w=0.0).stands(60)
    story.stands(120, pct=-14, charge_state="discharging", power_w=-4_000.0).stands(150)
    story.charges(240, pct=41, charge_state="charging", power_w=6_000.0).stands(120)
    return Situation(
        story.told("odometer_m", "soc_pct", "charge_state", "plugged", "power_w", every_s=300),
        (
            count("charges", 1),
            total("charges", "soc_added_pct", 40, 42),
            near("started_at", "03-20 21:30", 10, table="charges"),
            minutes_of("discharging", 110, 130),
            size("standby", "pct_per_day", 5),
            count("trips", 0),
        ),
        settings=settings("into_the_grid_and_back", CAR),
    )


@situation
def moped_with_a_fresh_pack() -> Situation:
    """The crew of a moped takes a pack of 17 % and 412 cycles and puts in one of 96 % and 88 cycles."""
    story = Story("03-20 06:00", soc_pct=17, pack_soc_pct=17.0, pack_cycles=412, port="1").stands(150)
    story.from_now(soc_pct=96.0, pack_soc_pct=96.0, pack_cycles=88).stands(300).drives(10, km=3, pct=6).stands(60)
    tells = ("locked", "charging", "soc_pct", "odometer_m", "ride_time_s", "speed_kmh")
    told = story.told(*tells, every_s=900, driving_s=10)
    polled = story.polled("port", "pack_soc_pct", "pack_cycles", every_s=900, first_s=5)
    packs = lacking(polled, "03-20 13:30", "03-21 00:00")  # the pack query is not asked on the ride
    events: list[Row] = [
        {"table": "event", "time": at(when), "kind": "component", "code": "battery_1", "state": state}
        for when, state in (("03-20 08:26", "taken"), ("03-20 08:29", "returned"))
    ]
    return Situation(
        [*told, *packs, *events],
        (
            count("charges", 1, kind="swap"),
            count("charges", 1),
            total("charges", "energy_wh", 0, 0),
            near("started_at", "03-20 08:28", 20, table="charges"),
            count("trips", 1),
            total("consumption", "charged_wh", -30, 30),
        ),
        provider="segway",
        settings=settings("moped_with_a_fresh_pack", MOPED),
    )


@situation
def moped_at_a_cable() -> Situation:
    """A moped whose packs are swapped as a rule charges at a cable: 21 to 94 % in four hours, and says so."""
    story = Story("03-20 06:00", soc_pct=21).stands(120).charges(240, pct=73).stands(180)
    return Situation(
        story.told("locked", "charging", "soc_pct", "odometer_m", "ride_time_s", every_s=900),
        (
            count("charges", 1),
            count("charges", 0, kind="swap"),
            total("charges", "soc_added_pct", 72, 74),
            total("charges", "energy_wh", 950, 1_250),
            minutes_of("charging", 225, 270),
        ),
        provider="segway",
        settings=settings("moped_at_a_cable", MOPED),
    )


@situation
def downhill_with_more_than_before() -> Situation:
    """From a pass a car rolls 14 km down and arrives with 4 % more than it left with: no charge."""
    story = Story("03-20 06:00", soc_pct=55).stands(60).drives(22, km=14, pct=-4).stands(240)
    return Situation(
        story.told("moving", "odometer_m", "speed_kmh", "soc_pct", "charging", every_s=600, driving_s=60),
        (
            count("charges", 0),
            count("trips", 1),
            one("trips", "soc_used_pct", -5.5, -2.5),
            total("trips", "distance_m", 13_990, 14_010),
        ),
    )


@situation
def last_percent_after_the_flag() -> Situation:
    """Asked every 20 minutes: the poll that says the charge is over is the first to tell its last 6 %."""
    story = Story("03-20 06:00", soc_pct=33).stands(100).charges(160, pct=48).stands(300)
    rows = story.polled("odometer_m", "soc_pct", "charging", every_s=1200)
    return Situation(
        [row | {"soc_pct": 75.0} if row["time"] == at("03-20 10:00") else row for row in rows],
        (
            count("charges", 1),
            total("charges", "soc_added_pct", 47, 49),
            one("charges", "soc_finish_pct", 80.5, 81.5),
            since("finished_at", "03-20 10:00", "03-20 10:20", table="charges"),
        ),
    )


@situation
def charging_flag_that_never_falls() -> Situation:
    """For two days the cloud says `charging`; the car drives twice meanwhile and its percent only falls."""
    story = Story("03-20 06:00", soc_pct=77, charging=True).stands(120).drives(30, km=25, pct=6).stands(900)
    story.drives(40, km=33, pct=8).stands(900)
    return Situation(
        story.told("charging", "moving", "odometer_m", "soc_pct", every_s=900, driving_s=60),
        (
            count("trips", 2),
            total("trips", "distance_m", 57_900, 58_100),
            most("charges", "soc_added_pct", 1),
            total("charges", "energy_wh", 0, 600),
        ),
        settings=settings("charging_flag_that_never_falls", CAR),
    )


@situation
def stop_at_a_charger_on_a_journey() -> Situation:
    """Asked every ten minutes on a journey; one single poll of a stop of 24 minutes says `charging`: 19 to 71 %."""
    story = Story("03-20 06:00", soc_pct=85).stands(60).drives(96, km=150, pct=66).charges(24, pct=52)
    story.drives(70, km=111, pct=48).stands(180)
    rows = story.polled("moving", "odometer_m", "soc_pct", "charging", every_s=600, first_s=120)
    return Situation(
        [row | {"charging": row["time"] == at("03-20 08:42")} for row in rows],
        (
            count("trips", 2),
            count("charges", 1),
            total("charges", "soc_added_pct", 47, 55),
            total("trips", "distance_m", 260_900, 261_100),
            since("finished_at", "03-20 08:22", "03-20 08:43"),
        ),
    )


@situation
def half_a_percent_an_hour() -> Situation:
    """A car that tells its percent alone is charged by the sun, 10 % in twenty hours: no battery warms by so much."""
    story = Story("03-20 06:00", soc_pct=60.2).stands(300).charges(1200, pct=10).stands(600)
    return Situation(
        story.polled("odometer_m", "soc_pct", every_s=900),
        (count("charges", 1), total("charges", "soc_added_pct", 9, 11), size("standby", "soc_lost_pct", 1)),
    )
