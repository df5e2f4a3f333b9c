"""Simulated mopeds obey physics: energy, charge, and the percent and power that they report."""

import math
from itertools import pairwise
from statistics import median
from typing import Any

import pytest

from logger.simulator.vehicle.environment import DAY_S
from logger.simulator.vehicle.fleet import Simulation
from tests.logger.simulator.vehicle.conftest import DAYS, SEED, START, Messages

PARTS = ("drag", "rolling", "drive", "brake", "auxiliary", "climb", "kinetic")


# ---- energy --------------------------------------------------------------------------------------------------------


def test_the_energy_of_the_terminals_is_that_of_losses_height_and_speed(trips: list[dict[str, Any]]) -> None:
    for trip in trips:
        assert trip["residual_wh"] == pytest.approx(0, abs=1e-6)


def test_a_trip_takes_the_energy_of_its_motion_and_of_standing(trips: list[dict[str, Any]]) -> None:
    for trip in trips:
        unlocked_w = trip["simulation"].moped.specification.unlocked_w
        standing_wh = unlocked_w * (trip["duration_s"] - trip["riding_s"]) / 3600
        spent_wh = sum(trip[f"{part}_wh"] for part in PARTS) + standing_wh
        if not trip["swaps"]:
            assert trip["energy_wh"] == pytest.approx(spent_wh, abs=0.05)


def test_the_charge_used_fits_the_energy_even_if_a_pack_was_swapped_during_the_trip(
    trips: list[dict[str, Any]],
) -> None:
    assert sum(trip["swaps"] for trip in trips) >= 2
    for trip in trips:
        specification = trip["simulation"].moped.specification
        nominal_wh = 48 * specification.nominal_ah * specification.ports
        assert 0.65 < trip["energy_wh"] / (trip["soc_used_pct"] / 100) / nominal_wh < 1.1


def test_the_chemical_energy_of_a_pack_becomes_output_or_heat(
    simulations: list[Simulation], messages: Messages
) -> None:
    packs = [pack for each in simulations for pack in (*each.moped.fitted, *each.moped.shelf.packs)]
    assert sum(pack.heat_wh for pack in packs) > 100
    for pack in packs:
        assert pack.chemical_wh == pytest.approx(pack.out_wh - pack.in_wh + pack.heat_wh, abs=1e-6)


def test_wh_per_km_is_that_of_a_moped(trips: list[dict[str, Any]]) -> None:
    consumption = [trip["wh_per_km"] for trip in trips if trip["distance_m"] > 500]
    assert 25 < median(consumption) < 40
    assert all(5 < each < 100 for each in consumption)


def test_a_charge_takes_more_from_the_wall_than_the_pack_gets(
    simulations: list[Simulation], messages: Messages
) -> None:
    charges = [row for simulation in simulations for row in simulation.truth.charges]
    assert len(charges) > 10
    for row in charges:
        assert 0.7 < row["efficiency"] < 0.95
        assert row["soc_finish_pct"] <= 100.01


# ---- percent and power ---------------------------------------------------------------------------------------------


def test_the_shown_percent_is_whole_and_always_near_the_truth() -> None:
    simulation, errors = Simulation(2, SEED, START, DAYS), []
    for at in range(START, START + DAYS * DAY_S, 120):
        simulation.advance(at)
        errors += [pack.bms.shown_pct - 100 * pack.soc for pack in simulation.moped.fitted]
        assert all(isinstance(pack.bms.shown_pct, int) for pack in simulation.moped.fitted)
    assert max(map(abs, errors)) < 7
    assert len({round(each, 1) for each in errors}) > 10


@pytest.mark.parametrize("number", [1, 2, 4])
def test_a_standing_moped_reports_the_power_of_standing_and_not_of_its_last_movement(number: int) -> None:
    simulation, lights_w = Simulation(number, SEED, START, 2), []
    specification = simulation.moped.specification
    for at in range(START, START + 2 * DAY_S):
        simulation.advance(at)
        moped = simulation.moped
        if moped.mode_riding and moped.speed_ms == 0:
            lights_w.append(moped.power_w)
        elif moped.fitted and not moped.mode_riding:
            assert moped.power_w == (specification.locked_w if moped.locked else specification.unlocked_w)
    assert {18.0, 30.0} >= set(lights_w) - {specification.unlocked_w}  # which it has until the wheel first turns
    assert len(lights_w) > 100


@pytest.mark.parametrize("number", [1, 2, 4])
def test_the_reported_power_while_unlocked_sums_to_the_energy_of_the_trips(number: int) -> None:
    """Polled each second; trips are all of the time unlocked but for a second or so at each end."""
    simulation, polled_wh = Simulation(number, SEED, START, 2), 0.0
    for at in range(START, START + 2 * DAY_S):
        simulation.advance(at)
        polled_wh += 0 if simulation.moped.locked else simulation.moped.power_w / 3600
    simulation.advance(math.inf)
    assert polled_wh == pytest.approx(sum(trip["energy_wh"] for trip in simulation.truth.trips), rel=0.004)


def test_after_a_trip_the_percent_may_rise_again(messages: Messages) -> None:
    rises = 0
    for sent in messages.values():
        locked = [fields for _, path, fields in sent if path == "status" and fields["locked"] == "true"]
        rises += sum(int(b["powerPercent"]) - int(a["powerPercent"]) == 1 for a, b in pairwise(locked))
    assert rises > 0
