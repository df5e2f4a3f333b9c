"""One Smartcar account: the vehicles of those who consented, their webhook, and their cloud."""

from logger.envelope import Envelope
from logger.settings.schema import Settings, Smartcar
from logger.sources.addresses import is_vehicle_id
from logger.sources.contract import Account, Cloud, Glance, Traits
from logger.sources.smartcar.api import SmartcarCloud
from logger.sources.smartcar.consent import SmartcarConsent
from logger.sources.smartcar.messages import SHAPES, glance
from logger.sources.smartcar.steps import STEPS
from logger.sources.smartcar.webhook import SmartcarWebhook


class SmartcarAccount(Account):
    """A source of kind `smartcar`: it pushes where it has a management token, and it may be polled."""

    provider, shapes, variants, account_id, steps = "smartcar", SHAPES, (), "", STEPS
    traits = Traits(lock="doors", swappable=False)  # each maker's cloud has a cadence of its own

    def __init__(self, account: Smartcar, settings: Settings) -> None:
        self.name, self.vehicles = account.name, account.listed
        self.webhook = SmartcarWebhook(account, settings.data_dir) if account.management_token else None
        self.consent = SmartcarConsent(account, settings.data_dir)
        self._account, self._folder, self._known = account, settings.data_dir, frozenset(account.listed)

    def cloud(self) -> Cloud | None:
        """Its cloud; None where it only pushes. Raises `ConfigError` where a setting is missing that polls need."""
        if self.webhook and not self._account.client_secret and self._account.poll is None:
            return None
        return SmartcarCloud(self._account, self._folder)

    def is_known(self, vehicle: str) -> bool:
        """Whether this is the id of a vehicle that the account lists, accepts, or whose cloud lists them all."""
        open_to_all = self._account.vehicles == "all" or self._account.unknown_vehicles == "accept"
        return (open_to_all or vehicle in self._known) and is_vehicle_id(vehicle)

    def glance(self, message: Envelope) -> Glance:
        """The vehicle and state of a webhook or an answer."""
        return glance(message)
