"""Segway "API of Gateway": the queries, asked of the vendor's cloud. Protocol, units and traps: `segway.md` beside it.

Only four queries exist here. The key of a vehicle's bluetooth and everything that controls a vehicle are none of a
logger's business: they have no line in this module, and a test sees to it.
"""

import asyncio
import re
import time
from collections.abc import Callable, Mapping

import httpx
import msgspec

from logger.config import Model
from logger.config import Segway as Account
from logger.errors import LoggerError, LoginNeeded, Retry
from logger.fields import Field, Rows, Shape
from logger.model import Envelope
from logger.planner import STATES, Meaning, Question, State
from logger.sources import wire
from logger.sources.greeting import Greeting
from logger.sources.segway import speaks_of, status_fields
from logger.sources.segway_login import Grant, Login

QUERIES: Mapping[str, str] = {
    "status-query": "/api/v2/vehicle/query/current/status",
    "location-query": "/api/v2/vehicle/query/current/location",
    "extra-status": "/api/v2/mopeds/query/current/extra-status",
    "battery-info": "/api/v2/mopeds/query/current/battery-info",
}

LOGIN, PERMANENT, DEVICE, AGAIN = "login", "permanent", "device", "again"
CODES: Mapping[int, str] = {
    # What each error code asks of a logger (E.2). Those of lock, unlock and rental answer commands that are never
    # sent from here; whatever they said, they spoke of the state of the device.
    15101: LOGIN,
    **dict.fromkeys((15004, 15100, 15102, 15707, 15990), PERMANENT),
    **dict.fromkeys((15300, 15301, 15302, 15303, 15400, 15500), DEVICE),
    **dict.fromkeys((*range(15600, 15604), *range(15611, 15614), *range(15620, 15626), *range(15627, 15636)), DEVICE),
    **dict.fromkeys((15638, 15996, 15997), DEVICE),
    15001: AGAIN,
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

    def questions(self) -> tuple[Question, ...]:
        """What to ask, how often in which state, and which push spares it; nothing where the settings say so."""
        poll = self._account.poll
        if poll is None:
            return ()
        every = {state: poll.every_s[state] for state in STATES if state in poll.every_s}
        return tuple(
            Question(query, {state: _WEIGHTS[query] * every[state] for state in every}, _SPARED_BY.get(query, ""))
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
        wire.raise_for_later(self.name, answer)
        meaning = _class(answer.body)
        if meaning == AGAIN:
            raise Retry(f"{self.name}: the cloud has a fault of its own (code 15001)", after=10)
        now_ms = time.time_ns() // 1_000_000
        return Envelope(self.name, query, now_ms, "poll", answer.body, vehicle), _MEANINGS[meaning]

    async def _asked(self, http: httpx.AsyncClient, query: str, vehicle: str, token: str) -> wire.Answer:
        headers = {"Authorization": f"bearer {token}"}
        url = self._login.base_url + QUERIES[query]
        return await wire.sent(http, self.name, "GET", url, params={"iotCode": vehicle}, headers=headers)

    async def hello(self, http: httpx.AsyncClient) -> Greeting:
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


def _refuses(answer: wire.Answer) -> bool:
    return answer.status == 401 or _class(answer.body) == LOGIN


# ---- what the answers say ------------------------------------------------------------------------------------------

_DEVICE_CODES = tuple(str(code) for code, meaning in CODES.items() if meaning == DEVICE)
_OFFLINE = {str(code): False for code in (15300, 15301, 15302, 15303)}  # the vehicle itself cannot be reached
_NO_LINK = Rows("status", "t", (Field(path="code", to="online", choices=_OFFLINE, lookup=True),), clock="server")
_FIX_TIME = "data.gpsUtcTime|data.gpsUTCTime"
_LOCATION = (
    Field(path="data.latitude", to="lat_deg", unit="deg"),
    Field(path="data.longitude", to="lon_deg", unit="deg"),
    Field(path="data.satelliteNumber", to="satellites"),
    Field(path="data.hdop", to="hdop"),
    Field(path="data.altitude", to="altitude_m", unit="m"),
)
_EXTRA = (
    Field(path="data.seatCaskHelmet", to="helmets_seat"),
    Field(path="data.tailboxHelmet", to="helmets_tailbox"),
    Field(path="data.peopleSat", to="occupied"),
    Field(path="data.cruiseStatus", to="cruise"),
    Field(path="data.saddleStatus", to="saddle_locked"),
    Field(path="data.tailboxStatus", to="tailbox_locked"),
    Field(path="data.handlebarStatus", to="handlebar_locked"),
    Field(path="data.kickstand", to="kickstand_open"),
)
_BATTERY = (
    Field(path="data.charging", to="bms_charging"),
    Field(path="data.vehiclePercent", to="bms_soc_pct", unit="%"),
    Field(path="data.batteryCount", to="pack_count"),
    Field(path="data.drivingVoltage", to="voltage_v", unit="V", doubtful=True),  # 80 with two packs of 48 V (no. 20)
    Field(path="data.currentPower", to="motor_power_w", unit="W"),  # the vendor does not say which way is positive
    Field(path="data.iotPercent", to="iot_soc_pct", unit="%"),
    Field(path="data.iotVoltage", to="iot_voltage_v", unit="0.01 V", scale=0.01),
)
_PACK = (
    Field(path="batteryPort", to="port"),
    Field(path="batteryPercent", to="pack_soc_pct", unit="%"),
    Field(path="batteryVoltage", to="pack_voltage_v", unit="V"),
    Field(path="cycleTimes", to="pack_cycles"),
    Field(path="temperatrue|temperature|temperatrue1", to="pack_c", unit="degC"),  # as the vendor spells it
)


def answer_shapes(model: Model) -> dict[str, Shape]:
    """What each answer says, by the name of its query. The fields of a status are those of the push, below `data`."""
    status = tuple(
        msgspec.structs.replace(field, path="|".join(f"data.{name}" for name in field.spellings))
        for field in status_fields(model)
    )
    return {
        "status-query": _answer(Rows("status", "data.statusUtcTime", status), _NO_LINK),
        "location-query": _answer(Rows("location", _FIX_TIME, _LOCATION), _NO_LINK),
        "extra-status": _answer(Rows("body", "t", _EXTRA, clock="server"), _NO_LINK),
        "battery-info": _answer(
            Rows("battery", "t", _BATTERY, clock="server"),
            Rows("pack", "t", _PACK, clock="server", each="data.batteryData"),
            _NO_LINK,
        ),
    }


def _answer(*rows: Rows) -> Shape:
    return Shape("data.iotCode", (("t",),), (), rows, identity="t", json=True, codes=("0", *_DEVICE_CODES))
