"""A simulated Segway cloud: the token and the four queries, with the vendor's names, codes and failures.

It cannot control a vehicle and has no key of a lock: such calls are counted as forbidden and get 404. The interval at
which a vehicle reports is the one setting that it takes.
`GET /simulator/calls` answers how often each query was called.
"""

import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from email.utils import formatdate
from random import Random
from urllib.parse import parse_qsl, urlsplit

import msgspec

from logger.simulator.cloud.failures import Failure, FailureSchedule, Reply, apply_failure
from logger.simulator.vehicle import messages
from logger.simulator.vehicle.fleet import Simulation
from logger.simulator.vehicle.moped import Moped

TOKEN = "/oauth/token"
QUERIES: Mapping[str, str] = {
    "/api/v2/vehicle/query/current/status": "status",
    "/api/v2/mopeds/query/current/extra-status": "extra-status",
    "/api/v2/vehicle/query/current/location": "location",
    "/api/v2/mopeds/query/current/battery-info": "battery-info",
}
CALLS = "/simulator/calls"
INTERVAL = "/api/v2/vehicle/setting/interval"  # the one setting that this cloud takes
OVERLAP_S, EXPIRES_S = 300.0, 43_199
OK, SERVER, PARAMETER, BAD_TOKEN, UNKNOWN, OFFLINE, NO_LOCATION = 0, 15001, 15004, 15101, 15102, 15301, 15400
UNSUPPORTED = 15707
_JSON = {"Content-Type": "application/json;charset=UTF-8"}
_FORBIDDEN = ("control", "setting", "bluetooth-key")


class Request(msgspec.Struct, frozen=True):
    """One call; names of headers are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        """The target without its parameters."""
        return urlsplit(self.target).path

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of the target."""
        return dict(parse_qsl(urlsplit(self.target).query))


class Tokens:
    """The valid tokens: a new token leaves the old one valid for another 300 s."""

    def __init__(self, client_id: str, secret: str, clock: Callable[[], float], expires_s: int) -> None:
        self._form = {"client_id": client_id, "client_secret": secret, "grant_type": "client_credentials"}
        self._clock, self._expires_s = clock, expires_s
        self._expires_at: dict[str, float] = {}

    def issue(self, body: bytes) -> Reply:
        """Return a new token if this form has the right secret, else 401."""
        if dict(parse_qsl(body.decode("latin-1"))) != self._form:
            error = {"error": "invalid_client", "error_description": "Bad client credentials"}
            return Reply(401, msgspec.json.encode(error), _JSON)
        now = self._clock()
        self._expires_at = {token: min(end, now + OVERLAP_S) for token, end in self._expires_at.items() if end > now}
        token = secrets.token_hex(16)
        self._expires_at[token] = now + self._expires_s
        answer = {"access_token": token, "token_type": "bearer", "expires_in": self._expires_s, "scope": "all"}
        return Reply(200, msgspec.json.encode(answer), _JSON)

    def accepts(self, header: str) -> bool:
        """Return whether this `Authorization` header has a valid token."""
        kind, _, token = header.partition(" ")
        return kind.lower() == "bearer" and self._expires_at.get(token, 0.0) > self._clock()


class Cloud:
    """A fleet as the vendor's cloud knows it. A server needs its `answer` only.

    `now` is the simulated moment [epoch s]; `clock` is for its `Date` header and its tokens, which collectors compare
    with the real time. `calls` counts by (last word of the path, vehicle), failures included.
    """

    def __init__(
        self,
        simulations: Sequence[Simulation],
        now: Callable[[], float],
        client_id: str,
        secret: str,
        *,
        failures: Sequence[Failure] = (),
        latency_s: float = 0.0,
        seed: int = 0,
        clock: Callable[[], float] = time.time,
        expires_s: int = EXPIRES_S,
    ) -> None:
        self._simulations = {simulation.vehicle: simulation for simulation in simulations}
        self._now, self._clock, self._latency_s = now, clock, latency_s
        self._tokens = Tokens(client_id, secret, clock, expires_s)
        self._schedule = FailureSchedule(tuple(failures), seed)
        self._chance = Random(f"{seed} cloud")
        self.calls: Counter[tuple[str, str]] = Counter()
        self.forbidden: Counter[str] = Counter()
        self.intervals: dict[str, dict[str, object]] = {}  # what was written, by vehicle
        self.without_interval: set[str] = set()  # vehicles that do not have that setting

    def answer(self, request: Request) -> Reply:
        """Return the answer to this call, with failure, latency and the cloud's clock."""
        reply = self._reply(request)
        date = {"Date": formatdate(self._clock(), usegmt=True)}
        return msgspec.structs.replace(reply, headers={**reply.headers, **date})

    def _reply(self, request: Request) -> Reply:
        if request.path == CALLS:
            return self._calls_reply()
        if (request.method, request.path) == ("POST", INTERVAL):
            return self._interval(request)
        word = "token" if request.path == TOKEN else QUERIES.get(request.path)
        if word is None or request.method != ("POST" if word == "token" else "GET"):
            return self._not_found(request.path)
        vehicle = request.parameters.get("iotCode", "")
        self.calls[word, vehicle] += 1
        failure = self._schedule.next(word, vehicle, self._now())
        if failure and failure.kind == "other_vehicle":
            vehicle = self._other_vehicle(vehicle)
        reply = self._tokens.issue(request.body) if word == "token" else self._query(word, vehicle, request)
        reply = msgspec.structs.replace(reply, delay_s=self._delay_s())
        return apply_failure(failure, reply) if failure else reply

    def _interval(self, request: Request) -> Reply:
        content = msgspec.json.decode(request.body)
        vehicle, at = content.pop("iotCode"), self._now()
        self.calls["interval", vehicle] += 1
        failure = self._schedule.next("interval", vehicle, at)
        if not self._tokens.accepts(request.headers.get("authorization", "")):
            reply = self._envelope(at, BAD_TOKEN, "token invalid", None)
        elif vehicle in self.without_interval:
            reply = self._envelope(at, UNSUPPORTED, "not supported", None)
        else:
            self.intervals[vehicle] = content
            reply = self._envelope(at, OK, "Success", None)
        return apply_failure(failure, reply) if failure else reply

    def _calls_reply(self) -> Reply:
        calls = [[*key, count] for key, count in sorted(self.calls.items())]
        return Reply(200, msgspec.json.encode({"calls": calls, "forbidden": self.forbidden}), _JSON)

    def _not_found(self, path: str) -> Reply:
        if any(each in path.split("/") for each in _FORBIDDEN):
            self.forbidden[path] += 1
        return Reply(404, b'{"error":"Not Found"}', _JSON)

    def _delay_s(self) -> float:
        return self._latency_s * self._chance.lognormvariate(0, 0.5) if self._latency_s else 0.0

    def _other_vehicle(self, vehicle: str) -> str:
        return next((each for each in self._simulations if each != vehicle), vehicle)

    def _query(self, word: str, vehicle: str, request: Request) -> Reply:
        at = self._now()  # the moment of the whole answer, however long it takes to simulate the vehicle until then
        if not self._tokens.accepts(request.headers.get("authorization", "")):
            return self._envelope(at, BAD_TOKEN, "token invalid", None)
        if not vehicle:
            return self._envelope(at, PARAMETER, "iotCode is required", None)
        simulation = self._simulations.get(vehicle)
        if simulation is None:
            return self._envelope(at, UNKNOWN, "device does not exist", None)
        simulation.advance(at)
        return self._query_moped(at, word, simulation.moped, request.parameters.get("realTimeLocation") == "true")

    def _query_moped(self, at: float, word: str, moped: Moped, real_time: bool) -> Reply:
        """Answer status and location from the last push received; other queries need the vehicle online."""
        if word == "status":
            data = {"iotCode": moped.vehicle, **messages.status_answer(moped.last_received["status"])}
            return self._envelope(at, OK, "Success", {**data, "online": moped.online})
        if (word != "location" or real_time) and not moped.online:
            return self._envelope(at, OFFLINE, "device offline", None)
        if word == "location":
            return self._location(at, moped, real_time)
        if word == "battery-info":
            return self._envelope(at, OK, "success", messages.battery_answer(moped), moped.specification.trace_field)
        return self._envelope(at, OK, "Success", messages.extra_status_answer(moped))

    def _location(self, at: float, moped: Moped, real_time: bool) -> Reply:
        location = moped.last_received["location"]
        if real_time:
            location = messages.location_push(moped.measure_position(self._chance))
        if location["locationStatus"] != "valid":
            return self._envelope(at, NO_LOCATION, "no latest location", None)
        data = messages.location_answer(location, moped.specification.gps_time_as_text)
        return self._envelope(at, OK, "Success", data)

    def _envelope(self, at: float, code: int, text: str, data: object, trace: str = "opId") -> Reply:
        identity = f"{self._chance.getrandbits(64):016x}"
        envelope = {"code": code, "msg": text, "data": data, "t": int(at * 1000), trace: identity}
        return Reply(200, msgspec.json.encode(envelope), _JSON)
