"""What a vehicle was doing while it did nothing: parked, silent, offline, unlocked, drained."""

from tests.cases.reports.checks import count, minutes_of, most, near, one, size, total
from tests.cases.reports.situations import CAR, Situation, settings, situation
from tests.cases.reports.story import Story, at, lacking

DAY = 1440


@situation
def parked_and_asked_hourly() -> Situation:
    """Four days parked and locked, asked once an hour, and 3 % lost: it was parked, and nothing is missing."""
    story = Story("03-22 00:00", soc_pct=64.9).stands(4 * DAY, pct=-3)
    return Situation(
        story.polled("odometer_m", "soc_pct", "charging", "locked", every_s=3600),
        (
            minutes_of("parked", 94 * 60, 96 * 60),
            minutes_of("no_data", 0, 60),
            count("standby", 1, 4),
            most("standby", "pct_per_day", 2),
        ),
    )


@situation
def six_polls_missing() -> Situation:
    """Parked for two days and asked hourly; six polls of a night never came: for these alone nobody knows."""
    rows = Story("03-22 00:30").stands(2 * DAY).polled("odometer_m", "soc_pct", "locked", every_s=3600)
    return Situation(
        lacking(rows, "03-23 00:00", "03-23 06:00"),
        (minutes_of("parked", 39 * 60, 43 * 60), minutes_of("no_data", 4 * 60, 7.1 * 60), count("trips", 0)),
    )


@situation
def switched_off_for_three_weeks() -> Situation:
    """Heard of by the quarter, silent for 22 days, then there again at its place with 5 % less."""
    story = Story("03-22 00:00", soc_pct=71).stands(600).stands(22 * DAY, pct=-5).stands(600)
    rows = story.told("odometer_m", "soc_pct", "locked", "lat_deg", "lon_deg", every_s=900)
    return Situation(
        lacking(rows, "03-22 10:01", "04-13 09:59"),
        (
            count("trips", 0),
            count("charges", 0),
            minutes_of("no_data", 21.5 * DAY, 22.1 * DAY),
            minutes_of("parked", 18 * 60, 22 * 60),
            size("standby", "pct_per_day", 1),
            total("coverage", "odometer_m", 0, 0),
        ),
    )


@situation
def unlocked_at_home_for_days() -> Situation:
    """A car stands unlocked in its garage for three days, told by the minute; nobody goes anywhere."""
    rows = Story("03-22 00:00", locked=False).stands(3 * DAY, pct=-1.5).told(
        "locked", "moving", "odometer_m", "soc_pct", "lat_deg", "lon_deg", every_s=300
    )  # fmt: skip
    return Situation(
        rows,
        (
            count("trips", 0),
            minutes_of("parked", 71 * 60, 72.1 * 60),
            minutes_of("riding", 0, 0),
            minutes_of("paused", 0, 0),
        ),
    )


@situation
def unlocked_scooter_waits_for_its_rider() -> Situation:
    """A shared scooter is unlocked, ridden, stands unlocked for eight minutes at a shop, and is ridden on."""
    story = Story("03-22 06:00", soc_pct=74).stands(120).drives(6, km=1.8, pct=4)
    story.goes_on("drive", 8, {}, locked=False).drives(7, km=2.1, pct=4).stands(200)
    tells = ("locked", "speed_kmh", "odometer_m", "ride_time_s", "soc_pct", "lat_deg", "lon_deg")
    return Situation(
        story.told(*tells, every_s=900, driving_s=10),
        (
            count("trips", 1),
            near("started_at", "03-22 08:00", 1),
            near("finished_at", "03-22 08:21", 1),
            minutes_of("paused", 6.5, 9),
            minutes_of("riding", 12, 14.5),
        ),
        provider="segway",
    )


@situation
def cloud_without_connection() -> Situation:
    """For five hours the cloud answers that it has no connection to the parked car, with what it knew before."""
    story = Story("03-22 06:00", online=True).stands(180).stands(300, online=False).stands(240)
    return Situation(
        story.told("online", "odometer_m", "soc_pct", "locked", every_s=600),
        (minutes_of("offline", 285, 315), minutes_of("parked", 400, 440), count("trips", 0)),
    )


@situation
def drained_by_two_percent_a_day() -> Situation:
    """Parked for four days, a moped that speaks by the quarter loses 8.4 %."""
    story = Story("03-22 00:00", soc_pct=81.2).stands(4 * DAY, pct=-8.4)
    return Situation(
        story.told("locked", "charging", "soc_pct", "odometer_m", "ride_time_s", every_s=900),
        (
            count("standby", 1),
            one("standby", "pct_per_day", 1.8, 2.4),
            one("standby", "soc_lost_pct", 7.4, 9.4),
            count("trips", 0),
            minutes_of("parked", 95 * 60, 96 * 60),
        ),
        provider="segway",
    )


@situation
def asked_once_a_day_and_parked() -> Situation:
    """Asked once a day for twelve days, always at its place and always locked: it was parked."""
    rows = Story("03-22 00:00", soc_pct=59).stands(12 * DAY, pct=-4).polled(
        "odometer_m", "soc_pct", "locked", every_s=86_400, first_s=30_000
    )  # fmt: skip
    return Situation(
        rows,
        (
            minutes_of("parked", 10 * DAY, 11 * DAY),
            minutes_of("no_data", 0, DAY),
            count("trips", 0),
            size("standby", "pct_per_day", 1.5),
        ),
    )


@situation
def ignition_flag_that_never_falls() -> Situation:
    """After a drive of 20 minutes `moving` stays true for two days; odometer and position stand."""
    story = Story("03-22 06:00").stands(60).drives(20, km=13, pct=3).stands(2 * DAY, moving=True)
    return Situation(
        story.told("moving", "odometer_m", "soc_pct", "lat_deg", "lon_deg", every_s=600, driving_s=60),
        (
            count("trips", 1),
            total("trips", "distance_m", 12_990, 13_010),
            minutes_of("riding", 18, 90),
            minutes_of("parked", 40 * 60, 50 * 60),
        ),
    )


@situation
def out_of_service_in_the_workshop() -> Situation:
    """Taken out of service at noon, a moped is tried out by a mechanic, 1.2 km; back in service next morning."""
    story = Story("03-22 06:00").stands(8 * 60).drives(4, km=1.2, pct=2).stands(30 * 60)
    rows = story.told("locked", "soc_pct", "odometer_m", "ride_time_s", "speed_kmh", every_s=900, driving_s=10)
    words = [{"table": "vehicles", "time": at(when), "in_service": word}
             for when, word in (("03-22 12:00", False), ("03-23 08:00", True))]  # fmt: skip
    return Situation(
        [*rows, *words],
        (
            count("trips", 0),
            minutes_of("out_of_service", 19.5 * 60, 20.5 * 60),
            total("coverage", "odometer_m", 1_199, 1_201),
            total("consumption", "distance_m", 0, 0),
        ),
        provider="segway",
    )


@situation
def heater_of_a_sleeper() -> Situation:
    """Somebody sleeps in a parked car and draws 700 W for eight hours, as charge_state and power tell: 74 to 64 %."""
    story = Story("03-22 12:00", soc_pct=74, charge_state="unplugged", power_w=0.0, moving=False).stands(480)
    story.stands(480, pct=-10, charge_state="discharging", power_w=-700.0).stands(480, pct=-0.5)
    made = story.told("odometer_m", "soc_pct", "charge_state", "power_w", "moving", every_s=600)
    return Situation(
        made,
        (
            minutes_of("discharging", 460, 500),
            count("trips", 0),
            count("charges", 0),
            size("standby", "pct_per_day", 5),
        ),
        settings=settings("heater_of_a_sleeper", CAR),
    )


@situation
def moves_on_while_the_rest_is_silent() -> Situation:
    """A moped rides for 15 minutes in a valley without network; what it stored comes two hours late, all of it."""
    story = Story("03-22 06:00", soc_pct=70).stands(120).drives(15, km=4.5, pct=9).stands(240)
    tells = ("locked", "speed_kmh", "odometer_m", "ride_time_s", "soc_pct", "lat_deg", "lon_deg")
    rows = story.told(*tells, every_s=900, driving_s=10)
    live = lacking(rows, "03-22 08:00", "03-22 08:15")
    stored = [row | {"received_at": at("03-22 10:16")} for row in rows if row not in live]
    return Situation(
        live,
        (
            count("trips", 1),
            one("trips", "kind", "observed"),
            total("trips", "distance_m", 4_499, 4_501),
            near("started_at", "03-22 08:00", 1),
            near("finished_at", "03-22 08:15", 1),
            minutes_of("riding", 14, 16),
        ),
        provider="segway",
        late=stored,
    )
