"""One Smartcar account: the vehicles of those who consented, their webhook, and their cloud."""

from logger.envelope import Envelope
from logger.settings.schema import Settings, Smartcar
from logger.sources.contract import Cloud, Glance, Traits
from logger.sources.listed import ListedAccount
from logger.sources.smartcar.api import SmartcarCloud
from logger.sources.smartcar.consent import SmartcarConsent
from logger.sources.smartcar.messages import SHAPES, glance
from logger.sources.smartcar.steps import STEPS
from logger.sources.smartcar.webhook import SmartcarWebhook


class SmartcarAccount(ListedAccount):
    """A source of kind `smartcar`: it pushes where it has a management token, and it may be polled."""

    provider, shapes, steps = "smartcar", SHAPES, STEPS
    traits = Traits(lock="doors", swappable=False)  # each maker's cloud has a cadence of its own

    def __init__(self, account: Smartcar, settings: Settings) -> None:
        super().__init__(account, settings)
        self.webhook = SmartcarWebhook(account, settings.data_dir) if account.management_token else None
        self.consent = SmartcarConsent(account, settings.data_dir)
        self._account = account

    def cloud(self) -> Cloud | None:
        """Its cloud; None where it only pushes. Raises `ConfigError` where a setting is missing that polls need."""
        if self.webhook and not self._account.client_secret and self._account.poll is None:
            return None
        return SmartcarCloud(self._account, self._folder)

    def glance(self, message: Envelope) -> Glance:
        """The vehicle and state of a webhook or an answer."""
        return glance(message)
