"""One account of the iSmart app: its cars, which are polled."""

from logger.envelope import Envelope
from logger.settings.schema import Saic, Settings
from logger.sources.addresses import is_vehicle_id
from logger.sources.contract import Account, Cloud, Glance, Traits
from logger.sources.models import vehicles_by_model
from logger.sources.saic.api import SaicCloud
from logger.sources.saic.messages import STEPS, glance, shapes


class SaicAccount(Account):
    """A source of kind `saic`."""

    provider, account_id, webhook, steps = "saic", "", None, STEPS
    traits = Traits(lock="doors", swappable=False)

    def __init__(self, account: Saic, settings: Settings) -> None:
        self.name, self.vehicles = account.name, account.listed
        models = vehicles_by_model(account, settings)
        self.shapes = shapes(settings.model(account.model).capacity_wh)
        self.variants = [(vehicles, shapes(settings.model(model).capacity_wh)) for model, vehicles in models]
        self._account, self._folder, self._known = account, settings.data_dir, frozenset(account.listed)

    def cloud(self) -> Cloud:
        """Its cloud. Raises `ConfigError` where a setting is missing, or `base_url` is no address."""
        return SaicCloud(self._account, self._folder)

    def is_known(self, vehicle: str) -> bool:
        """Whether this is the number of a car (its VIN) that the account lists, or whose cloud lists them all."""
        open_to_all = self._account.vehicles == "all" or self._account.unknown_vehicles == "accept"
        return (open_to_all or vehicle in self._known) and is_vehicle_id(vehicle)

    def glance(self, message: Envelope) -> Glance:
        """The vehicle and state of an answer."""
        return glance(message)
