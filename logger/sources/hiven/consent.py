"""Hiven: an owner's consent, by the address that its cloud gives and the code that comes of it (docs.hiven.energy)."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from logger.errors import ConfigError, LoginNeeded, Retry
from logger.settings.schema import Hiven
from logger.sources.addresses import is_address, query_value
from logger.sources.contract import Consent
from logger.sources.hiven.api import CAPABILITIES, HivenApi
from logger.sources.http import raise_for_later

AUTHORIZATION = "/v1/hiven/devices/smartcar/authorization-url"
CONNECT = "/v1/hiven/devices/smartcar/connect"
_SPELLINGS: Mapping[str, str] = {"LAND_ROVER": "LANDROVER"}  # as the vendor spells it
_CAPACITY = "READ_BATTERY_CAPACITY"


class HivenConsent(Consent):
    """The consent to one account: `redirect_uri`, `manufacturer` and `country` of its settings say to what."""

    def __init__(self, account: Hiven) -> None:
        self._account = account

    async def address(self, http: httpx.AsyncClient) -> str:
        """The address to open. Raises `ConfigError` where a setting is missing, `LoginNeeded`, `Retry`."""
        account = self._account
        missing = [key for key in ("redirect_uri", "manufacturer") if not getattr(account, key)]
        if missing:
            raise ConfigError(f"sources: {account.name}: {missing[0]}: `voltrail login` needs it")
        wish = {
            "manufacturer": _SPELLINGS.get(account.manufacturer, account.manufacturer),
            "redirectUri": account.redirect_uri,
            "countryCode": account.country,
            "mode": account.mode,
        }
        found = _address(await HivenApi(account).get(http, AUTHORIZATION, params=wish))
        if not found:
            raise Retry(f"{account.name}: the cloud's answer holds no address to open", after=60)
        return found

    async def redeem(self, http: httpx.AsyncClient, answer: str) -> Sequence[str]:
        """Connect the vehicles of this code. Raises `ConfigError`, `LoginNeeded`, `Retry`."""
        api, name = HivenApi(self._account), self._account.name
        code = query_value(answer, "code", name)
        body = {"authCode": code, "redirectUrl": self._account.redirect_uri}  # redirectUri in the other call
        reply = await api.send(http, "POST", CONNECT, json=body)
        if reply.status == 409:
            raise LoginNeeded(f"{name}: the vehicle belongs to another user, who has to remove it first")
        if reply.status == 500:
            raise Retry(f"{name}: the cloud could not connect the vehicle (HTTP 500): log in again", after=60)
        if reply.status not in (200, 201):
            raise_for_later(name, reply)
        first = "the vehicle was added" if reply.status == 201 else "the vehicle was this user's already"
        return (first, f"vehicles: {', '.join(await api.vehicles(http)) or 'none yet'}", await _capacities(api, http))


def _address(document: Any) -> str:
    """The address in this answer: a text, or the value of a document that is an address."""
    texts = document.values() if isinstance(document, dict) else [document]
    return next((text for text in texts if isinstance(text, str) and is_address(text, queries=True)), "")


async def _capacities(api: HivenApi, http: httpx.AsyncClient) -> str:
    """How many of the vendor's models tell the capacity of their battery; the login does not depend on it."""
    try:
        models = await api.get(http, CAPABILITIES, params={"supporting": _CAPACITY})
    except (LoginNeeded, Retry):
        return "which models report their capacity is not known now"
    lists = [models] if isinstance(models, list) else models.values() if isinstance(models, dict) else []
    count = sum(len(each) for each in lists if isinstance(each, list))
    return f"models of this vendor that report the capacity of their battery: {count}"
