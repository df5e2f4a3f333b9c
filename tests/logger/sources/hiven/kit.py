"""Hiven, as the tests of all sources know it."""

from logger.simulator.cloud.failures import Failure
from logger.simulator.cloud.hiven import HivenSimulation
from logger.simulator.cloud.vendor import cars
from logger.simulator.vehicle.environment import DAY_S
from tests.helpers.source_kit import Kit

START, KEY, USER = 1_790_000_000, "key-of-the-test", "user-of-the-test"


def cloud(*failures: Failure, key: str = KEY) -> HivenSimulation:
    """The simulated cloud at noon of its first day."""
    simulated = dict(zip(("ev-1", "ev-2"), cars((1, 2), 7, START, 1), strict=True))
    return HivenSimulation(simulated, lambda: START + DAY_S / 2, key, USER, failures=failures)


KIT = Kit(
    account={
        "kind": "hiven",
        "name": "hiven",
        "api_key": KEY,
        "user_id": USER,
        "vehicles": ["ev-1", "ev-2"],
        "redirect_uri": "https://ours.example/done",
        "manufacturer": "LAND_ROVER",
    },
    secrets=(KEY,),
    cloud=cloud,
    words={"status": "status", "device": "device", "login": "devices"},
    vehicle="ev-1",
    misspelt="api_key_fil",
)
