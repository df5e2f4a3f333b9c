"""A small simulated fleet, its messages and its trips, for all tests of vehicles."""

from typing import Any

import pytest

from logger.simulator.vehicle.fleet import Simulation, fleet
from logger.simulator.vehicle.messages import Message

START, DAYS, SEED = 1_790_000_000, 4, 7
Messages = dict[str, list[Message]]  # by vehicle


@pytest.fixture(scope="package")
def simulations() -> list[Simulation]:
    return fleet(5, SEED, START, DAYS)


@pytest.fixture(scope="package")
def messages(simulations: list[Simulation]) -> Messages:
    return {simulation.vehicle: list(simulation.pushes()) for simulation in simulations}


@pytest.fixture(scope="package")
def trips(simulations: list[Simulation], messages: Messages) -> list[dict[str, Any]]:
    return [{"simulation": simulation, **trip} for simulation in simulations for trip in simulation.truth.trips]
