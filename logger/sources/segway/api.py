"""Segway "API of Gateway": the queries of the vendor's cloud. Protocol, units and traps: `README.md` beside this.

Only four queries exist here. The key of a vehicle's bluetooth, and everything that controls a vehicle, have no line in
this module, and a test holds it to that. The one setting that is written is in `interval`.
"""

import asyncio
import time
from collections.abc import Callable, Mapping

import httpx
import msgspec

from logger.envelope import Envelope
from logger.errors import LoggerError, LoginNeeded, Retry
from logger.settings.schema import Segway
from logger.sources.contract import Cloud, PollOutcome, Query
from logger.sources.grant import Grant
from logger.sources.http import Answer, exchange, raise_for_later
from logger.sources.login_check import LoginCheck
from logger.sources.schedules import scheduled
from logger.sources.segway.login import Login
from logger.sources.segway.messages import CODES, LOGIN, RETRY, UNAVAILABLE, UNSUPPORTED

QUERIES: Mapping[str, str] = {
    "status-query": "/api/v2/vehicle/query/current/status",
    "location-query": "/api/v2/vehicle/query/current/location",
    "extra-status": "/api/v2/mopeds/query/current/extra-status",
    "battery-info": "/api/v2/mopeds/query/current/battery-info",
}

_WEIGHTS: Mapping[str, float] = {"status-query": 1, "location-query": 1, "battery-info": 1, "extra-status": 5}
_SKIPPED_BY: Mapping[str, str] = {"status-query": "status", "location-query": "location"}
_OUTCOMES: Mapping[str, PollOutcome] = {
    "ok": "ok",
    UNAVAILABLE: "unavailable",
    UNSUPPORTED: "unsupported",
    "unreadable": "unreadable",
    LOGIN: "unreadable",
}


class _Head(msgspec.Struct):
    """What of an answer is read before it is stored."""

    code: int | str


class SegwayCloud(Cloud):
    """The cloud of one account; `clock` gives monotonic seconds."""

    queries = tuple(QUERIES)

    def __init__(self, account: Segway, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = account.name
        self._account = account
        self._login = Login(account)
        self._clock = clock
        self._token, self._renew_at = "", 0.0
        self._renewal = asyncio.Lock()
        self._logins = 0
        self._login_error: LoggerError | None = None  # of the last login

    def schedule(self) -> tuple[Query, ...]:
        """The queries to poll regularly; none where the settings have no `[sources.poll]`."""
        return scheduled(self._account.poll, _WEIGHTS, _SKIPPED_BY)

    async def request(self, http: httpx.AsyncClient, query: str, vehicle: str) -> tuple[Envelope, PollOutcome]:
        """One answer, bytes untouched, and its outcome. Raises `Retry` and `LoginNeeded`."""
        token = await self._current_token(http)
        answer = await self._get(http, query, vehicle, token)
        if _is_refused(answer):
            token = await self._current_token(http, refused=token)
            answer = await self._get(http, query, vehicle, token)
            if _is_refused(answer):
                raise LoginNeeded(f"{self._name}: the cloud refuses a fresh token: is the account still active?")
        raise_for_later(self._name, answer)
        kind = _kind(answer.body)
        if kind == RETRY:
            raise Retry(f"{self._name}: the cloud has a fault of its own (code 15001)", after=10)
        now_ms = time.time_ns() // 1_000_000
        return Envelope(self._name, query, now_ms, "poll", answer.body, vehicle), _OUTCOMES[kind]

    async def _get(self, http: httpx.AsyncClient, query: str, vehicle: str, token: str) -> Answer:
        headers = {"Authorization": f"bearer {token}"}
        url = self._login.base_url + QUERIES[query]
        return await exchange(http, self._name, "GET", url, params={"iotCode": vehicle}, headers=headers)

    async def check_login(self, http: httpx.AsyncClient) -> LoginCheck:
        """Log in and request nothing else: no vehicle is woken."""
        return await self._login.check(http)

    async def _current_token(self, http: httpx.AsyncClient, refused: str = "") -> str:
        """The token, renewed ahead of its end or where `refused` is it; one caller renews, the others wait for it."""
        logins = self._logins
        async with self._renewal:
            if not self._token or self._token == refused or self._clock() >= self._renew_at:
                if self._logins != logins and self._login_error is not None:
                    raise self._login_error  # it holds for all who waited: eight tries at once would lock the account
                grant = await self._renew(http)
                self._token, self._renew_at = grant.access_token, self._clock() + grant.renew_in_s
            return self._token

    async def _renew(self, http: httpx.AsyncClient) -> Grant:
        self._login_error = None
        try:
            return await self._login.grant(http)
        except (Retry, LoginNeeded) as error:
            self._login_error = error
            raise
        finally:
            self._logins += 1  # only now: a caller that comes while this one logs in shares its end


def _kind(body: bytes) -> str:
    """`ok`, the kind of its error code, or `unreadable` where that is none that we know."""
    try:
        code = int(msgspec.json.decode(body, type=_Head).code)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return "unreadable"
    return "ok" if code == 0 else CODES.get(code, "unreadable")


def _is_refused(answer: Answer) -> bool:
    return answer.status == 401 or _kind(answer.body) == LOGIN
