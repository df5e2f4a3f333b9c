"""Powers and contents that nobody measured: zeros between true ones, values that a cloud keeps, a turned sign."""

from collections.abc import Iterable, Iterator

from tests.cases.reports.checks import count, most, total
from tests.cases.reports.energies import says
from tests.cases.reports.situations import Situation, situation
from tests.cases.reports.story import Row, Story

_CAR = ("odometer_m", "soc_pct", "charging", "plugged", "power_w")


def _nights(days: int, watts: float = 6_300.0) -> Story:
    """Each day 60 km take 17 % of 60 kWh, and 10.2 kWh are charged from 20:00 on."""
    story = Story("03-20 06:00", soc_pct=90.2, power_w=0.0, energy_wh=54_100.0)
    for _ in range(days):
        story.stands(120).drives(60, km=60, pct=17, power_w=-10_200.0).stands(660)
        story.goes_on("charge", 97, {"soc_pct": 17}, charging=True, plugged=True, power_w=watts).stands(503)
    return story


def _with_zeros(rows: Iterable[Row]) -> Iterator[Row]:
    """Of every three polls of a charge, two are of 0."""
    for place, row in enumerate(rows):
        yield row | {"power_w": 0.0} if row["charging"] and place % 3 else row


@situation
def power_of_zero_in_some_polls() -> Situation:
    """Each two minutes a car tells its power; of each three polls of a charge two say 0."""
    rows = list(_with_zeros(_nights(2).polled(*_CAR, every_s=120)))
    return Situation(rows, (count("charges", 2), total("charges", "energy_wh", 18_900, 20_600, energy_source="power")))


@situation
def power_kept_for_days() -> Situation:
    """A cloud tells 2,300 W for days, parked, driven and charged: nobody knows an energy."""
    rows = [row | {"power_w": 2_300.0} for row in _nights(3).polled(*_CAR, every_s=600)]
    return Situation(
        rows,
        (
            count("trips", 3),
            count("charges", 3),
            total("charges", "soc_added_pct", 49, 53),
            most("charges", "energy_high_wh", -1),
            says("charges", "no_capacity"),
        ),
    )


@situation
def power_of_zero_kept_through_a_charge() -> Situation:
    """The 0 of a drive is told on until the last minutes of a charge: what these had is not all of it."""
    rows = _nights(1).polled(*_CAR, every_s=300)
    late = max(row["time"] for row in rows if row["charging"])
    kept = [row if row["time"] >= late else row | {"power_w": 0.0} for row in rows]
    return Situation(kept, (count("charges", 1), most("charges", "energy_high_wh", -1)))


@situation
def content_kept_over_a_parked_day() -> Situation:
    """A content stays for three days; on the last of them the car is parked at one percent: that tells no capacity."""
    story = _nights(1).stands(480).drives(60, km=60, pct=17).stands(2 * 1440)
    rows = story.polled("odometer_m", "soc_pct", "charging", "energy_wh", every_s=900)
    told = [row | {"energy_wh": 41_000.0} for row in rows]
    return Situation(
        told,
        (count("trips", 2), count("battery_health", 0, method="reported"), most("charges", "energy_high_wh", -1)),
    )


@situation
def power_of_the_other_sign_for_weeks() -> Situation:
    """Power is negative at the cable, and positive on the way: charges and health name the sign."""
    rows = _nights(4, watts=-6_300.0).polled(*_CAR, every_s=300)
    turned = [row if row["charging"] else row | {"power_w": -row["power_w"]} for row in rows]
    return Situation(
        turned,
        (
            says("charges", "power_sign"),
            most("charges", "energy_high_wh", -1),
            count("battery_health", 1, method="charge_energy", verdict="insufficient"),
        ),
    )
