"""One account at an iSmart gateway: one car, which is polled."""

from logger.envelope import Envelope
from logger.settings.schema import SaicGateway, Settings
from logger.sources.addresses import is_vehicle_id
from logger.sources.contract import Account, Cloud, Glance, Traits
from logger.sources.models import vehicles_by_model
from logger.sources.saic_gateway.api import SaicGatewayCloud
from logger.sources.saic_gateway.messages import STEPS, glance, shapes


class SaicGatewayAccount(Account):
    """A source of kind `saic-gateway`."""

    provider, account_id, webhook, steps = "saic-gateway", "", None, STEPS
    traits = Traits(swappable=False)  # it reports no lock, and its cadence is that of our polls

    def __init__(self, account: SaicGateway, settings: Settings) -> None:
        self.name, self.vehicles = account.name, account.listed
        models = vehicles_by_model(account, settings)
        self.shapes = shapes(settings.model(account.model).capacity_wh)
        self.variants = [(vehicles, shapes(settings.model(model).capacity_wh)) for model, vehicles in models]
        self._account, self._folder, self._known = account, settings.data_dir, frozenset(account.listed)

    def cloud(self) -> Cloud:
        """The gateway. Raises `ConfigError` where `base_url` is no address."""
        return SaicGatewayCloud(self._account, self._folder)

    def is_known(self, vehicle: str) -> bool:
        """Whether this is the number of a vehicle (its VIN) that the account lists, or accepts."""
        return (vehicle in self._known or self._account.unknown_vehicles == "accept") and is_vehicle_id(vehicle)

    def glance(self, message: Envelope) -> Glance:
        """The vehicle and state of an answer."""
        return glance(message)
