"""Simulated fleets: odometers, cadence, positions, clocks and packs; the same seed gives the same messages."""

import math
from collections import Counter, defaultdict
from itertools import pairwise
from random import Random
from statistics import median
from typing import Any

import pytest

from logger.simulator.vehicle.environment import DAY_S
from logger.simulator.vehicle.fleet import Simulation
from tests.logger.simulator.vehicle.conftest import DAYS, SEED, START, Messages

# ---- odometer, cadence, positions, clocks --------------------------------------------------------------------------


def test_the_odometer_never_falls_and_ends_where_the_truth_says(
    simulations: list[Simulation], messages: Messages
) -> None:
    for simulation in simulations:
        metres = [int(fields["odometer"]) for _, path, fields in messages[simulation.vehicle] if path == "status"]
        assert all(a <= b for a, b in pairwise(metres))
        assert metres[-1] - metres[0] == simulation.truth.driven_m > 5000
        days = simulation.truth.odometer
        assert sum(day["odometer_m"] for day in days) == simulation.truth.driven_m
        ridden_m = sum(trip["distance_m"] for trip in simulation.truth.trips)
        assert sum(day["trips_m"] for day in days) == pytest.approx(ridden_m, abs=2 + len(days))


def test_messages_have_the_vendors_cadence(simulations: list[Simulation], messages: Messages) -> None:
    for simulation in simulations:
        for path in ("status", "location"):
            sent_at = [at for at, each, _ in messages[simulation.vehicle] if each == path]
            gaps = Counter(int(b - a) for a, b in pairwise(sent_at))
            assert max(gaps) <= 900
            assert gaps[10] + gaps[11] + gaps[900] > 0.9 * sum(gaps.values())


def test_a_parked_moped_stays_where_it_is_unless_somebody_moves_it(simulations: list[Simulation], trips: Any) -> None:
    unmoved = 0
    for simulation in simulations:
        moved = [event["started_at"] for event in simulation.truth.events if event["what"] != "unlocked in vain"]
        for one, two in pairwise(simulation.truth.trips):
            if any(one["finished_at"] <= at <= two["started_at"] for at in moved):
                continue
            unmoved += 1
            for name in ("lat_deg", "lon_deg", "odometer_m"):
                assert one[f"finish_{name}"] == two[f"start_{name}"]
    assert unmoved > 20


def test_without_a_fix_the_position_is_zero_or_blank(messages: Messages) -> None:
    positions = Counter(
        (fields["locationStatus"], fields["latitude"] in ("0.000000", ""))
        for sent in messages.values()
        for _, path, fields in sent
        if path == "location"
    )
    assert positions["invalid", True] > 5
    assert positions["invalid", False] == 0


def test_every_fifth_clock_is_wrong_and_satellites_have_the_right_time(messages: Messages) -> None:
    wrong = {}
    for vehicle, sent in messages.items():
        offsets = [int(fields["statusUtcTime"]) - at for at, path, fields in sent if path == "status"]
        wrong[vehicle[-1]] = abs(median(offsets)) > 30
        assert all(int(fields["gpsUtcTime"]) <= at for at, path, fields in sent if path == "location")
    assert wrong == {"1": False, "2": False, "3": True, "4": False, "5": False}


# ---- packs ---------------------------------------------------------------------------------------------------------


def test_every_pack_is_in_one_place_every_day(simulations: list[Simulation], messages: Messages) -> None:
    for simulation in simulations:
        by_day = defaultdict(list)
        for row in simulation.truth.packs:
            by_day[row["day"]].append(row)
        assert len({tuple(sorted(row["pack"] for row in rows)) for rows in by_day.values()}) == 1
        for rows in by_day.values():
            ports = [row["port"] for row in rows if row["place"] == "vehicle"]
            assert ports == list(range(1, simulation.moped.specification.ports + 1))


def test_the_pack_that_is_taken_out_is_the_one_that_was_put_in() -> None:
    simulation = Simulation(4, SEED, START, 12)
    assert list(simulation.pushes())
    for port in (1, 2):
        swaps = [row for row in simulation.truth.swaps if row["port"] == port]
        assert len(swaps) > 1
        for one, two in pairwise(swaps):
            assert one["new_pack"] == two["old_pack"] != two["new_pack"]
            assert one["new_cycles"] <= two["old_cycles"]
    assert all(row["new_soc_pct"] > 50 for row in simulation.truth.swaps)


# ---- the same seed -------------------------------------------------------------------------------------------------


def test_a_moped_is_the_same_alone_and_in_a_fleet(messages: Messages) -> None:
    alone = Simulation(3, SEED, START, DAYS)
    assert list(alone.pushes()) == messages[alone.vehicle]
    assert list(Simulation(3, SEED + 1, START, DAYS).pushes()) != messages[alone.vehicle]


def test_a_simulation_in_steps_sends_the_same_messages(messages: Messages) -> None:
    simulation, sent = Simulation(3, SEED, START, DAYS), []
    for at in (*range(START, START + DAYS * DAY_S, 777), math.inf):
        sent += simulation.advance(at)
        assert simulation.moped.at <= at
        simulation.moped.measure_position(Random(1))  # a query changes nothing
    assert sent == messages[simulation.vehicle]
