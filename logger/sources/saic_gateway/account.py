"""One account at an iSmart gateway: one car, which is polled."""

from logger.envelope import Envelope
from logger.settings.schema import SaicGateway, Settings
from logger.sources.contract import Cloud, Glance, Traits
from logger.sources.listed import CapacityAccount
from logger.sources.saic_gateway.api import SaicGatewayCloud
from logger.sources.saic_gateway.messages import STEPS, glance, shapes


class SaicGatewayAccount(CapacityAccount):
    """A source of kind `saic-gateway`."""

    provider, steps = "saic-gateway", STEPS
    traits = Traits(swappable=False)  # it reports no lock, and its cadence is that of our polls

    def __init__(self, account: SaicGateway, settings: Settings) -> None:
        super().__init__(account, settings, shapes)
        self._account = account

    def cloud(self) -> Cloud:
        """The gateway. Raises `ConfigError` where `base_url` is no address."""
        return SaicGatewayCloud(self._account, self._folder)

    def glance(self, message: Envelope) -> Glance:
        """The vehicle and state of an answer."""
        return glance(message)
