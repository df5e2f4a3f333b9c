"""The makers' clouds of the demo's cars: an account of each in the settings, its secrets, and its simulated cloud."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from logger.settings.schema import Smart
from logger.simulator.cloud.hiven import HivenSimulation
from logger.simulator.cloud.saic import SaicSimulation
from logger.simulator.cloud.saic_gateway import SaicGatewaySimulation
from logger.simulator.cloud.smart import SmartSimulation
from logger.simulator.cloud.smartcar import SmartcarSimulation
from logger.simulator.cloud.vendor import VendorCloud
from logger.simulator.vehicle.fleet import Simulation

Cars = Mapping[str, Simulation]
Now = Callable[[], float]
MANAGEMENT = "simulated-token"  # by which webhooks of Smartcar are signed
_CLIENT, _SECRET, _KEY, _USER, _PASSWORD = "client", "simulated-client", "simulated-key", "user", "simulated-password"
_SESSION, _SIGNING = "simulated-session", "simulated-signing"
_SMART: dict[str, Any] = {
    "app_id": "demo",
    "operator_code": "demo",
    "user_id": "112233",
    "device_id": "0123456789abcdef",
}
# What a maker's cloud is polled for costs something: its plan, or the car's 12 V battery. All in seconds of the cars.
_POLL = """
[sources.poll]
riding_s = {riding}
charging_s = {charging}
parked_s = {parked}
silent_s = {parked}
"""


class Vendor(msgspec.Struct, frozen=True):
    """One maker's cloud: its cars by the simulation's numbers from `first` on, none of which has a wrong clock.

    `most` is how many cars an account may have; `secrets` are files beside the settings; `query` is the word of the
    cloud's first query, and `intervals` are how often it is polled: riding, charging, parked [s].
    """

    name: str
    first: int
    car: str
    query: str
    keys: str
    secrets: Mapping[str, str]
    cloud: Callable[[Cars, Now], VendorCloud]
    intervals: tuple[int, int, int]
    most: int = 1_000

    def settings(self, base_url: str) -> str:
        """Return the account as settings."""
        riding, charging, parked = self.intervals
        head = f'\n[[sources]]\nkind = "{self.name}"\nname = "{self.name}"\nbase_url = "{base_url}"\n'
        return head + self.keys + _POLL.format(riding=riding, charging=charging, parked=parked)


def _smart(cars: Cars, now: Now) -> VendorCloud:
    account = {**_SMART, "kind": "smart", "name": "smart", "app_secret": _SIGNING, "token": _SESSION}
    return SmartSimulation(cars, now, msgspec.convert(account, Smart))


VENDORS = (
    Vendor(
        "smartcar",
        505,
        "00000000-0000-4000-8000-{:012d}",
        "state",
        f'client_id = "{_CLIENT}"\nclient_secret_file = "smartcar.secret"\nmanagement_token_file = "smartcar.token"\n'
        'redirect_uri = "http://127.0.0.1/done"\nvehicles = "all"\n'
        "calls_per_vehicle = 0  # the plan's month is a real one, of which a demo is a minute\n",
        {"smartcar.secret": _SECRET, "smartcar.token": MANAGEMENT},
        lambda cars, now: SmartcarSimulation(cars, now, _CLIENT, _SECRET, MANAGEMENT),
        (86_400, 86_400, 86_400),  # the vendor's bucket of requests is a real one, too
    ),
    Vendor(
        "hiven",
        605,
        "hiven-{}",
        "status",
        f'api_key_file = "hiven.key"\nuser_id = "{_USER}"\nvehicles = "all"\n',
        {"hiven.key": _KEY},
        lambda cars, now: HivenSimulation(cars, now, _KEY, _USER),
        (1800, 1800, 3600),
    ),
    Vendor(
        "smart",
        705,
        "TESTSMART{:08d}",
        "status",
        "".join(f'{key} = "{value}"\n' for key, value in _SMART.items())
        + 'app_secret_file = "smart.key"\ntoken_file = "smart.token"\nvehicles = "all"\n',
        {"smart.key": _SIGNING, "smart.token": _SESSION},
        _smart,
        (900, 1800, 3600),
    ),
    Vendor(
        "saic",
        805,
        "LSJTESTMG{:08d}",
        "status",
        f'user = "{_USER}"\npassword_file = "saic.password"\nclient_id = "{_CLIENT}"\n'
        'client_secret_file = "saic.client"\nvehicles = "all"\n',
        {"saic.password": _PASSWORD, "saic.client": _SECRET},
        lambda cars, now: SaicSimulation(cars, now, (_USER, _PASSWORD), (_CLIENT, _SECRET)),
        (900, 1800, 21_600),
    ),
    Vendor(
        "saic-gateway",
        905,
        "LSJTESTGW{:08d}",
        "data",
        f'user = "{_USER}"\npassword_file = "gateway.password"\nvehicles = ["LSJTESTGW00000001"]\n',
        {"gateway.password": _PASSWORD},
        lambda cars, now: SaicGatewaySimulation(cars, now, _USER, _PASSWORD),
        (900, 900, 3600),
        most=1,
    ),
)
