"""Smartcar, as the tests of all sources know it."""

import time
from pathlib import Path
from typing import Any

from logger.simulator.cloud.failures import Failure
from logger.simulator.cloud.smartcar import SmartcarSimulation
from logger.simulator.cloud.vendor import cars
from logger.simulator.vehicle.environment import DAY_S
from logger.sources.token_file import TokenFile, Tokens
from tests.helpers.source_kit import Kit

START, CLIENT, SECRET, MANAGEMENT = 1_790_000_000, "client-1", "secret-of-the-test", "management-of-the-test"
ACCESS, REFRESH = "access-of-the-test", "refresh-of-the-test"
CAR, OTHER = "7b0c2f6e-1d34-4a58-9e21-5c4d3b2a1f01", "7b0c2f6e-1d34-4a58-9e21-5c4d3b2a1f02"


def cloud(*failures: Failure, **more: Any) -> SmartcarSimulation:
    """The simulated cloud at noon of its first day, at which the tokens of `prepare` hold."""
    simulated = dict(zip((CAR, OTHER), cars((1, 2), 7, START, 1), strict=True))
    pair = {"access": ACCESS, "refresh": REFRESH}
    now = START + DAY_S / 2
    return SmartcarSimulation(simulated, lambda: now, CLIENT, SECRET, MANAGEMENT, failures=failures, **pair, **more)


def prepare(folder: Path, *, fresh_s: float = 3600) -> None:
    """Keep tokens as after a login, to be renewed in so many seconds."""
    TokenFile(folder, "smartcar").write(Tokens(ACCESS, REFRESH, time.time() + fresh_s))


KIT = Kit(
    account={
        "kind": "smartcar",
        "name": "smartcar",
        "client_id": CLIENT,
        "client_secret": SECRET,
        "management_token": MANAGEMENT,
        "vehicles": [CAR, OTHER],
        "redirect_uri": "https://ours.example/done",
        "webhook_id": "webhook-1",
    },
    secrets=(SECRET, MANAGEMENT, ACCESS, REFRESH),
    cloud=cloud,
    words={"state": "state", "details": "details", "login": "vehicles"},
    vehicle=CAR,
    misspelt="client_secret_fil",
    prepare=prepare,
    posts=frozenset({"/v2.0/vehicles/CAR/batch"}),
)
