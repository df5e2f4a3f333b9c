"""Smart, as the tests of all sources know it."""

from typing import Any

import msgspec

from logger.settings.schema import Smart
from logger.simulator.cloud.failures import Failure
from logger.simulator.cloud.smart import SmartSimulation
from logger.simulator.cloud.vendor import cars
from logger.simulator.vehicle.environment import DAY_S
from logger.sources.smart.api import PATHS
from tests.helpers.source_kit import Kit

START, CAR, OTHER = 1_790_000_000, "TESTVIN0000000001", "TESTVIN0000000002"
KEY, TOKEN, LOGIN = "app-secret-of-the-test", "token-of-the-test", "login-of-the-test"
ACCOUNT: dict[str, Any] = {
    "kind": "smart",
    "name": "smart",
    "app_secret": KEY,
    "token": TOKEN,
    "app_id": "AppOfTheTest",
    "operator_code": "TEST",
    "user_id": "112233",
    "device_id": "0123456789abcdef",
    "vehicles": [CAR, OTHER],
}


def cloud(
    *failures: Failure, login: str = "", kind: type[SmartSimulation] = SmartSimulation, **more: Any
) -> SmartSimulation:
    """The simulated cloud at noon of its first day, at which the session of the settings holds."""
    simulated = dict(zip((CAR, OTHER), cars((1, 2), 7, START, 1), strict=True))
    account = msgspec.convert({**ACCOUNT, "login_token": login}, Smart)
    return kind(simulated, lambda: START + DAY_S / 2, account, failures=failures, **more)


KIT = Kit(
    account=ACCOUNT,
    secrets=(KEY, TOKEN, LOGIN),
    cloud=cloud,
    words={**{query: query for query in PATHS}, "login": "vehicles"},
    vehicle=CAR,
    misspelt="token_fil",
    posts=frozenset({"/device-platform/user/session/update"}),
)
