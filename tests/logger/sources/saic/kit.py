"""SAIC, as the tests of all sources know it."""

from typing import Any

from logger.simulator.cloud.failures import Failure
from logger.simulator.cloud.saic import SaicSimulation
from logger.simulator.cloud.vendor import cars
from logger.simulator.vehicle.environment import DAY_S
from tests.helpers.source_kit import Kit

START, USER, PASSWORD = 1_790_000_000, "somebody@ours.example", "password-of-the-test"
CLIENT, KEY, CAR, OTHER = "app-of-the-test", "client-secret-of-the-test", "LSJTESTCAR0000001", "LSJTESTCAR0000002"


def cloud(*failures: Failure, kind: type[SaicSimulation] = SaicSimulation, **more: Any) -> SaicSimulation:
    """The simulated cloud at noon of its first day."""
    simulated = dict(zip((CAR, OTHER), cars((1, 2), 7, START, 1), strict=True))
    now = START + DAY_S / 2
    return kind(simulated, lambda: now, (USER, PASSWORD), (CLIENT, KEY), failures=failures, **more)


KIT = Kit(
    account={
        "kind": "saic",
        "name": "mg",
        "user": USER,
        "password": PASSWORD,
        "client_id": CLIENT,
        "client_secret": KEY,
        "vehicles": [CAR, OTHER],
    },
    secrets=(PASSWORD, KEY),
    cloud=cloud,
    words={"car": "status", "login": "login"},
    vehicle=CAR,
    misspelt="client_secret_fil",
    posts=frozenset({"/oauth/token"}),
)
