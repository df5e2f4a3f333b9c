"""The iSmart gateway: its one request, `POST /getData`, which reads, and wakes the car.

User and password travel in the body of the form: in the address, which the gateway takes as well, they would be logged.
"""

import base64
import re
import time
from pathlib import Path
from typing import Any

import httpx
import msgspec

from logger.envelope import Envelope
from logger.errors import ConfigError, LoginNeeded, Retry
from logger.settings.schema import SaicGateway, WakingPolling
from logger.sources.addresses import is_address
from logger.sources.contract import Cloud, PollOutcome, Query, Rest
from logger.sources.http import Answer, exchange, raise_for_later
from logger.sources.login_check import LoginCheck, check_by
from logger.sources.saic_gateway.messages import glance
from logger.sources.schedules import scheduled
from logger.sources.wakes import WakeLog, WakeRules

HOME = "http://127.0.0.1:42042"  # where the add-on listens
PATH = "/getData"
_WHOLE_S = 120.0  # the gateway asks the vendor every 6 s until the car has answered
_LOCKED = 15033  # after wrong passwords: locked until tomorrow
_MOST_QUOTED = 200
# What the gateway passes on of its own login; `reserved` is not documented, and may be part of it.
_CREDENTIALS = re.compile(rb'("(?:token|uid|reserved)"\s*:\s*)"(?:[^"\\]|\\.)*"')


class SaicGatewayCloud(Cloud):
    """The gateway of one account, whose folder knows when it was requested last."""

    queries = ("data",)

    def __init__(self, account: SaicGateway, folder: Path) -> None:
        if account.base_url and not is_address(account.base_url):
            raise ConfigError(f"sources: {account.name}: base_url: {account.base_url!r} is not http://HOST:PORT")
        if len(account.listed) > 1:
            raise ConfigError(f"sources: {account.name}: vehicles: a gateway serves one car: an account for each")
        self._account, self._name = account, account.name
        self._base_url = account.base_url.rstrip("/") or HOME
        self._wakes = WakeLog(folder, account.name, WakeRules((account.poll or WakingPolling()).every_s))

    def schedule(self) -> tuple[Query, ...]:
        """The query to poll regularly; none where the settings have no `[sources.poll]`."""
        return scheduled(self._account.poll, {"data": 1})

    def rest(self, vehicle: str, *, by_hand: bool = False) -> Rest | None:
        """Why this car is to be left alone now."""
        return self._wakes.rest(vehicle, by_hand=by_hand)

    async def request(self, http: httpx.AsyncClient, query: str, vehicle: str) -> tuple[Envelope, PollOutcome]:
        """The gateway's document without its login, all other bytes untouched, and its outcome.

        Raises `Retry`, also where the car must not be woken yet, and `LoginNeeded`.
        """
        self._wakes.begin(vehicle)
        form = {"user": self._account.user, "password": self._account.password}
        answer = await self._send(http, "POST", PATH, data=form, whole_s=_WHOLE_S)
        raise_for_later(self._name, answer)
        outcome = _outcome(self._name, answer.body)
        body = _CREDENTIALS.sub(rb"\1null", answer.body)
        envelope = Envelope(self._name, query, time.time_ns() // 1_000_000, "poll", body, vehicle)
        self._wakes.record(vehicle, glance(envelope).state or "parked")
        return envelope, outcome

    async def check_login(self, http: httpx.AsyncClient) -> LoginCheck:
        """Whether the gateway answers, by an address that it does not have: its one request would wake the car."""
        advice = "check what stands in front of the gateway"
        return await check_by(self._base_url, self._name, lambda: self._send(http, "GET", "/"), advice)

    async def _send(self, http: httpx.AsyncClient, method: str, path: str, **options: Any) -> Answer:
        answer = await exchange(http, self._name, method, self._base_url + path, **options)
        if answer.status in (401, 403):
            refusal = f"the gateway refuses the account (HTTP {answer.status})"
            raise LoginNeeded(f"{self._name}: {refusal}: check user and password")
        return answer


def _outcome(name: str, body: bytes) -> PollOutcome:
    """The outcome of an answer, all of which have status 200. Raises `Retry` and `LoginNeeded`."""
    text = body.strip()
    if text == b"null":
        raise Retry(f"{name}: the gateway has no data of the car yet", after=WakingPolling.least_s)
    if text.startswith(b"No login post parameters"):
        raise LoginNeeded(f"{name}: the gateway found no user and password in the request: is this the add-on?")
    if text.startswith(b"API error"):
        raise Retry(f"{name}: the gateway does not know {PATH}: check base_url", after=WakingPolling.least_s)
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "unreadable"
    if not isinstance(document, dict) or not isinstance(document.get("body"), dict):
        return "unreadable"
    return _outcome_of_result(name, document["body"], has_data=isinstance(document.get("applicationData"), dict))


def _outcome_of_result(name: str, body: dict[str, Any], *, has_data: bool) -> PollOutcome:
    if body.get("result") == _LOCKED:
        reason = f"the vendor has locked the account until tomorrow{_reason(body)}"
        raise LoginNeeded(f"{name}: {reason}: check user and password before it is polled again")
    return "ok" if has_data and not body.get("result") else "unavailable"


def _reason(body: dict[str, Any]) -> str:
    """The vendor's own words, which are in base64."""
    try:
        text = base64.b64decode(body.get("errorMessage") or "", validate=True).decode()
    except (ValueError, TypeError):
        return ""
    return f" ({text[:_MOST_QUOTED]!r})" if text else ""
