"""Trips told coarsely, seldom, five times a second, or by an odometer that is not to be trusted."""

from tests.cases.reports.checks import count, minutes_of, most, near, one, since, slower_than, total
from tests.cases.reports.situations import Situation, situation
from tests.cases.reports.story import Row, Story, every_nth, lacking

MILE_M = 1609.344


@situation
def recorded_five_times_a_second() -> Situation:
    """A wheel tells speed, odometer and percent at 5 Hz: 150 s ridden, 25 s at a light, 170 s ridden, parked."""
    story = Story("03-18 10:00", soc_pct=91).stands(1).drives(2.5, km=0.9, pct=3).goes_on("drive", 25 / 60, {})
    story.drives(17 / 6, km=1.02, pct=3).stands(3)
    return Situation(
        story.told("speed_kmh", "odometer_m", "soc_pct", every_s=0.2),
        (
            count("trips", 1),
            total("trips", "distance_m", 1_900, 1_940),
            near("started_at", "03-18 10:01", 1),
            near("finished_at", "03-18 10:06:45", 1),
            one("trips", "soc_used_pct", 4.5, 7.5),
        ),
    )


@situation
def odometer_in_whole_miles() -> Situation:
    """A car polled every quarter of an hour rounds its odometer down to miles: 17 mi there, 17 mi back."""
    story = Story("03-18 06:00", odometer_m=20_113.4 * MILE_M).stands(70).drives(34, km=17 * MILE_M / 1000, pct=8)
    story.stands(290).drives(34, km=17 * MILE_M / 1000, pct=8).stands(170)
    rows = story.polled("moving", "odometer_m", "soc_pct", every_s=900, steps={"odometer_m": MILE_M})
    return Situation(
        rows,
        (
            count("trips", 2),
            total("trips", "distance_m", 32.9 * MILE_M, 35.1 * MILE_M),
            since("started_at", "03-18 07:00", "03-18 07:15"),
            since("finished_at", "03-18 07:30", "03-18 08:00"),
            slower_than(90),
        ),
    )


@situation
def asked_once_a_day() -> Situation:
    """A car is asked each morning: odometer and percent; each of five days it was driven 42 km, and lost 9 %."""
    story = Story("03-18 00:00", soc_pct=92).stands(60)
    for _ in range(5):
        story.stands(500).drives(45, km=42, pct=9).stands(895)
    return Situation(
        story.polled("odometer_m", "soc_pct", every_s=86_400, first_s=18_000),
        (
            count("trips", 4),
            count("trips", 0, kind="observed"),
            total("trips", "distance_m", 167_900, 168_100),
            total("coverage", "odometer_m", 167_900, 168_100),
            slower_than(130),
            count("charges", 0),
        ),
    )


@situation
def odometer_zero_while_asleep() -> Situation:
    """Some polls of a sleeping car tell an odometer of 0; one drive of 22 km."""
    story = Story("03-18 06:00").stands(240).drives(25, km=22, pct=5).stands(400)
    rows = story.told("moving", "odometer_m", "soc_pct", every_s=900, driving_s=120)
    asleep = [row if row["moving"] or place % 5 != 2 else row | {"odometer_m": 0.0} for place, row in enumerate(rows)]
    return Situation(
        asleep,
        (
            count("trips", 1),
            total("trips", "distance_m", 21_900, 22_100),
            total("coverage", "odometer_m", 21_900, 22_100),
            count("episodes", 0, code="odometer_reset"),
            near("started_at", "03-18 10:00", 3),
        ),
    )


@situation
def two_odometers_take_turns() -> Situation:
    """Every other row is of a source that tells whole km, the rest is exact: a drive of 13 km, ten hours parked."""
    story = Story("03-18 06:00", odometer_m=41_276_731.0).stands(120).drives(18, km=13, pct=3).stands(600)
    rows = story.told("moving", "odometer_m", "soc_pct", every_s=600, driving_s=30)
    whole = [row | {"odometer_m": row["odometer_m"] // 1000 * 1000} for row in rows]
    return Situation(
        [whole[place] if place % 2 else row for place, row in enumerate(rows)],
        (
            count("trips", 1),
            total("trips", "distance_m", 12_200, 13_800),
            total("coverage", "odometer_m", 12_200, 13_800),
            near("finished_at", "03-18 08:18", 2),
        ),
    )


@situation
def short_errand_between_two_polls() -> Situation:
    """Polled every half hour, a car goes 2.4 km in five minutes that no poll sees: its odometer alone knows."""
    story = Story("03-18 06:00").stands(250).drives(5, km=2.4, pct=1).stands(400)
    return Situation(
        story.polled("moving", "lat_deg", "lon_deg", "odometer_m", "soc_pct", every_s=1800),
        (
            count("trips", 1),
            one("trips", "kind", "inferred"),
            total("trips", "distance_m", 2_390, 2_410),
            since("started_at", "03-18 10:00", "03-18 10:30"),
            since("finished_at", "03-18 10:00", "03-18 10:30"),
            minutes_of("riding", 1, 30),
        ),
    )


@situation
def odometer_leaps_up_for_good() -> Situation:
    """With a new cluster the odometer of a parked car is 90,000 km higher from one poll to the next; 21 km driven."""
    story = Story("03-18 06:00").stands(120).drives(20, km=12, pct=3).stands(200)
    story.from_now(odometer_m=story.state["odometer_m"] + 90_000_000).stands(150).drives(15, km=9, pct=2).stands(120)
    return Situation(
        story.told("moving", "odometer_m", "soc_pct", every_s=600, driving_s=60),
        (
            count("trips", 2),
            total("trips", "distance_m", 20_900, 21_100),
            most("trips", "distance_m", 12_100),
            slower_than(60),
        ),
    )


@situation
def dense_on_the_way_and_silent_when_parked() -> Situation:
    """A tracker tells positions and speed every second under way and nothing at all when parked, 8 hours long."""
    story = Story("03-18 06:00").drives(12, km=7.2).stands(480).drives(12, km=7.2).stands(2)
    rows = story.told("lat_deg", "lon_deg", "speed_kmh", every_s=60, driving_s=1)
    return Situation(
        lacking(rows, "03-18 06:12:01", "03-18 14:12"),
        (
            count("trips", 2),
            total("trips", "distance_m", 13_900, 14_900),
            near("finished_at", "03-18 06:12", 5),
            near("started_at", "03-18 14:12", 3, row=1),
            minutes_of("riding", 20, 32),
        ),
    )


@situation
def cached_positions_on_the_way() -> Situation:
    """A cloud renews the position every third poll only; the odometer is right: 26 km, polled by the minute."""
    story = Story("03-18 06:00").stands(90).drives(30, km=26, pct=6).stands(120)
    rows = story.told("lat_deg", "lon_deg", "moving", "odometer_m", "soc_pct", every_s=300, driving_s=60)
    stale: list[Row] = []
    for place, row in enumerate(rows):
        old = stale[-1] if place % 3 else row
        stale.append(row | {name: old[name] for name in ("lat_deg", "lon_deg")})
    return Situation(
        stale,
        (
            count("trips", 1),
            total("trips", "distance_m", 25_900, 26_100),
            near("started_at", "03-18 07:30", 2),
            near("finished_at", "03-18 08:00", 2),
            count("episodes", 0, code="relocated"),
        ),
    )


@situation
def ignition_alone_with_an_hour_between_polls() -> Situation:
    """A car that is asked hourly drives from 9:20 to 11:40: two polls say `moving`, the odometer tells 168 km."""
    story = Story("03-18 00:00", soc_pct=90).stands(560).drives(140, km=168, pct=41).stands(700)
    return Situation(
        story.polled("moving", "odometer_m", "soc_pct", "charging", every_s=3600),
        (
            count("trips", 1),
            total("trips", "distance_m", 167_900, 168_100),
            since("started_at", "03-18 09:00", "03-18 10:00"),
            since("finished_at", "03-18 11:00", "03-18 12:00"),
            one("trips", "soc_used_pct", 39.5, 42.5),
        ),
    )


@situation
def every_fifth_message_is_garbage() -> Situation:
    """Each fifth row of a drive tells an odometer of another car, 26,000 km less; 17 km driven."""
    story = Story("03-18 06:00").stands(60).drives(25, km=17, pct=4).stands(180)
    rows = story.told("moving", "speed_kmh", "odometer_m", "soc_pct", every_s=600, driving_s=30)
    return Situation(
        list(every_nth(rows, 5, 3, odometer_m=15_402_000.0)),
        (
            count("trips", 1),
            total("trips", "distance_m", 16_800, 17_200),
            total("coverage", "odometer_m", 16_800, 17_200),
            near("finished_at", "03-18 07:25", 2),
        ),
    )


@situation
def speed_in_bursts_and_counter_at_the_end() -> Situation:
    """Odometer and riding seconds come every five minutes, speeds every ten seconds, as two services tell them."""
    story = Story("03-18 06:00", soc_pct=81).stands(60).drives(22, km=9.9, pct=15).stands(150)
    rows = story.told("locked", "speed_kmh", "soc_pct", every_s=900, driving_s=10)
    counters = story.polled("odometer_m", "ride_time_s", every_s=300, first_s=7)
    return Situation(
        [*rows, *counters],
        (
            count("trips", 1),
            total("trips", "distance_m", 9_850, 9_950),
            near("started_at", "03-18 07:00", 2),
            near("finished_at", "03-18 07:22", 2),
        ),
        provider="segway",
    )
