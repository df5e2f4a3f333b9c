"""Smartcar: the vendor's hosts (smartcar.com/docs), or the one of `base_url` in place of all."""

from logger.errors import ConfigError
from logger.settings.schema import Smartcar
from logger.sources.addresses import is_address


class Hosts:
    """The addresses of one account. Raises `ConfigError` where `base_url` is no address."""

    def __init__(self, account: Smartcar) -> None:
        if account.base_url and not is_address(account.base_url):
            raise ConfigError(f"sources: {account.name}: base_url: {account.base_url!r} is not https://HOST")
        base = account.base_url.rstrip("/")
        self.consent = (base or "https://connect.smartcar.com") + "/oauth/authorize"
        self.token = (base or "https://auth.smartcar.com") + "/oauth/token"
        self.machine_token = (base or "https://iam.smartcar.com") + "/oauth2/token"
        self.v2 = (base or "https://api.smartcar.com") + "/v2.0"
        self.v3 = (base or "https://vehicle.api.smartcar.com") + "/v3"
        self.subscriptions = (base or "https://management.api.smartcar.com") + "/v3/subscriptions"
        self.management = (base or "https://management.smartcar.com") + "/v2.0/management"
