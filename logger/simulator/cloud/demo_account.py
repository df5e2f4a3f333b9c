"""What a vendor is in the demo: an account in the settings, its secrets, and its simulated cloud."""

from collections.abc import Callable, Mapping

import msgspec

from logger.simulator.cloud.vendor import VendorCloud
from logger.simulator.vehicle.fleet import Simulation

Cars = Mapping[str, Simulation]
Now = Callable[[], float]
# What a maker's cloud is polled for costs something: its plan, or the car's 12 V battery. All in seconds of the cars.
_POLL = """
[sources.poll]
riding_s = {riding}
charging_s = {charging}
parked_s = {parked}
silent_s = {parked}
"""


class DemoAccount(msgspec.Struct, frozen=True):
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
