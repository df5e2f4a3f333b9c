"""The iSmart gateway, as the tests of all sources know it."""

from logger.simulator.cloud.failures import Failure
from logger.simulator.cloud.saic_gateway import SaicGatewaySimulation
from logger.simulator.cloud.vendor import cars
from logger.simulator.vehicle.environment import DAY_S
from tests.helpers.source_kit import Kit

START, USER, PASSWORD, CAR = 1_790_000_000, "somebody@ours.example", "password-of-the-test", "LSJTESTCAR0000001"


def cloud(*failures: Failure) -> SaicGatewaySimulation:
    """The simulated gateway at noon of its first day."""
    (simulated,) = cars((1,), 7, START, 1)
    return SaicGatewaySimulation({CAR: simulated}, lambda: START + DAY_S / 2, USER, PASSWORD, failures=failures)


KIT = Kit(
    account={"kind": "saic-gateway", "name": "mg", "user": USER, "password": PASSWORD, "vehicles": [CAR]},
    secrets=(PASSWORD, "token-of-the-vendor", "uid-of-the-vendor"),
    cloud=cloud,
    words={"data": "data", "login": "other"},
    vehicle=CAR,
    misspelt="password_fil",
    posts=frozenset({"/getData"}),
)
