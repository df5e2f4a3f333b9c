"""SAIC: the requests of its cloud (SAIC-iSmart-API). All of them read; what controls a car has no line here.

A request wakes the car. So both documents of a car are requested one after the other, while it is awake, and never more
often than `wakes` allows.
"""

import asyncio
import hashlib
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import msgspec

from logger.envelope import Envelope as Message
from logger.errors import LoginNeeded, Retry
from logger.settings.schema import Saic, WakingPolling
from logger.sources.contract import Cloud, PollOutcome, Query, Rest
from logger.sources.http import Answer, raise_for_later
from logger.sources.login_check import LoginCheck, check_by
from logger.sources.saic.messages import glance
from logger.sources.saic.session import Session, read_envelope
from logger.sources.schedules import scheduled
from logger.sources.wakes import WakeLog, WakeRules

CARS = "/vehicle/list"
STATUS = "/vehicle/status?vin={}&vehStatusReqType=2"
CHARGING = "/vehicle/charging/mgmtData?vin={}"
_OUTCOMES: Mapping[str, PollOutcome] = dict.fromkeys(("2", "3", "7"), "unsupported")  # fatal, of this car
_MOST_TRIES, _PAUSE_S = 10, 3.0  # until the car has answered
_AUX = re.compile(rb'"batteryVoltage"\s*:\s*(\d+)')
_AUX_STEP_V, _MOST_AUX = 0.1, 65_534


class SaicCloud(Cloud):
    """The cloud of one account; `pause_s` is between two tries. Raises `ConfigError` where a setting is missing."""

    queries = ("car",)

    def __init__(self, account: Saic, folder: Path, pause_s: float = _PAUSE_S) -> None:
        self._account, self._name, self._pause_s = account, account.name, pause_s
        self._session = Session(account, folder)
        every_s = (account.poll or WakingPolling()).every_s
        self._wakes = WakeLog(folder, account.name, WakeRules(every_s, least_voltage_v=account.least_voltage_v))
        self.polls_all = account.vehicles == "all"

    def schedule(self) -> tuple[Query, ...]:
        """The query to poll regularly; none where the settings have no `[sources.poll]`."""
        return scheduled(self._account.poll, {"car": 1})

    def rest(self, vehicle: str, *, by_hand: bool = False) -> Rest | None:
        """Why this car is to be left alone now."""
        return self._wakes.rest(vehicle, by_hand=by_hand)

    async def list_vehicles(self, http: httpx.AsyncClient) -> tuple[str, ...]:
        """The cars of the account; no car is woken. Raises `Retry` and `LoginNeeded`."""
        answer = await self._session.get(http, CARS)
        raise_for_later(self._name, answer)
        try:
            return _cars(msgspec.json.decode(answer.body))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Retry(f"{self._name}: the cloud's list of cars cannot be read: {error}", after=60) from error

    async def request(self, http: httpx.AsyncClient, query: str, vehicle: str) -> tuple[Message, PollOutcome]:
        """Status and charging data of a car as one document, and the outcome.

        Raises `Retry`, also where the car must not be woken yet, and `LoginNeeded`.
        """
        await self._session.access_token(http)  # first: a login that fails wakes nobody
        self._wakes.begin(vehicle)
        answer = await self._wait_for(http, STATUS, vehicle)
        outcome = _outcome(answer)
        if outcome == "unreadable":
            return self._message(query, vehicle, answer.body), outcome
        charging = await self._charging(http, vehicle) if outcome == "ok" else None
        body = _document(answer, charging)
        message = self._message(query, vehicle, body)
        self._wakes.record(vehicle, glance(message).state or "parked", _aux_voltage_v(body))
        return message, outcome

    async def check_login(self, http: httpx.AsyncClient) -> LoginCheck:
        """Log in and request the list of cars: no car is woken."""
        remedy = "check user, password, client_id, client_secret and region"
        return await check_by(self._session.base_url, self._name, lambda: self._session.get(http, CARS), remedy)

    # ---- one answer ------------------------------------------------------------------------------------------------

    async def _wait_for(self, http: httpx.AsyncClient, path: str, vehicle: str) -> Answer:
        """The answer of a car, asked for again under its event's number until it is there, or the car stays silent."""
        target, event = path.format(hashlib.sha256(vehicle.encode()).hexdigest()), "0"
        for tries in range(_MOST_TRIES):
            answer = await self._session.get(http, target, event)
            raise_for_later(self._name, answer)
            event = answer.kept.get("event-id", "")
            if not event or read_envelope(answer).has_data or tries == _MOST_TRIES - 1:
                break
            await asyncio.sleep(self._pause_s)
        return answer

    async def _charging(self, http: httpx.AsyncClient, vehicle: str) -> Answer | None:
        """The charging data; None where only they cannot be had: the car was woken for its status already."""
        try:
            answer = await self._wait_for(http, CHARGING, vehicle)
        except (Retry, LoginNeeded):
            return None
        return None if _outcome(answer) == "unreadable" else answer

    def _message(self, query: str, vehicle: str, body: bytes) -> Message:
        return Message(self._name, query, time.time_ns() // 1_000_000, "poll", body, vehicle)


def _document(status: Answer, charging: Answer | None) -> bytes:
    """Both documents as they came, and when the server sent the second one [epoch ms], which holds no time."""
    sent = (charging or status).kept.get("APP-SEND-DATE", "")
    at_ms = int(sent) if sent.isascii() and sent.isdigit() else time.time_ns() // 1_000_000
    return b'{"at":%d,"status":%s,"charging":%s}' % (at_ms, status.body, charging.body if charging else b"null")


def _outcome(answer: Answer) -> PollOutcome:
    found = read_envelope(answer)
    code = str(found.code)
    if code == "0":
        return "ok" if found.has_data else "unavailable"
    return _OUTCOMES.get(code, "unavailable") if code else "unreadable"


def _aux_voltage_v(body: bytes) -> float | None:
    found = _AUX.search(body)
    raw = int(found[1]) if found else 0
    return round(_AUX_STEP_V * raw, 1) if 1 <= raw <= _MOST_AUX else None


def _cars(document: Any) -> tuple[str, ...]:
    """The numbers of cars in a list, which may have any name; a VIN has capital letters."""
    data = document.get("data") if isinstance(document, dict) else None
    lists = [data, *(data.values() if isinstance(data, dict) else ())]
    found = (car.get("vin") for each in lists if isinstance(each, list) for car in each if isinstance(car, dict))
    return tuple(dict.fromkeys(vin.upper() for vin in found if isinstance(vin, str) and vin))
