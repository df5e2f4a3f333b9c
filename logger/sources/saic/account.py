"""One account of the iSmart app: its cars, which are polled."""

from logger.envelope import Envelope
from logger.settings.schema import Saic, Settings
from logger.sources.contract import Cloud, Glance, Traits
from logger.sources.listed import CapacityAccount
from logger.sources.saic.api import SaicCloud
from logger.sources.saic.messages import STEPS, glance, shapes


class SaicAccount(CapacityAccount):
    """A source of kind `saic`."""

    provider, steps = "saic", STEPS
    traits = Traits(lock="doors", swappable=False)

    def __init__(self, account: Saic, settings: Settings) -> None:
        super().__init__(account, settings, shapes)
        self._account = account

    def cloud(self) -> Cloud:
        """Its cloud. Raises `ConfigError` where a setting is missing, or `base_url` is no address."""
        return SaicCloud(self._account, self._folder)

    def glance(self, message: Envelope) -> Glance:
        """The vehicle and state of an answer."""
        return glance(message)
