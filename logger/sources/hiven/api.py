"""Hiven: the requests of its cloud (docs.hiven.energy). All of them read; what sets a preference has no line here."""

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from logger.envelope import Envelope
from logger.errors import ConfigError, LoginNeeded, Retry
from logger.settings.schema import Hiven
from logger.sources.addresses import is_address
from logger.sources.contract import Cloud, PollOutcome, Query
from logger.sources.http import Answer, exchange, raise_for_later
from logger.sources.login_check import LoginCheck, check_by
from logger.sources.schedules import scheduled

PATHS: Mapping[str, str] = {"status": "/v1/hiven/devices/{}/status", "device": "/v2/hiven/devices/{}"}
DEVICES = "/v2/hiven/devices"
CAPABILITIES = "/v2/hiven/vehicles/smartcar/capabilities"
_WEIGHTS: Mapping[str, float] = {"status": 1, "device": 24}  # preferences change once in a while
_EXPECTED: Mapping[str, frozenset[str]] = {
    "status": frozenset(("soc", "range", "chargingStatus", "timestamp")),
    "device": frozenset(("settings", "attributes")),
}
_VEHICLE_TYPE = "EV"  # a list holds chargers as well


class HivenApi:
    """Requests in the name of one account. Raises `ConfigError` where `base_url` is missing or no address."""

    def __init__(self, account: Hiven) -> None:
        if not account.base_url:
            raise ConfigError(f"sources: {account.name}: base_url: no public one is known: write what Hiven gave you")
        if not is_address(account.base_url):
            raise ConfigError(f"sources: {account.name}: base_url: {account.base_url!r} is not https://HOST")
        self.name, self.base_url = account.name, account.base_url.rstrip("/")
        self.user_id = account.user_id
        self._headers = {"X-Api-Key": account.api_key, "X-User-Id": account.user_id}

    async def send(self, http: httpx.AsyncClient, method: str, path: str, **options: Any) -> Answer:
        """The answer to this request. Raises `LoginNeeded` where the account is refused, and `Retry`."""
        answer = await exchange(http, self.name, method, self.base_url + path, headers=self._headers, **options)
        if answer.status in (401, 403):
            refusal = f"the cloud refuses the account (HTTP {answer.status})"
            raise LoginNeeded(f"{self.name}: {refusal}: check api_key and user_id")
        return answer

    async def get(self, http: httpx.AsyncClient, path: str, **options: Any) -> Any:
        """The document at this path. Raises `LoginNeeded`, and `Retry` where it cannot be had or read."""
        answer = await self.send(http, "GET", path, **options)
        raise_for_later(self.name, answer)
        try:
            return msgspec.json.decode(answer.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Retry(f"{self.name}: the answer of {path} cannot be read: {error}", after=60) from error

    async def vehicles(self, http: httpx.AsyncClient) -> tuple[str, ...]:
        """The ids of all vehicles of the user; devices of other types are left aside. Raises as `get`."""
        return _vehicles(await self.get(http, DEVICES, params={"userId": self.user_id}))


class HivenCloud(Cloud):
    """The cloud of one account."""

    queries = tuple(PATHS)

    def __init__(self, account: Hiven) -> None:
        self._account, self._api = account, HivenApi(account)
        self.polls_all = account.vehicles == "all"

    def schedule(self) -> tuple[Query, ...]:
        """The queries to poll regularly; none where the settings have no `[sources.poll]`."""
        return scheduled(self._account.poll, _WEIGHTS)

    async def list_vehicles(self, http: httpx.AsyncClient) -> tuple[str, ...]:
        """The ids of all vehicles of the user. Raises `Retry` and `LoginNeeded`."""
        return await self._api.vehicles(http)

    async def request(self, http: httpx.AsyncClient, query: str, vehicle: str) -> tuple[Envelope, PollOutcome]:
        """One answer, bytes untouched, and its outcome. Raises `Retry` and `LoginNeeded`."""
        answer = await self._api.send(http, "GET", PATHS[query].format(quote(vehicle, safe="")))
        envelope = Envelope(self._account.name, query, time.time_ns() // 1_000_000, "poll", answer.body, vehicle)
        if answer.status == 404:
            return envelope, "unsupported"  # no device of this user
        raise_for_later(self._account.name, answer)
        return envelope, "ok" if _is_readable(query, answer.body) else "unreadable"

    async def check_login(self, http: httpx.AsyncClient) -> LoginCheck:
        """Request the list of devices and nothing else: no vehicle is woken."""
        api, params = self._api, {"userId": self._api.user_id}
        return await check_by(
            api.base_url, api.name, lambda: api.send(http, "GET", DEVICES, params=params), "check api_key and user_id"
        )


def _vehicles(document: Any) -> tuple[str, ...]:
    """The ids in a list of devices, which may lie in an envelope under any name."""
    lists = [document] if isinstance(document, list) else []
    if isinstance(document, dict):
        lists = [value for value in document.values() if isinstance(value, list)]
    devices = [device for each in lists for device in each if isinstance(device, dict)]
    vehicles = (device.get("id") for device in devices if device.get("type") == _VEHICLE_TYPE)
    return tuple(vehicle for vehicle in vehicles if isinstance(vehicle, str) and vehicle)


def _is_readable(query: str, body: bytes) -> bool:
    """Whether this is a document that holds something of what the query is for."""
    try:
        return bool(_EXPECTED[query] & msgspec.json.decode(body).keys())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, AttributeError):
        return False
