"""Smart: the requests of its cloud. All of them read; what controls a car has no line here.

Three are no GET: the session (`session`), the choice of the car that the next requests are about, and the grant of the
journal, which is a consent of the account and no command to a car.
"""

import asyncio
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from logger.envelope import Envelope
from logger.errors import ConfigError, Retry
from logger.settings.schema import Smart
from logger.sources.contract import Cloud, PollOutcome, Query
from logger.sources.http import Answer, exchange
from logger.sources.login_check import LoginCheck, check_by
from logger.sources.schedules import scheduled
from logger.sources.smart.codes import OK, UNSELECTED, Backoff, code_of, is_expired, outcome_of, raise_for_refusal
from logger.sources.smart.hosts import Hosts, is_tenfold
from logger.sources.smart.messages import is_fast_charging
from logger.sources.smart.session import Session
from logger.sources.smart.signature import signed_headers

CARS = "/device-platform/user/vehicle/secure"
SELECT = "/device-platform/user/session/update"
GRANT = "/remote-control/user/authorization/insert"
DIRECT_CURRENT = "/remote-control/vehicle/status/qrvs/{}"
PATHS: Mapping[str, str] = {
    "status": "/remote-control/vehicle/status/{}",
    "state": "/remote-control/vehicle/status/state/{}",
    "limit": "/remote-control/vehicle/status/soc/{}",
    "telematics": "/remote-control/vehicle/telematics/{}",
    "diagnostics": "/remote-control/vehicle/status/history/diagnostic/{}",
    "journal": "/geelyTCAccess/tcservices/vehicle/status/journalLogV4/{}",
    "distance": "/geelyTCAccess/tcservices/vehicle/status/getTotalDistanceByLabel/{}",
    "firmware": "/app/info/{}",
}
_WEIGHTS: Mapping[str, float] = {"status": 1, "state": 5, "limit": 12, "journal": 12} | dict.fromkeys(
    ("telematics", "diagnostics", "distance"), 48
)
_QUERIES: Mapping[str, str] = {  # encoded as they are signed and sent
    "status": "latest=True&target=basic%2Cmore&userId={}",
    "limit": "setting=charging",
}
_MAX_BODY_BYTES = 512 * 1024  # a journal holds the points of its trips
_NEEDED = ("app_id", "operator_code", "user_id", "device_id")


class SmartCloud(Cloud):
    """The cloud of one account. Raises `ConfigError` where a setting is missing, or `base_url` is no address."""

    queries = tuple(PATHS)

    def __init__(self, account: Smart, folder: Path) -> None:
        for key in _NEEDED:
            if not getattr(account, key):
                raise ConfigError(f"sources: {account.name}: {key}: requests need it: that of the app's session")
        self._account, self._name = account, account.name
        self._hosts, self._backoff = Hosts(account), Backoff()
        self._session = Session(account, folder, self._hosts, self._backoff)
        self.polls_all = account.vehicles == "all"
        self._series: dict[str, str] | None = None  # by car
        self._selected = ("", "")  # the car that requests are about, and the session in which it was selected
        self._granted: set[str] = set()  # cars whose journal was
        self._turn = asyncio.Lock()  # a session has one car at a time

    def schedule(self) -> tuple[Query, ...]:
        """The queries to poll regularly; none where the settings have no `[sources.poll]`."""
        return scheduled(self._account.poll, {**_WEIGHTS, "firmware": 288})

    async def list_vehicles(self, http: httpx.AsyncClient) -> tuple[str, ...]:
        """All cars of the account. Raises `Retry` and `LoginNeeded`."""
        async with self._turn:
            self._series = await self._list(http)
        return tuple(self._series)

    async def request(self, http: httpx.AsyncClient, query: str, vehicle: str) -> tuple[Envelope, PollOutcome]:
        """One answer, bytes untouched, and its outcome. Raises `Retry` and `LoginNeeded`.

        While a car charges with direct current, the measurements of that are beside its status, in one document.
        """
        async with self._turn:
            if self._series is None:
                self._series = await self._list(http)
            answer = await self._read(http, query, vehicle)
            if query == "firmware":
                return self._envelope(query, vehicle, answer.body), self._firmware_outcome(answer)
            outcome, body = outcome_of(self._name, answer, self._backoff), answer.body
            if query == "status" and outcome == "ok" and is_fast_charging(body):
                body = await self._with_direct_current(http, vehicle, body)
        return self._envelope(query, vehicle, body), outcome

    async def check_login(self, http: httpx.AsyncClient) -> LoginCheck:
        """Request the list of cars and nothing else: no car is woken."""
        remedy = "check token, app_secret, app_id, operator_code, user_id and device_id"

        async def request() -> Answer:
            async with self._turn:
                answer = await self._cars(http)
            raise_for_refusal(self._name, answer, self._backoff)
            return answer

        return await check_by(self._hosts.first, self._name, request, remedy)

    # ---- one answer ------------------------------------------------------------------------------------------------

    async def _read(self, http: httpx.AsyncClient, query: str, vehicle: str) -> Answer:
        """The answer, tried again where the session had ended, or had forgotten which car it is about."""
        token = await self._session.access_token(http)
        answer = await self._attempt(http, query, vehicle, token)
        if is_expired(answer):
            token = await self._session.access_token(http, refused=token)
            return await self._attempt(http, query, vehicle, token)
        if code_of(answer) == UNSELECTED:
            self._selected = ("", "")
            return await self._attempt(http, query, vehicle, token)
        return answer

    async def _attempt(self, http: httpx.AsyncClient, query: str, vehicle: str, token: str) -> Answer:
        if query == "firmware":
            return await self._firmware(http, vehicle, token)
        if self._selected != (vehicle, token):
            chosen = {"vin": vehicle, "sessionToken": token, "language": ""}
            answer = await self._post(http, SELECT, vehicle, token, chosen)
            if code_of(answer) != OK:
                return answer
            self._selected = (vehicle, token)
        if query == "journal" and self._session.is_renewable and vehicle not in self._granted:
            self._granted.add(vehicle)  # first: the grant ends the session, and is for once
            grant = {"serviceCode": "travelLogBusiCode", "authStatus": 1, "vin": vehicle}
            await self._post(http, GRANT, vehicle, token, grant)
        return await self._get(http, query, vehicle, token)

    async def _get(self, http: httpx.AsyncClient, query: str, vehicle: str, token: str) -> Answer:
        path = PATHS[query].format(quote(vehicle, safe=""))
        parameters = _QUERIES.get(query, "").format(quote(self._account.user_id, safe=""))
        return await self._exchange(http, "GET", self._host(vehicle), path, parameters, token)

    async def _post(self, http: httpx.AsyncClient, path: str, vehicle: str, token: str, content: Any) -> Answer:
        body = json.dumps(content).encode()
        return await self._exchange(http, "POST", self._host(vehicle), path, "", token, body)

    def _host(self, vehicle: str) -> str:
        return self._hosts.of_car((self._series or {}).get(vehicle, ""))

    async def _exchange(
        self, http: httpx.AsyncClient, method: str, host: str, path: str, query: str, token: str, body: bytes = b""
    ) -> Answer:
        headers = {**signed_headers(self._account, method, path, query, body), "authorization": token}
        url = f"{host}{path}?{query}" if query else f"{host}{path}"
        content = body or None  # the very bytes that were signed
        return await exchange(
            http, self._name, method, url, headers=headers, content=content, max_bytes=_MAX_BODY_BYTES
        )

    async def _with_direct_current(self, http: httpx.AsyncClient, vehicle: str, status: bytes) -> bytes:
        """The status, and beside it the measurements of direct current where they can be had."""
        try:
            token = await self._session.access_token(http)
            path = DIRECT_CURRENT.format(quote(vehicle, safe=""))
            answer = await self._exchange(http, "GET", self._host(vehicle), path, "", token)
        except Retry:
            return status
        good = answer.status == 200 and code_of(answer) == OK
        return b'{"answers":[' + status + b"," + answer.body + b"]}" if good else status

    async def _firmware(self, http: httpx.AsyncClient, vehicle: str, token: str) -> Answer:
        headers = {"id-token": self._account.device_id, "access_token": token, "content-type": "application/json"}
        path = PATHS["firmware"].format(quote(vehicle, safe=""))
        return await exchange(http, self._name, "GET", self._hosts.firmware + path, headers=headers)

    def _firmware_outcome(self, answer: Answer) -> PollOutcome:
        """The outcome of an answer that has no code; 403 is that of regions without this host."""
        if answer.status in (403, 404):
            return "unsupported"
        raise_for_refusal(self._name, answer, self._backoff)
        return "ok" if b'"currentVersion"' in answer.body else "unreadable"

    def _envelope(self, query: str, vehicle: str, body: bytes) -> Envelope:
        tenfold = query == "status" and is_tenfold((self._series or {}).get(vehicle, ""))
        path = "status-5" if tenfold else query
        return Envelope(self._name, path, time.time_ns() // 1_000_000, "poll", body, vehicle)

    # ---- the list of cars ------------------------------------------------------------------------------------------

    async def _list(self, http: httpx.AsyncClient) -> dict[str, str]:
        """The series of each car, by its VIN, which has capital letters. Raises `Retry` and `LoginNeeded`."""
        answer = await self._cars(http)
        raise_for_refusal(self._name, answer, self._backoff)
        try:
            cars = msgspec.json.decode(answer.body)["data"]["list"]
            return {str(car["vin"]).upper(): str(car.get("seriesCodeVs") or car.get("matCode") or "") for car in cars}
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError, TypeError, AttributeError) as error:
            raise Retry(f"{self._name}: the cloud's list of cars cannot be read: {error!r}", after=60) from error

    async def _cars(self, http: httpx.AsyncClient) -> Answer:
        query = f"needSharedCar=1&userId={quote(self._account.user_id, safe='')}"
        token = await self._session.access_token(http)
        answer = await self._exchange(http, "GET", self._hosts.first, CARS, query, token)
        if is_expired(answer):
            token = await self._session.access_token(http, refused=token)
            answer = await self._exchange(http, "GET", self._hosts.first, CARS, query, token)
        return answer
