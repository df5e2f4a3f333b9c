"""One Hiven account: the vehicles of one user, which are polled."""

from logger.envelope import Envelope
from logger.settings.schema import Hiven, Settings
from logger.sources.addresses import is_vehicle_id
from logger.sources.contract import Account, Cloud, Glance, Traits
from logger.sources.hiven.api import HivenCloud
from logger.sources.hiven.consent import HivenConsent
from logger.sources.hiven.messages import SHAPES, glance


class HivenAccount(Account):
    """A source of kind `hiven`."""

    provider, shapes, variants, account_id, webhook = "hiven", SHAPES, (), "", None
    traits = Traits(swappable=False)  # it reports no lock, and its cadence is that of our polls

    def __init__(self, account: Hiven, settings: Settings) -> None:
        self.name, self.vehicles = account.name, account.listed
        self._account, self._known = account, frozenset(account.listed)
        self.consent = HivenConsent(account)

    def cloud(self) -> Cloud:
        """Its cloud. Raises `ConfigError` where `base_url` is missing or no address."""
        return HivenCloud(self._account)

    def is_known(self, vehicle: str) -> bool:
        """Whether this is the id of a device that the account lists, or whose cloud lists them all."""
        open_to_all = self._account.vehicles == "all" or self._account.unknown_vehicles == "accept"
        return (open_to_all or vehicle in self._known) and is_vehicle_id(vehicle)

    def glance(self, message: Envelope) -> Glance:
        """The vehicle and state of an answer."""
        return glance(message)
