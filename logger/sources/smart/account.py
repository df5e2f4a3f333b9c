"""One account of the Hello smart app: its cars, which are polled."""

from logger.envelope import Envelope
from logger.settings.schema import Settings, Smart
from logger.sources.addresses import is_vehicle_id
from logger.sources.contract import Account, Cloud, Glance, Traits
from logger.sources.smart.api import SmartCloud
from logger.sources.smart.messages import SHAPES, glance
from logger.sources.smart.steps import STEPS


class SmartAccount(Account):
    """A source of kind `smart`."""

    provider, shapes, variants, account_id, webhook, steps = "smart", SHAPES, (), "", None, STEPS
    traits = Traits(lock="doors", swappable=False)

    def __init__(self, account: Smart, settings: Settings) -> None:
        self.name, self.vehicles = account.name, account.listed
        self._account, self._folder, self._known = account, settings.data_dir, frozenset(account.listed)

    def cloud(self) -> Cloud:
        """Its cloud. Raises `ConfigError` where a setting is missing, or `base_url` is no address."""
        return SmartCloud(self._account, self._folder)

    def is_known(self, vehicle: str) -> bool:
        """Whether this is the number of a car (its VIN) that the account lists, or whose cloud lists them all."""
        open_to_all = self._account.vehicles == "all" or self._account.unknown_vehicles == "accept"
        return (open_to_all or vehicle in self._known) and is_vehicle_id(vehicle)

    def glance(self, message: Envelope) -> Glance:
        """The vehicle and state of an answer."""
        return glance(message)
