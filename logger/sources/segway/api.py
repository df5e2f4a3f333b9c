"""Segway "API of Gateway": the queries, asked of the vendor's cloud. Protocol, units and traps: `README.md` beside it.

Only four queries exist here. The key of a vehicle's bluetooth and everything that controls a vehicle are none of a
logger's business: they have no line in this module, and a test sees to it.
"""

import asyncio
import re
import time
from collections.abc import Callable, Mapping

import httpx
import msgspec

from logger.envelope import Envelope
from logger.errors import LoggerError, LoginNeeded, Retry
from logger.settings.schema import Segway as Account
from logger.sources.contract import STATES, Meaning, Query, State
from logger.sources.http import Answer, exchange, raise_for_later
from logger.sources.login_check import LoginCheck
from logger.sources.segway.login import Grant, Login
from logger.sources.segway.messages import AGAIN, CODES, DEVICE, LOGIN, PERMANENT, speaks_of

QUERIES: Mapping[str, str] = {
    "status-query": "/api/v2/vehicle/query/current/status",
    "location-query": "/api/v2/vehicle/query/current/location",
    "extra-status": "/api/v2/mopeds/query/current/extra-status",
    "battery-info": "/api/v2/mopeds/query/current/battery-info",
}

_WEIGHTS: Mapping[str, float] = {"status-query": 1, "location-query": 1, "battery-info": 1, "extra-status": 5}
_SPARED_BY: Mapping[str, str] = {"status-query": "status", "location-query": "location"}
_WORDS = re.compile(rb'"?(online|locked|charging)"?\s*[=:]\s*"?(true|false|1|0)\b')
_TRUE = (b"true", b"1")


_MEANINGS: Mapping[str, Meaning] = {
    "ok": "ok",
    DEVICE: "device",
    PERMANENT: "permanent",
    "changed": "changed",
    LOGIN: "changed",
}


class _Head(msgspec.Struct):
    """What of an answer is read before it is stored."""

    code: int | str


class SegwayCloud:
    """One account that is asked. `clock` tells monotonic seconds."""

    provider = "segway"
    queries = tuple(QUERIES)

    def __init__(self, account: Account, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = account.name
        self.vehicles = tuple(account.vehicles)
        self._account = account
        self._login = Login(account)
        self._clock = clock
        self._token, self._renew_at = "", 0.0
        self._renewal = asyncio.Lock()
        self._refused: tuple[int, LoggerError | None] = (0, None)  # how often a token was asked for, and the last end

    def questions(self) -> tuple[Query, ...]:
        """What to ask, how often in which state, and which push spares it; nothing where the settings say so."""
        poll = self._account.poll
        if poll is None:
            return ()
        every = {state: poll.every_s[state] for state in STATES if state in poll.every_s}
        return tuple(
            Query(query, {state: _WEIGHTS[query] * every[state] for state in every}, _SPARED_BY.get(query, ""))
            for query in QUERIES
        )

    def speaks_of(self, push: bytes) -> str:
        """The vehicle of a push, as far as a glance shows it; empty where it does not."""
        return speaks_of(push)

    def state(self, message: bytes) -> State | None:
        """The state that a push or an answer tells, as far as a glance shows it: enough to plan by, never stored."""
        told = dict(_WORDS.findall(message))
        if told.get(b"online") in (b"false", b"0"):
            return "offline"
        if told.get(b"charging") in _TRUE:
            return "charging"
        if b"locked" in told:
            return "parked" if told[b"locked"] in _TRUE else "riding"
        return None

    async def ask(self, http: httpx.AsyncClient, query: str, vehicle: str) -> tuple[Envelope, Meaning]:
        """What the vendor says now, bytes untouched, and how to take it: `ok`, `device`, `permanent` or `changed`.

        Raises `Retry` for what may work later, `LoginNeeded` where the account itself is refused.
        """
        token = await self._current_token(http)
        answer = await self._asked(http, query, vehicle, token)
        if _refuses(answer):
            token = await self._current_token(http, refused=token)
            answer = await self._asked(http, query, vehicle, token)
            if _refuses(answer):
                raise LoginNeeded(f"{self.name}: the cloud refuses a fresh token: is the account still active?")
        raise_for_later(self.name, answer)
        meaning = _class(answer.body)
        if meaning == AGAIN:
            raise Retry(f"{self.name}: the cloud has a fault of its own (code 15001)", after=10)
        now_ms = time.time_ns() // 1_000_000
        return Envelope(self.name, query, now_ms, "poll", answer.body, vehicle), _MEANINGS[meaning]

    async def _asked(self, http: httpx.AsyncClient, query: str, vehicle: str, token: str) -> Answer:
        headers = {"Authorization": f"bearer {token}"}
        url = self._login.base_url + QUERIES[query]
        return await exchange(http, self.name, "GET", url, params={"iotCode": vehicle}, headers=headers)

    async def hello(self, http: httpx.AsyncClient) -> LoginCheck:
        """Log in and ask for nothing: no vehicle is woken."""
        return await self._login.greeting(http)

    async def _current_token(self, http: httpx.AsyncClient, refused: str = "") -> str:
        """The token, renewed ahead of its end or where this one was refused; whoever needs it meanwhile waits."""
        tries, _ = self._refused
        async with self._renewal:
            if not self._token or self._token == refused or self._clock() >= self._renew_at:
                if self._refused[0] != tries and self._refused[1] is not None:
                    raise self._refused[1]  # whoever waited got an answer, too: eight tries at once lock an account
                grant = await self._renewed(http)
                self._token, self._renew_at = grant.access_token, self._clock() + grant.renew_in_s
            return self._token

    async def _renewed(self, http: httpx.AsyncClient) -> Grant:
        try:
            grant = await self._login.grant(http)
        except (Retry, LoginNeeded) as error:
            self._refused = (self._refused[0] + 1, error)
            raise
        self._refused = (self._refused[0] + 1, None)
        return grant


def _class(body: bytes) -> str:
    """How to take an answer: `ok`, one of the classes of its code, or `changed` where it is none that we know."""
    try:
        code = int(msgspec.json.decode(body, type=_Head).code)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return "changed"
    return "ok" if code == 0 else CODES.get(code, "changed")


def _refuses(answer: Answer) -> bool:
    return answer.status == 401 or _class(answer.body) == LOGIN
