"""Motion, packs and the satellite receiver, each alone against the laws of physics."""

import math
from itertools import pairwise
from random import Random
from statistics import mean

import pytest

from logger.simulator.vehicle.battery import Pack, apply_load
from logger.simulator.vehicle.environment import Environment, Weather, degrees, environment
from logger.simulator.vehicle.gps import Gps
from logger.simulator.vehicle.motion import Body, Motion, Rider
from logger.simulator.vehicle.streets import Block, Route

START, SEED = 1_790_000_000, 7
RIDER = Rider(mass_kg=80, passenger_kg=0, pace=1.0, thrust_ms2=1.3, brake_ms2=1.7, mode=3)


class Flat(Environment):
    """No hill, no wind, 20 degC."""

    def __init__(self) -> None:
        super().__init__(1)
        self.height_m = lambda _x, _y: 0.0

    def weather(self, day: int) -> Weather:
        return Weather(mean_c=20.0, swing_c=0.0, east_ms=0.0, north_ms=0.0, wet=False)


def route(*points: tuple[float, float], limit_ms: float = 12.5) -> Route:
    """Return a route straight from point to point, with a stop at the last."""
    blocks = []
    for number, (start, end) in enumerate(pairwise(points), 2):
        length_m = math.dist(start, end)
        east, north = (end[0] - start[0]) / length_m, (end[1] - start[1]) / length_m
        blocks.append(Block(*start, east, north, length_m, limit_ms, 0 if number == len(points) else 5.0, 0.0))
    return Route(blocks)


def ride(environment: Environment, route: Route) -> Motion:
    motion = Motion(environment, Body(), RIDER, route, START + 12 * 3600, Random(1))
    while not route.done:
        motion.step(3000)
    return motion


# ---- motion --------------------------------------------------------------------------------------------------------


def test_steady_riding_on_the_flat_takes_the_energy_of_the_formula() -> None:
    motion, spent_j, formula_j = Motion(Flat(), Body(), RIDER, route((0, 0), (4000, 0)), START, Random(1)), 0.0, 0.0
    for second in range(300):
        motion.step(3000)
        if second >= 60:  # at full speed
            speed = motion.speed_ms
            drag_w = 0.5 * 1.2929 * 273.15 / 293.15 * 0.65 * speed**3
            rolling_w = 184 * 9.81 * 0.0165 * speed
            formula_j += 18 + 25 + (drag_w + rolling_w) * 1.12
            spent_j += motion.power_w
    assert spent_j == pytest.approx(formula_j, rel=0.05)


def test_hills_sum_to_zero_around_a_loop() -> None:
    corners = [(0.0, 0.0), (900.0, 0.0), (900.0, 700.0), (0.0, 700.0), (0.0, 0.0)]
    balance = ride(environment(SEED), route(*corners)).balance
    assert balance.ascent_m > 5
    assert balance.climb_j == pytest.approx(0, abs=184 * 9.81 * 0.2)  # it stops within a step of where it began
    assert balance.kinetic_j == pytest.approx(0, abs=1e-6)


def test_uphill_takes_more_than_downhill() -> None:
    class Slope(Flat):
        def __init__(self) -> None:
            super().__init__()
            self.height_m = lambda x, _: 0.04 * x

    up = ride(Slope(), route((0, 0), (1000, 0))).balance
    down = ride(Slope(), route((1000, 0), (0, 0))).balance
    assert up.climb_j == pytest.approx(184 * 9.81 * 40, rel=0.02)
    assert up.terminal_j > 3 * down.terminal_j


# ---- packs ---------------------------------------------------------------------------------------------------------


def test_a_full_pack_gives_its_capacity_in_a_reference_test() -> None:
    pack = Pack("one", Random(3), 30.0)
    pack.charge_ah, pack.temperature_c = pack.capacity_ah, 25.0
    while pack.soc > 0:
        volts, ohm = pack.source()
        current_a = pack.capacity_ah / 3
        pack.carry(current_a, volts - current_a * ohm, 10, 25.0)
    assert pack.out_wh == pytest.approx(pack.capacity_wh, rel=0.01)


def test_of_two_packs_the_fuller_works_alone_until_they_are_even() -> None:
    one, two = (Pack(name, Random(3), 20.0) for name in "ab")
    one.charge_ah, two.charge_ah = 0.9 * one.capacity_ah, 0.5 * two.capacity_ah
    apply_load((one, two), 500.0, 60.0, 20.0)
    assert (one.out_wh > 8, two.out_wh) == (True, 0.0)
    for _ in range(200):
        apply_load((one, two), 500.0, 60.0, 20.0)
    assert one.soc == pytest.approx(two.soc, abs=0.02)


def test_a_cold_pack_has_more_resistance_and_an_old_one_less_capacity() -> None:
    pack = Pack("one", Random(3), 30.0)
    warm, capacity_wh, ohm = pack.source()[1], pack.capacity_wh, pack.ohm
    pack.temperature_c = -5.0
    assert pack.source()[1] > 1.3 * warm
    pack.efc += 150
    pack.age(365)
    assert 0.8 * capacity_wh < pack.capacity_wh < 0.98 * capacity_wh
    assert pack.ohm > ohm


# ---- the satellite receiver ----------------------------------------------------------------------------------------


def errors_m(every_s: float, parked: bool) -> list[float]:
    """Return the northward errors of four hundred fixes under a partly hidden sky, without reflections."""
    gps, metres = Gps(Random(5)), []
    for number in range(400):
        fix = gps.fix(START + every_s * number, 0.0, 0.0, 0.0, 0.4, parked)
        if fix.valid and fix.lat_deg:
            metres.append((fix.lat_deg - degrees(0, 0)[0]) * 111_320)
    return [each for each in metres if abs(each) < 40]


@pytest.mark.parametrize(("every_s", "parked"), [(10.0, False), (900.0, True)])
def test_errors_of_positions_are_some_metres_and_correlated_in_time(every_s: float, parked: bool) -> None:
    metres = errors_m(every_s, parked)
    variance = mean(each**2 for each in metres)
    assert 1 < math.sqrt(variance) < 10
    assert 0.3 < mean(a * b for a, b in pairwise(metres)) / variance < 0.95


def test_where_the_sky_is_hidden_every_fifth_fix_fails() -> None:
    gps = Gps(Random(5))
    fixes = [gps.fix(START + 10.0 * number, 0.0, 0.0, 0.0, 1.0, parked=False) for number in range(400)]
    failed = [fix for fix in fixes if not fix.lat_deg]
    assert 50 < len(failed) < 130
    assert {fix.lat_deg for fix in failed} == {None, 0.0}
