"""A simulated Segway cloud: the token and the four queries over HTTP, with the vendor's words, codes and moods.

There is nothing in it that controls a vehicle and no key of a lock: such calls are counted as forbidden and get 404.

    python -m logger.simulator.cloud.cloud --vehicles 3 --days 7 --speed 600

serves a fleet in a process of its own and prints where; `GET /simulator/calls` tells what was asked.
"""

import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from email.utils import formatdate
from random import Random
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from logger.simulator.cloud.mishaps import Mishap, Reply, Schedule, spoilt
from logger.simulator.vehicle import speech
from logger.simulator.vehicle.moped import Moped
from logger.simulator.vehicle.physics import Scooter

TOKEN = "/oauth/token"
QUERIES: Mapping[str, str] = {
    "/api/v2/vehicle/query/current/status": "status",
    "/api/v2/mopeds/query/current/extra-status": "extra-status",
    "/api/v2/vehicle/query/current/location": "location",
    "/api/v2/mopeds/query/current/battery-info": "battery-info",
}
CALLS = "/simulator/calls"
OVERLAP_S, EXPIRES_S = 300.0, 43_199
OK, SERVER, PARAMETER, BAD_TOKEN, UNKNOWN, OFFLINE, NO_LOCATION = 0, 15001, 15004, 15101, 15102, 15301, 15400
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
        """Without the query."""
        return urlsplit(self.target).path

    @property
    def words(self) -> dict[str, str]:
        """Of the query."""
        return dict(parse_qsl(urlsplit(self.target).query))


class Tokens:
    """Who may ask: a new token leaves the old one valid for another 300 s."""

    def __init__(self, client_id: str, secret: str, clock: Callable[[], float], expires_s: int) -> None:
        self._form = {"client_id": client_id, "client_secret": secret, "grant_type": "client_credentials"}
        self._clock, self._expires_s = clock, expires_s
        self._ends: dict[str, float] = {}

    def issue(self, body: bytes) -> Reply:
        """A new token for who knows the secret, from the form alone."""
        if dict(parse_qsl(body.decode("latin-1"))) != self._form:
            wrong = {"error": "invalid_client", "error_description": "Bad client credentials"}
            return Reply(401, msgspec.json.encode(wrong), _JSON)
        now = self._clock()
        self._ends = {token: min(end, now + OVERLAP_S) for token, end in self._ends.items() if end > now}
        token = secrets.token_hex(16)
        self._ends[token] = now + self._expires_s
        told = {"access_token": token, "token_type": "bearer", "expires_in": self._expires_s, "scope": "all"}
        return Reply(200, msgspec.json.encode(told), _JSON)

    def admits(self, header: str) -> bool:
        """Whether this `Authorization` is worth something now."""
        kind, _, token = header.partition(" ")
        return kind.lower() == "bearer" and self._ends.get(token, 0.0) > self._clock()


class Cloud:
    """What the vendor's side knows of a fleet. `answer` is all that a server needs.

    `now` is the simulated moment [epoch s], `clock` that of its `Date` and its tokens: callers go by the real one.
    `calls` counts by (last word of the path, vehicle), mishaps included.
    """

    def __init__(
        self,
        scooters: Sequence[Scooter],
        now: Callable[[], float],
        client_id: str,
        secret: str,
        *,
        mishaps: Sequence[Mishap] = (),
        latency_s: float = 0.0,
        seed: int = 0,
        clock: Callable[[], float] = time.time,
        expires_s: int = EXPIRES_S,
    ) -> None:
        self._scooters = {scooter.vehicle: scooter for scooter in scooters}
        self._now, self._clock, self._latency_s = now, clock, latency_s
        self._tokens = Tokens(client_id, secret, clock, expires_s)
        self._schedule = Schedule(tuple(mishaps), seed)
        self._chance = Random(f"{seed} cloud")
        self.calls: Counter[tuple[str, str]] = Counter()
        self.forbidden: Counter[str] = Counter()

    def answer(self, request: Request) -> Reply:
        """What this call gets, mishap, latency and the cloud's clock included."""
        reply = self._reply(request)
        date = {"Date": formatdate(self._clock(), usegmt=True)}
        return msgspec.structs.replace(reply, headers={**reply.headers, **date})

    def _reply(self, request: Request) -> Reply:
        path, word = request.path, "token" if request.path == TOKEN else QUERIES.get(request.path)
        if path == CALLS:
            told = [[*key, count] for key, count in sorted(self.calls.items())]
            return Reply(200, msgspec.json.encode({"calls": told, "forbidden": self.forbidden}), _JSON)
        if word is None or request.method != ("POST" if word == "token" else "GET"):
            if any(each in path.split("/") for each in _FORBIDDEN):
                self.forbidden[path] += 1
            return Reply(404, b'{"error":"Not Found"}', _JSON)
        vehicle = request.words.get("iotCode", "")
        self.calls[word, vehicle] += 1
        mishap = self._schedule.next(word, vehicle, self._now())
        asked = self._other(vehicle) if mishap and mishap.kind == "stranger" else vehicle
        reply = self._tokens.issue(request.body) if word == "token" else self._query(word, asked, request)
        delayed = msgspec.structs.replace(reply, delay_s=self._delay_s())
        return spoilt(mishap, delayed) if mishap else delayed

    def _delay_s(self) -> float:
        return self._latency_s * self._chance.lognormvariate(0, 0.5) if self._latency_s else 0.0

    def _other(self, vehicle: str) -> str:
        return next((each for each in self._scooters if each != vehicle), vehicle)

    def _query(self, word: str, vehicle: str, request: Request) -> Reply:
        at = self._now()  # all of an answer is of this moment, however long the vehicle takes to live until then
        if not self._tokens.admits(request.headers.get("authorization", "")):
            return self._envelope(at, BAD_TOKEN, "token invalid", None)
        if not vehicle:
            return self._envelope(at, PARAMETER, "iotCode is required", None)
        scooter = self._scooters.get(vehicle)
        if scooter is None:
            return self._envelope(at, UNKNOWN, "device does not exist", None)
        scooter.advance(at)
        return self._told(at, word, scooter.moped, request.words.get("realTimeLocation") == "true")

    def _told(self, at: float, word: str, moped: Moped, fresh: bool) -> Reply:
        """Status and location are what the cloud last heard; all else asks the vehicle, which must be in reach."""
        if word == "status":
            data = {"iotCode": moped.vehicle, **speech.status_answer(moped.told["status"])}
            return self._envelope(at, OK, "Success", {**data, "online": moped.online})
        if (word != "location" or fresh) and not moped.online:
            return self._envelope(at, OFFLINE, "device offline", None)
        if word == "location":
            return self._location(at, moped, fresh)
        if word == "battery-info":
            return self._envelope(at, OK, "success", speech.battery_answer(moped), moped.traits.trace_name)
        return self._envelope(at, OK, "Success", speech.extra_answer(moped))

    def _location(self, at: float, moped: Moped, fresh: bool) -> Reply:
        told = speech.location(moped.peek(self._chance)) if fresh else moped.told["location"]
        if told["locationStatus"] != "valid":
            return self._envelope(at, NO_LOCATION, "no latest location", None)
        return self._envelope(at, OK, "Success", speech.location_answer(told, moped.traits.numbers_as_text))

    def _envelope(self, at: float, code: int, text: str, data: object, trace: str = "opId") -> Reply:
        identity = f"{self._chance.getrandbits(64):016x}"
        told: dict[str, Any] = {"code": code, "msg": text, "data": data, "t": int(at * 1000), trace: identity}
        return Reply(200, msgspec.json.encode(told), _JSON)


def main() -> None:
    """Serve a fleet until a signal says that it is enough."""
    from logger.simulator.cloud.serving import serve_fleet

    serve_fleet()


if __name__ == "__main__":
    main()
