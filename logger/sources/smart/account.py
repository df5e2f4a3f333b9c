"""One account of the Hello smart app: its cars, which are polled."""

from logger.envelope import Envelope
from logger.settings.schema import Settings, Smart
from logger.sources.contract import Cloud, Glance, Traits
from logger.sources.listed import ListedAccount
from logger.sources.smart.api import SmartCloud
from logger.sources.smart.messages import SHAPES, glance
from logger.sources.smart.steps import STEPS


class SmartAccount(ListedAccount):
    """A source of kind `smart`."""

    provider, shapes, steps = "smart", SHAPES, STEPS
    traits = Traits(lock="doors", swappable=False)

    def __init__(self, account: Smart, settings: Settings) -> None:
        super().__init__(account, settings)
        self._account = account

    def cloud(self) -> Cloud:
        """Its cloud. Raises `ConfigError` where a setting is missing, or `base_url` is no address."""
        return SmartCloud(self._account, self._folder)

    def glance(self, message: Envelope) -> Glance:
        """The vehicle and state of an answer."""
        return glance(message)
