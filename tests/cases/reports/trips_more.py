"""Trips where evidence fails under way, or contradicts itself."""

from tests.cases.reports.checks import count, minutes_of, most, near, one, since, slower_than, total
from tests.cases.reports.situations import Situation, situation
from tests.cases.reports.story import Story, changed, frozen, lacking, shaken

_DRIVE_S = 10


@situation
def tunnel_without_positions() -> Situation:
    """Positions alone at 78 km/h; for nine minutes a tunnel swallows them, and the car comes out where it should."""
    story = Story("03-17 06:00").stands(60).drives(30, km=39).stands(120)
    rows = story.told("lat_deg", "lon_deg", every_s=300, driving_s=_DRIVE_S)
    return Situation(
        lacking(rows, "03-17 07:11", "03-17 07:20"),
        (
            count("trips", 1),
            total("trips", "distance_m", 37_000, 41_000),
            near("started_at", "03-17 07:00", 3),
            near("finished_at", "03-17 07:30", 3),
            count("episodes", 0, code="relocated"),
        ),
    )


@situation
def garage_without_network() -> Situation:
    """A car falls silent at the ramp of a garage, 200 m before it parks, and is heard again on its way out."""
    story = Story("03-17 06:00").stands(90).drives(20, km=12, pct=3).stands(390).drives(15, km=9, pct=2).stands(120)
    rows = story.told("lat_deg", "lon_deg", "moving", "odometer_m", "soc_pct", every_s=300, driving_s=20)
    return Situation(
        lacking(rows, "03-17 07:49:40", "03-17 14:20:30"),
        (
            count("trips", 2, 3),
            total("coverage", "odometer_m", 20_999, 21_001),
            near("started_at", "03-17 07:30", 2),
            near("finished_at", "03-17 07:50", 10),
            near("started_at", "03-17 14:20", 5, row=-1),
            near("finished_at", "03-17 14:35", 2, row=-1),
            minutes_of("riding", 25, 45),
        ),
    )


@situation
def odometer_dies_on_the_way() -> Situation:
    """From the middle of a drive of 24 km on the odometer stands still, while speed and positions go on."""
    story = Story("03-17 06:00").stands(60).drives(32, km=24, pct=5).stands(150)
    tells = ("lat_deg", "lon_deg", "speed_kmh", "moving", "odometer_m", "soc_pct")
    rows = story.told(*tells, every_s=600, driving_s=_DRIVE_S)
    return Situation(
        frozen(rows, "03-17 07:16", "03-17 12:00", "odometer_m"),
        (
            count("trips", 1),
            total("trips", "distance_m", 22_500, 25_500),
            near("started_at", "03-17 07:00", 2),
            near("finished_at", "03-17 07:32", 2),
            total("consumption", "distance_m", 22_500, 25_500),
        ),
    )


@situation
def lock_gone_after_a_firmware() -> Situation:
    """A moped tells its lock until a firmware of the second day leaves it out; two rides before it, two after."""
    story = Story("03-17 06:00", soc_pct=96)
    for _ in range(4):
        story.stands(240).drives(11, km=3.3, pct=6).stands(380)
    tells = ("locked", "speed_kmh", "odometer_m", "ride_time_s", "soc_pct", "lat_deg", "lon_deg")
    rows = story.told(*tells, every_s=900, driving_s=_DRIVE_S)
    return Situation(
        lacking(rows, "03-18 03:00", "03-20 00:00", "locked"),
        (
            count("trips", 4),
            total("trips", "distance_m", 13_150, 13_250),
            near("started_at", "03-17 10:00", 2),
            near("started_at", "03-18 07:02", 2, row=2),
            near("finished_at", "03-18 07:13", 3, row=2),
        ),
        provider="segway",
    )


@situation
def speed_frozen_after_parking() -> Situation:
    """A parked car's cloud goes on telling the last speed, 43 km/h, for ten hours; odometer and position stand."""
    story = Story("03-17 06:00").stands(60).drives(21, km=15, pct=4).stands(600)
    tells = ("lat_deg", "lon_deg", "speed_kmh", "odometer_m", "soc_pct")
    rows = story.told(*tells, every_s=300, driving_s=30)
    return Situation(
        changed(rows, "03-17 07:21", "03-18 00:00", speed_kmh=43.0),
        (
            count("trips", 1),
            total("trips", "distance_m", 14_900, 15_100),
            near("finished_at", "03-17 07:21", 15),
            minutes_of("riding", 18, 40),
            minutes_of("parked", 560, 670),
        ),
    )


@situation
def on_a_test_stand() -> Situation:
    """In a workshop the wheels turn on rollers: odometer and speed run for 11 km, the position stays."""
    story = Story("03-17 06:00").stands(120)
    rolling = {"odometer_m": 11_000.0, "soc_pct": -3.0}
    story.goes_on("drive", 10, rolling, moving=True, speed_kmh=66.0).stands(180)
    tells = ("lat_deg", "lon_deg", "speed_kmh", "moving", "odometer_m", "soc_pct")
    return Situation(
        story.told(*tells, every_s=600, driving_s=_DRIVE_S),
        (
            count("trips", 0, 1),
            total("coverage", "odometer_m", 10_990, 11_010),
            count("episodes", 0, code="relocated"),
            count("charges", 0),
        ),
    )


@situation
def positions_jitter_while_parked() -> Situation:
    """For two days a parked vehicle tells positions that scatter by 25 m, one a minute, and nothing else."""
    story = Story("03-17 06:00").stands(2 * 1440)
    return Situation(
        shaken(story.told("lat_deg", "lon_deg", every_s=60), 25),
        (
            count("trips", 0),
            total("consumption", "distance_m", 0, 0),
            count("episodes", 0, code="relocated"),
            minutes_of("riding", 0, 0),
        ),
    )


@situation
def ferry_between_two_drives() -> Situation:
    """A car drives onto a ferry, is switched off for 80 minutes and 31 km over water, and drives on."""
    story = Story("03-17 06:00").stands(60).drives(20, km=14, pct=3).is_carried(80, km=31).drives(13, km=9, pct=2)
    tells = ("lat_deg", "lon_deg", "speed_kmh", "moving", "odometer_m", "soc_pct")
    return Situation(
        story.stands(150).told(*tells, every_s=300, driving_s=30),
        (
            count("trips", 1, 2),
            total("trips", "distance_m", 22_900, 23_100),
            total("consumption", "distance_m", 22_900, 23_100),
            slower_than(60),
            minutes_of("riding", 28, 45),
        ),
    )


@situation
def on_a_car_transporter() -> Situation:
    """Parked and locked, a car is carried 170 km on a lorry in two hours and a half; its odometer stands."""
    story = Story("03-17 06:00").stands(200).is_carried(150, km=170).stands(400)
    return Situation(
        story.told("lat_deg", "lon_deg", "locked", "moving", "odometer_m", "soc_pct", every_s=600),
        (
            count("trips", 0),
            total("consumption", "distance_m", 0, 0),
            count("episodes", 1, 3, code="relocated"),
            minutes_of("riding", 0, 0),
        ),
    )


@situation
def forgotten_and_left_unlocked() -> Situation:
    """A shared moped is ridden for nine minutes and left unlocked for 26 hours, until somebody locks it."""
    story = Story("03-17 06:00", soc_pct=66).stands(60).drives(9, km=2.7, pct=5)
    story.stands(26 * 60, pct=-2, locked=False).stands(200)
    tells = ("locked", "speed_kmh", "odometer_m", "ride_time_s", "soc_pct", "lat_deg", "lon_deg")
    return Situation(
        story.told(*tells, every_s=900, driving_s=_DRIVE_S),
        (
            count("trips", 1),
            total("trips", "distance_m", 2_699, 2_701),
            since("finished_at", "03-17 07:08", "03-17 08:15"),
            minutes_of("riding", 8, 15),
        ),
        provider="segway",
    )


@situation
def round_of_a_courier() -> Situation:
    """A moped stays unlocked for a whole round: eight legs of 900 m, four minutes at each door."""
    story = Story("03-17 06:00", soc_pct=88).stands(60)
    for leg in range(8):
        story.drives(3, km=0.9, pct=2)
        if leg < 7:
            story.goes_on("drive", 4, {}, locked=False)
    tells = ("locked", "speed_kmh", "odometer_m", "ride_time_s", "soc_pct", "lat_deg", "lon_deg")
    return Situation(
        story.stands(150).told(*tells, every_s=900, driving_s=_DRIVE_S),
        (
            count("trips", 1),
            total("trips", "distance_m", 7_199, 7_201),
            one("trips", "riding_s", 1_380, 1_500),
            one("trips", "paused_s", 1_560, 1_800),
            total("consumption", "trips", 1, 1),
        ),
        provider="segway",
    )


@situation
def pushed_to_the_kerb() -> Situation:
    """Locked, a moped is pushed 22 m aside: no ride, and its metres are in the books."""
    story = Story("03-17 06:00").stands(120).goes_on("stand", 15, {"odometer_m": 22.0, "north_m": 22.0}).stands(300)
    tells = ("locked", "speed_kmh", "odometer_m", "ride_time_s", "soc_pct", "lat_deg", "lon_deg")
    return Situation(
        story.told(*tells, every_s=900),
        (count("trips", 0), total("coverage", "pushed_m", 22, 22), most("coverage", "trips_m", 0)),
        provider="segway",
    )
