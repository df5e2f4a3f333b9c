"""Smart: where each request goes, by the series of the car."""

from collections.abc import Mapping

from logger.errors import ConfigError
from logger.settings.schema import Smart
from logger.sources.addresses import is_address

FIRST, SECOND, FIRMWARE = "https://api.ecloudeu.com", "https://apiv2.ecloudeu.com", "https://ota.srv.smart.com"
_OF_SERIES: Mapping[str, str] = {"HX": FIRST, "HC": FIRST, "HY": SECOND}  # smart #1, #3, #5
_TENFOLD = "HY"  # whose current is in tenths of an ampere


class Hosts:
    """The hosts of one account: the vendor's, or all the same one. Raises `ConfigError` where that is no address."""

    def __init__(self, account: Smart) -> None:
        if account.base_url and not is_address(account.base_url):
            raise ConfigError(f"sources: {account.name}: base_url: {account.base_url!r} is not https://HOST")
        self._own, self._is_eu = account.base_url.rstrip("/"), account.region == "eu"
        self.first, self.firmware = self._own or FIRST, self._own or FIRMWARE

    def of_car(self, series: str) -> str:
        """The host that knows a car of this series."""
        return self._own or (_OF_SERIES.get(series[:2], SECOND if series else FIRST) if self._is_eu else FIRST)


def is_tenfold(series: str) -> bool:
    """Whether cars of this series send ten times their current."""
    return series.startswith(_TENFOLD)
