"""Smartcar: the requests of its cloud (smartcar.com/docs). All of them read; what controls a car has no line here."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from logger.envelope import Envelope
from logger.errors import ConfigError, LoginNeeded
from logger.settings.schema import Smartcar
from logger.sources.contract import Cloud, PollOutcome, Query
from logger.sources.http import Answer, exchange, raise_for_later
from logger.sources.login_check import LoginCheck, check_by
from logger.sources.schedules import scheduled
from logger.sources.smartcar.bucket import Bucket
from logger.sources.smartcar.errors import outcome_of, outcome_of_items
from logger.sources.smartcar.hosts import Hosts
from logger.sources.smartcar.pages import connected_vehicles, page_count, wrapped
from logger.sources.smartcar.tokens import MachineSession, UserSession

MAX_BODY_BYTES = 1024 * 1024  # all signals of a car, with those that it lacks
WHOLE_S = 310.0  # the vendor waits 300 s for a car, and its own client 310 s
PERMISSIONS: Mapping[str, str] = {
    "/battery": "read_battery",
    "/battery/nominal_capacity": "read_battery",
    "/charge": "read_charge",
    "/charge/limit": "read_charge",
    "/odometer": "read_odometer",
    "/location": "read_location",
    "/security": "read_security",
    "/tires/pressure": "read_tires",
    "/diagnostics/system_status": "read_diagnostics",
    "/diagnostics/dtcs": "read_diagnostics",
}
PATHS: Mapping[str, tuple[str, ...]] = {
    "state": ("/battery", "/charge", "/odometer", "/location"),
    "details": tuple(path for path in PERMISSIONS if path not in ("/battery", "/charge", "/odometer", "/location")),
}
_WEIGHTS: Mapping[str, float] = {"state": 1, "details": 24, "signals": 1}
_SPARE = 0.1  # of the plan, never spent
_PERMISSIONS_S = 86_400.0  # permissions are requested again after so long
_MOST_PAGES, _PAGE = 50, 50
_HEADERS = ("sc-data-age", "sc-fetched-at", "sc-unit-system", "sc-request-id")


class SmartcarCloud(Cloud):
    """The cloud of one account; `clock` gives monotonic seconds. Raises `ConfigError` where a setting is missing."""

    def __init__(self, account: Smartcar, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        for key in ("client_id", "client_secret", *(("user_id",) if account.api == "v3" else ())):
            if not getattr(account, key):
                raise ConfigError(f"sources: {account.name}: {key}: polls need it; name a file as `{key}_file`")
        self._account, self._name, self._clock = account, account.name, clock
        self._hosts, self._bucket = Hosts(account), Bucket(clock())
        self._session = MachineSession(account) if account.api == "v3" else UserSession(account, folder)
        self.queries = ("signals",) if account.api == "v3" else tuple(PATHS)
        self.costs = {name: len(paths) for name, paths in PATHS.items()}
        self.calls_per_vehicle = int(account.calls_per_vehicle * (1 - _SPARE))
        self.polls_all = account.vehicles == "all"
        self._granted: dict[str, tuple[float, frozenset[str]]] = {}  # when they were requested, by vehicle

    def schedule(self) -> tuple[Query, ...]:
        """The queries to poll regularly; none where the settings have no `[sources.poll]`."""
        return scheduled(self._account.poll, {name: _WEIGHTS[name] for name in self.queries})

    async def request(self, http: httpx.AsyncClient, query: str, vehicle: str) -> tuple[Envelope, PollOutcome]:
        """One answer, and its outcome. Raises `Retry` and `LoginNeeded`.

        A single answer is wrapped in the form of a batch, since the vendor puts its moment into headers.
        """
        if query == "signals":
            return await self._signals(http, vehicle)
        paths = await self._paths(http, query, vehicle)
        self._bucket.take(self._name, len(paths), self._clock())
        if len(paths) == 1:
            return await self._single(http, query, vehicle, paths[0])
        answer = await self._send(http, "POST", f"{self._vehicle(vehicle)}/batch", json=_batch(paths))
        outcome = outcome_of(self._name, answer)
        if outcome == "ok":
            codes = _codes(answer.body)
            outcome = "unreadable" if codes is None else outcome_of_items(codes)
        return self._envelope(query, vehicle, answer.body), outcome

    async def list_vehicles(self, http: httpx.AsyncClient) -> tuple[str, ...]:
        """All vehicles whose owners consented. Raises `Retry` and `LoginNeeded`."""
        found: list[str] = []
        url = f"{self._hosts.v3}/connections" if self._account.api == "v3" else f"{self._hosts.v2}/vehicles"
        for page in range(_MOST_PAGES):
            self._bucket.take(self._name, 1, self._clock())
            where = {"page": page + 1} if self._account.api == "v3" else {"limit": _PAGE, "offset": page * _PAGE}
            answer = await self._send(http, "GET", url, params=where)
            raise_for_later(self._name, answer)
            vehicles = connected_vehicles(self._name, answer.body)
            found += vehicles
            if len(vehicles) < _PAGE:
                break
        return tuple(dict.fromkeys(found))

    async def subscribe(self, http: httpx.AsyncClient, vehicle: str) -> bool:
        """Subscribe a vehicle to the webhook of the settings; return whether it is. Raises `Retry`, `LoginNeeded`."""
        webhook, user = self._account.webhook_id, self._account.user_id
        if self._account.api == "v3":
            wish = {"data": {"attributes": {"webhookId": webhook, "userId": user, "vehicleId": vehicle}}}
            answer = await self._send(http, "POST", self._hosts.subscriptions, json=wish)
            return answer.status in (202, 409)  # it is under way, or was there already
        answer = await self._send(http, "POST", f"{self._vehicle(vehicle)}/webhooks/{quote(webhook, safe='')}")
        return answer.status in (200, 201, 204)

    async def check_login(self, http: httpx.AsyncClient) -> LoginCheck:
        """Request the list of vehicles and nothing else: no vehicle is woken."""
        path = f"{self._hosts.v3}/connections" if self._account.api == "v3" else f"{self._hosts.v2}/vehicles"
        advice = f"run `voltrail login {self._name}`, or check client_id and secret"
        return await check_by(path.rpartition("/v")[0], self._name, lambda: self._send(http, "GET", path), advice)

    # ---- one vehicle -------------------------------------------------------------------------------------------------

    async def _paths(self, http: httpx.AsyncClient, query: str, vehicle: str) -> Sequence[str]:
        """The paths of this query that the owner permits; all of them where that is not known."""
        granted_at, granted = self._granted.get(vehicle, (0.0, frozenset[str]()))
        if not granted or self._clock() >= granted_at + _PERMISSIONS_S:
            granted = await self._permissions(http, vehicle)
            self._granted[vehicle] = (self._clock(), granted)
        return [path for path in PATHS[query] if PERMISSIONS[path] in granted] or PATHS[query]

    async def _permissions(self, http: httpx.AsyncClient, vehicle: str) -> frozenset[str]:
        self._bucket.take(self._name, 1, self._clock())
        answer = await self._send(http, "GET", f"{self._vehicle(vehicle)}/permissions")
        try:
            found = msgspec.json.decode(answer.body)["permissions"] if answer.status == 200 else []
            return frozenset(str(each) for each in found)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError, TypeError):
            return frozenset()

    async def _single(
        self, http: httpx.AsyncClient, query: str, vehicle: str, path: str
    ) -> tuple[Envelope, PollOutcome]:
        answer = await self._send(http, "GET", self._vehicle(vehicle) + path, keep=_HEADERS)
        outcome = outcome_of(self._name, answer)
        return self._envelope(query, vehicle, wrapped(path, answer)), outcome

    async def _signals(self, http: httpx.AsyncClient, vehicle: str) -> tuple[Envelope, PollOutcome]:
        url, bodies = f"{self._hosts.v3}/vehicles/{quote(vehicle, safe='')}/signals", list[bytes]()
        pages = 1
        while len(bodies) < pages:
            self._bucket.take(self._name, 1, self._clock())
            params = {"page": len(bodies) + 1} if bodies else {}
            answer = await self._send(http, "GET", url, params=params)
            outcome = outcome_of(self._name, answer)
            bodies.append(answer.body)
            if outcome != "ok":
                break
            pages = min(_MOST_PAGES, page_count(answer.body))
            outcome = "ok" if pages else "unreadable"
        body = bodies[0] if len(bodies) == 1 else b'{"pages":[' + b",".join(bodies) + b"]}"
        return self._envelope("signals", vehicle, body), outcome

    def _envelope(self, query: str, vehicle: str, body: bytes) -> Envelope:
        return Envelope(self._name, query, time.time_ns() // 1_000_000, "poll", body, vehicle)

    def _vehicle(self, vehicle: str) -> str:
        return f"{self._hosts.v2}/vehicles/{quote(vehicle, safe='')}"

    async def _send(self, http: httpx.AsyncClient, method: str, url: str, **options: Any) -> Answer:
        """The answer to this request, with a fresh token where the cloud refuses the first. Raises `LoginNeeded`."""
        token = await self._session.access_token(http)
        answer = await self._exchange(http, method, url, token, options)
        if answer.status == 401:
            token = await self._session.access_token(http, refused=token)
            answer = await self._exchange(http, method, url, token, options)
        if answer.status == 401:
            raise LoginNeeded(f"{self._name}: the cloud refuses a fresh token: is the account still active?")
        return answer

    async def _exchange(
        self, http: httpx.AsyncClient, method: str, url: str, token: str, options: Mapping[str, Any]
    ) -> Answer:
        headers = {"Authorization": f"Bearer {token}"}
        headers |= {"sc-user-id": self._account.user_id} if self._account.api == "v3" else {"sc-unit-system": "metric"}
        return await exchange(
            http, self._name, method, url, whole_s=WHOLE_S, max_bytes=MAX_BODY_BYTES, headers=headers, **options
        )


def _batch(paths: Sequence[str]) -> dict[str, list[dict[str, str]]]:
    return {"requests": [{"path": path} for path in paths]}


def _codes(body: bytes) -> list[Any] | None:
    """The code of each answer of a batch; None where this is no batch."""
    try:
        responses = msgspec.json.decode(body)["responses"]
        return [each.get("code") for each in responses]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError, TypeError, AttributeError):
        return None
