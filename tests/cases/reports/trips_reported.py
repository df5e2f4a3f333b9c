"""Trips as owners reported them wrong: flags, counters and positions that clouds delay, freeze or mix up."""

from datetime import timedelta

from tests.cases.reports.checks import count, minutes_of, most, near, one, since, slower_than, total
from tests.cases.reports.situations import Situation, situation
from tests.cases.reports.story import LAT, LON, Row, Story, at, every_nth, frozen

HALF_HOUR = 1800.0


@situation
def odometer_told_only_at_switch_off() -> Situation:
    """A car polled every half hour moves by position, flag and percent; its odometer leaps once it is switched off."""
    story = Story("03-16 06:00", soc_pct=97).stands(95).drives(130, km=171.3, pct=46).stands(240)
    story.drives(125, km=170.6, pct=44).stands(200)
    rows = story.polled("lat_deg", "lon_deg", "moving", "odometer_m", "soc_pct", "charging", every_s=HALF_HOUR)
    rows = frozen(rows, "03-16 07:40", "03-16 09:50", "odometer_m")
    return Situation(
        frozen(rows, "03-16 13:50", "03-16 15:55", "odometer_m"),
        (
            count("trips", 2),
            total("coverage", "trips_m", 341_800, 342_000),
            total("coverage", "odometer_m", 341_800, 342_000),
            slower_than(150),
            since("started_at", "03-16 07:30", "03-16 08:00"),
            since("finished_at", "03-16 09:30", "03-16 10:00"),
            count("episodes", 0, code="odometer_reset"),
            count("charges", 0),
        ),
    )


@situation
def odometer_of_weeks_ago_while_parked() -> Situation:
    """A car's odometer is right on drives, and a value of weeks ago while it is parked; 9 km between go unseen."""
    story = Story("03-16 00:00").stands(480).drives(21, km=14, pct=4).stands(460, moving=False)
    story.from_now(odometer_m=story.state["odometer_m"] + 9_000).drives(21, km=14, pct=4).stands(420)
    rows = story.told("moving", "odometer_m", "soc_pct", "charging", every_s=3600, driving_s=180)
    return Situation(
        [row if row["moving"] else row | {"odometer_m": 40_700_000.0} for row in rows],
        (
            count("trips", 2, 3),
            total("coverage", "odometer_m", 25_900, 37_100),
            most("trips", "distance_m", 23_100),
            since("started_at", "03-16 07:00", "03-16 08:03"),
        ),
    )


@situation
def locks_itself_while_driving() -> Situation:
    """A car polled once a minute is locked all day, under way too; `moving` tells when it drives, in whole km."""
    story = Story("03-16 06:00", odometer_m=52_113_000.0).stands(75).drives(24, km=18, pct=4, locked=True)
    story.stands(430).drives(24, km=18, pct=4, locked=True).stands(180)
    tells = ("lat_deg", "lon_deg", "moving", "locked", "odometer_m", "soc_pct")
    return Situation(
        story.told(*tells, every_s=300, driving_s=60, steps={"odometer_m": 1000}),
        (
            count("trips", 2),
            total("trips", "distance_m", 35_900, 36_100),
            near("started_at", "03-16 07:15", 2),
            near("finished_at", "03-16 07:39", 2),
            near("started_at", "03-16 14:49", 2, row=1),
            total("consumption", "trips", 2, 2),
            one("trips", "finish_lat_deg", LAT + 0.1609, LAT + 0.1629),
        ),
    )


@situation
def level_crossing_and_a_stop_at_the_baker() -> Situation:
    """Nine minutes before a closed barrier with the ignition on, then eleven parked with it off; polled by minute."""
    story = Story("03-16 06:10").stands(30).drives(13, km=9.1, pct=2).stands(9, moving=True).drives(8, km=4.8, pct=1)
    story.stands(11).drives(16, km=8.8, pct=2).stands(70)
    return Situation(
        story.told("moving", "speed_kmh", "odometer_m", "soc_pct", every_s=60),
        (
            count("trips", 2),
            one("trips", "distance_m", 13_800, 14_000),
            near("started_at", "03-16 06:40", 2),
            near("finished_at", "03-16 07:10", 2),
            near("started_at", "03-16 07:21", 2, row=1),
            total("trips", "distance_m", 22_600, 22_800),
        ),
    )


@situation
def position_and_percent_alone() -> Situation:
    """A scooter tells where it is and its percent, by the quarter when parked and every ten seconds when ridden."""
    story = Story("03-16 06:00", soc_pct=90).stands(195).drives(18, km=5.4, pct=6).stands(300)
    return Situation(
        story.told("lat_deg", "lon_deg", "soc_pct", every_s=900, driving_s=10),
        (
            count("trips", 1),
            total("trips", "distance_m", 5_075, 5_725),
            near("started_at", "03-16 09:15", 2),
            near("finished_at", "03-16 09:33", 2),
            one("trips", "soc_used_pct", 4.5, 7.5),
        ),
    )


@situation
def speed_reads_zero_on_the_way() -> Situation:
    """For 28 minutes a car runs at 45 km/h by its positions; its speed is 0 in all polls but one; no odometer."""
    story = Story("03-16 08:00").stands(70).drives(28, km=21, pct=5).stands(90)
    rows = story.told("lat_deg", "lon_deg", "moving", "speed_kmh", "soc_pct", every_s=300, driving_s=30)
    zero = [row | {"speed_kmh": 0.0} if row["time"] != at("03-16 09:18") else row for row in rows]
    return Situation(
        zero,
        (
            count("trips", 1),
            total("trips", "distance_m", 19_740, 22_260),
            near("started_at", "03-16 09:10", 2),
            near("finished_at", "03-16 09:38", 5),
        ),
    )


@situation
def null_island_and_a_ghost_place() -> Situation:
    """Positions alone over 10.8 km: (0, 0), latitudes or longitudes of 0, and each seventh fix 20 km away."""
    story = Story("03-16 05:40").stands(130).drives(18, km=10.8).stands(120)
    rows = story.told("lat_deg", "lon_deg", every_s=600, driving_s=10)
    ghosts = every_nth(rows[14:114], 7, 3, lat_deg=LAT + 0.1, lon_deg=LON + 0.24)
    lost = [*rows[:14], *ghosts, *rows[114:]]
    for place, values in {0: (0.0, LON), 30: (0.0, 0.0), 44: (LAT, 0.0), 58: (0.0, LON), 59: (0.0, LON)}.items():
        lost[place] = lost[place] | dict(zip(("lat_deg", "lon_deg"), values, strict=True))
    return Situation(
        lost,
        (
            count("trips", 1),
            total("trips", "distance_m", 10_150, 11_450),
            one("trips", "start_lat_deg", LAT - 5e-4, LAT + 5e-4),
            one("trips", "finish_lat_deg", LAT + 0.0966, LAT + 0.0976),
            most("trips", "max_speed_kmh", 150),
        ),
    )


@situation
def odometer_lowered_for_good() -> Situation:
    """After a drive of 33 km, polled every half hour, the odometer is 4 km lower for good: nothing was driven back."""
    story = Story("03-16 06:00").stands(280).drives(25, km=33, pct=7).stands(520)
    story.from_now(odometer_m=story.state["odometer_m"] - 4_000).stands(1900)
    return Situation(
        story.polled("odometer_m", "soc_pct", every_s=HALF_HOUR),
        (
            count("trips", 1),
            total("coverage", "odometer_m", 32_900, 33_100),
            total("trips", "distance_m", 32900, 33100),
        ),
    )


def _two_drives() -> Story:
    return Story("03-16 00:00", locked=False).stands(420).drives(40, km=36, pct=8).stands(560).drives(
        40, km=36, pct=8
    ).stands(380)  # fmt: skip


_TWO_OF_36_KM = (
    count("trips", 2),
    total("coverage", "trips_m", 71_900, 72_100),
    since("started_at", "03-16 06:50", "03-16 07:10"),
    since("finished_at", "03-16 07:30", "03-16 07:50"),
)


@situation
def lock_that_says_open_for_ever() -> Situation:
    """`locked` is false for ever, polled every ten minutes; two drives of 36 km."""
    return Situation(_two_drives().polled("locked", "odometer_m", "soc_pct", every_s=600), _TWO_OF_36_KM)


@situation
def no_lock_at_all() -> Situation:
    """No lock is told; two drives of 36 km, polled every ten minutes."""
    return Situation(_two_drives().polled("odometer_m", "soc_pct", every_s=600), _TWO_OF_36_KM)


@situation
def red_lights_all_the_way() -> Situation:
    """A moped without odometer and lock stands for 130 s at four red lights between legs of 1.9 km."""
    story = Story("03-16 06:00", soc_pct=77).stands(60)
    for leg in range(5):
        story.drives(2.85, km=1.9, pct=1)
        if leg < 4:
            story.goes_on("drive", 130 / 60, {}, moving=True)
    story.stands(80)
    return Situation(
        story.told("lat_deg", "lon_deg", "speed_kmh", "soc_pct", every_s=900, driving_s=10),
        (
            count("trips", 1),
            total("trips", "distance_m", 8_930, 10_070),
            total("consumption", "trips", 1, 1),
            minutes_of("riding", 13, 23.5),
            one("trips", "soc_used_pct", 3.5, 6.5),
        ),
    )


# ---- a day of an operator ------------------------------------------------------------------------------------------

_MOPED = ("locked", "charging", "soc_pct", "speed_kmh", "odometer_m", "ride_time_s", "lat_deg", "lon_deg")


def _pushed(story: Story, vehicle: str) -> list[Row]:
    """By its cadence, each fifth message twice, and two positions at (0, 0) early on the ride."""
    rows = [row | {"vehicle": vehicle, "hdop": 1.2, "satellites": 8}
            for row in story.told(*_MOPED, every_s=900, driving_s=10)]  # fmt: skip
    ride = [place for place, row in enumerate(rows) if not row["locked"]]
    for place in ride[8:10]:
        rows[place] = rows[place] | {"lat_deg": None, "lon_deg": None}
    again = [row | {"received_at": row["time"] + timedelta(seconds=8)} for row in rows[::5]]
    return [*rows, *again]


def _events(vehicle: str, *told: tuple[str, str, str, str]) -> list[Row]:
    return [{"table": "event", "vehicle": vehicle, "time": at(when), "kind": kind, "code": code, "state": state}
            for when, kind, code, state in told]  # fmt: skip


def _ridden_swapped_and_carried() -> list[Row]:
    story = Story("03-16 06:00", soc_pct=74).stands(60).drives(14, km=4.62, pct=9).stands(106)
    story.from_now(soc_pct=97.0).stands(120).is_carried(15, km=2.8).stands(160)
    told = [("component", "battery_1", "taken"), ("component", "battery_1", "returned")]
    events = [(f"03-16 08:{57 + 2 * place}", *each) for place, each in enumerate(told)]
    return [*_pushed(story, "moped_a"), *_events("moped_a", *events)]


def _ridden_with_a_dead_wheel_sensor() -> list[Row]:
    story = Story("03-16 06:00", soc_pct=68).stands(120).drives(14, km=4.62, pct=9).stands(340)
    dead = {"odometer_m": 31_000.0, "ride_time_s": 5_200.0}
    rows = [row | dead if "odometer_m" in row else row for row in _pushed(story, "moped_b")]
    return [row | {"speed_kmh": 0.0} if "speed_kmh" in row else row for row in rows]


def _unlocked_and_given_up() -> list[Row]:
    story = Story("03-16 06:00", soc_pct=44).stands(240)
    story.goes_on("drive", 18, {}, locked=False).stands(220)
    return _pushed(story, "moped_c")


@situation
def day_of_three_shared_mopeds() -> Situation:
    """One is ridden, swapped and carried off by a van; one is ridden with a dead wheel sensor; one is only unlocked."""
    return Situation(
        [*_ridden_swapped_and_carried(), *_ridden_with_a_dead_wheel_sensor(), *_unlocked_and_given_up()],
        (
            count("trips", 1, vehicle="moped_a"),
            total("trips", "distance_m", 4_619, 4_621, vehicle="moped_a"),
            total("trips", "riding_s", 820, 850, vehicle="moped_a"),
            count("charges", 1, vehicle="moped_a", kind="swap"),
            count("charges", 1, vehicle="moped_a"),
            count("episodes", 1, vehicle="moped_a", code="relocated"),
            count("trips", 1, vehicle="moped_b"),
            total("trips", "distance_m", 4_160, 5_080, vehicle="moped_b"),
            count("episodes", 0, vehicle="moped_b", code="relocated"),
            count("trips", 0, vehicle="moped_c"),
        ),
        provider="segway",
    )
