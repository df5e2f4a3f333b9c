"""One Hiven account: the vehicles of one user, which are polled."""

from logger.envelope import Envelope
from logger.settings.schema import Hiven, Settings
from logger.sources.contract import Cloud, Glance, Traits
from logger.sources.hiven.api import HivenCloud
from logger.sources.hiven.consent import HivenConsent
from logger.sources.hiven.messages import SHAPES, glance
from logger.sources.listed import ListedAccount


class HivenAccount(ListedAccount):
    """A source of kind `hiven`."""

    provider, shapes = "hiven", SHAPES
    traits = Traits(swappable=False)  # it reports no lock, and its cadence is that of our polls

    def __init__(self, account: Hiven, settings: Settings) -> None:
        super().__init__(account, settings)
        self._account = account
        self.consent = HivenConsent(account)

    def cloud(self) -> Cloud:
        """Its cloud. Raises `ConfigError` where `base_url` is missing or no address."""
        return HivenCloud(self._account)

    def glance(self, message: Envelope) -> Glance:
        """The vehicle and state of an answer."""
        return glance(message)
