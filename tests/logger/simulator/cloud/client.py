"""A simulated cloud of four mopeds over real HTTP, and a client that calls it."""

import http.client
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from logger.simulator.cloud.cloud import QUERIES, TOKEN, Cloud
from logger.simulator.cloud.failures import Failure
from logger.simulator.cloud.serving import CloudServer
from logger.simulator.vehicle.environment import DAY_S
from logger.simulator.vehicle.fleet import Simulation, fleet
from logger.simulator.vehicle.moped import Moped

START, DAYS, SEED = 1_790_000_000, 3, 7
LOGIN = {"client_id": "A00000", "client_secret": "simulated-secret", "grant_type": "client_credentials"}
FIRST, TWO_PACKS = "860000000000001", "860000000000004"
PATHS = {word: path for path, word in QUERIES.items()}


class Clock:
    """A moment that a test sets."""

    def __init__(self, at: float) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


class Client:
    """A cloud and its client; `now` is the simulated moment, `clock` that of tokens."""

    def __init__(self, *failures: Failure, latency_s: float = 0.0) -> None:
        self.now, self.clock = Clock(START + DAY_S / 2), Clock(1000.0)
        login = (LOGIN["client_id"], LOGIN["client_secret"])
        self.cloud = Cloud(
            fleet(4, SEED, START, DAYS), self.now, *login, failures=failures, clock=self.clock, latency_s=latency_s
        )
        self.server = CloudServer(self.cloud)

    def __enter__(self) -> "Client":
        self.server.__enter__()
        self.connection = http.client.HTTPConnection(*self.server.address, timeout=5)
        self.bearer = self.token()
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()
        self.server.__exit__(None, None, None)

    def token(self) -> str:
        return str(json.loads(self.call("POST", TOKEN, urlencode(LOGIN))[1])["access_token"])

    def call(self, method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, bytes, Any]:
        """Return status, body and headers of the answer."""
        self.connection.request(method, path, body, headers)
        reply = self.connection.getresponse()
        return reply.status, reply.read(), reply.headers

    def query(self, word: str, vehicle: str = FIRST, bearer: str = "", **more: str) -> tuple[int, bytes, Any]:
        path = f"{PATHS[word]}?{urlencode({'iotCode': vehicle, **more})}"
        return self.call("GET", path, Authorization=f"bearer {bearer or self.bearer}")

    def envelope(self, word: str, vehicle: str = FIRST, bearer: str = "", **more: str) -> dict[str, Any]:
        """Return the decoded answer to a query."""
        status, body, _ = self.query(word, vehicle, bearer, **more)
        assert status == 200
        envelope: dict[str, Any] = json.loads(body)
        return envelope


def first_moment(condition: Callable[[Moped], bool], vehicle: int = 1) -> float:
    """Return the first moment at which this holds for a moped."""
    simulation = Simulation(vehicle, SEED, START, DAYS)
    for at in range(START, START + DAYS * DAY_S, 5):
        simulation.advance(at)
        if condition(simulation.moped):
            return at
    raise AssertionError("never")
