"""Segway, as the tests of all sources know it."""

from logger.simulator.cloud.cloud import Cloud
from logger.simulator.cloud.failures import Failure
from logger.simulator.vehicle.environment import DAY_S
from logger.simulator.vehicle.fleet import fleet
from tests.helpers.source_kit import Kit

START, CLIENT, SECRET = 1_790_000_000, "A00000", "secret-of-the-test"


def cloud(*failures: Failure, secret: str = SECRET) -> Cloud:
    """The simulated cloud at noon of its first day."""
    return Cloud(fleet(2, 7, START, 1), lambda: START + DAY_S / 2, CLIENT, secret, failures=failures)


KIT = Kit(
    account={
        "kind": "segway",
        "name": "segway",
        "client_id": CLIENT,
        "client_secret": SECRET,
        "vehicles": ["860000000000001", "860000000000002"],
    },
    secrets=(SECRET,),
    cloud=cloud,
    words={
        "status-query": "status",
        "location-query": "location",
        "extra-status": "extra-status",
        "battery-info": "battery-info",
        "login": "token",
    },
    vehicle="860000000000001",
    misspelt="client_secret_fil",
    posts=frozenset({"/oauth/token"}),
)
