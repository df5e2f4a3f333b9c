"""The client of Segway's cloud against a simulated cloud over real HTTP: tokens, errors, and permitted queries only."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from logger.envelope import Envelope
from logger.errors import LoginNeeded, Retry
from logger.settings.schema import Segway as Account
from logger.simulator.cloud.cloud import Cloud
from logger.simulator.cloud.failures import Failure
from logger.simulator.cloud.serving import CloudServer
from logger.simulator.vehicle.environment import DAY_S
from logger.simulator.vehicle.fleet import fleet
from logger.sources.segway.api import QUERIES, SegwayCloud

START, CLIENT, SECRET, VEHICLE = 1_790_000_000, "A00000", "simulated-secret", "860000000000001"


class Clock:
    """A clock that a test sets, for the client and for the tokens of the cloud [s]."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


class Simulation:
    """A cloud, a client of it, and one clock for both."""

    def __init__(self, cloud: Cloud, client: SegwayCloud, clock: Clock) -> None:
        self.cloud, self.client, self.clock = cloud, client, clock

    def request(self, *queries: str, vehicle: str = VEHICLE) -> list[tuple[Envelope, str]]:
        """The answers to these queries, made at once, and their outcomes."""

        async def together() -> list[tuple[Envelope, str]]:
            async with httpx.AsyncClient() as http:
                return await asyncio.gather(*(self.client.request(http, query, vehicle) for query in queries))

        return asyncio.run(together())

    def calls(self, path: str) -> int:
        """The number of calls to this path."""
        return sum(count for (called, _), count in self.cloud.calls.items() if called == path)


@contextmanager
def simulate(*failures: Failure, secret: str = SECRET, **cloud: Any) -> Iterator[Simulation]:
    """A simulated cloud with these failures, and a client with this secret."""
    clock = Clock()
    simulated = Cloud(
        fleet(2, 7, START, 1), lambda: START + DAY_S / 2, CLIENT, SECRET, failures=failures, clock=clock, **cloud
    )
    with CloudServer(simulated) as server:
        account = Account("city", CLIENT, client_secret=secret, base_url=server.base_url, vehicles=(VEHICLE,))
        yield Simulation(simulated, SegwayCloud(account, clock), clock)


def test_the_answers_to_all_four_queries_are_kept_byte_for_byte() -> None:
    with simulate() as simulation:
        answers = simulation.request(*QUERIES)
        assert [envelope.path for envelope, _ in answers] == list(QUERIES)
        for envelope, outcome in answers:
            assert (envelope.source, envelope.via, envelope.vehicle) == ("city", "poll", VEHICLE)
            assert envelope.body.startswith(b'{"code":')
            assert outcome in ("ok", "unavailable")
        assert not simulation.cloud.forbidden


def test_many_queries_at_once_log_in_once() -> None:
    with simulate() as simulation:
        simulation.request(*[*QUERIES] * 5)
        assert simulation.calls("token") == 1


def test_a_token_is_renewed_before_it_expires() -> None:
    with simulate(expires_s=1000) as simulation:
        simulation.request("status-query")
        simulation.clock.at += 690
        simulation.request("status-query")
        assert simulation.calls("token") == 1
        simulation.clock.at += 20  # old and new overlap by 300 s: from 700 s on a new one is due
        simulation.request("status-query")
        assert simulation.calls("token") == 2


@pytest.mark.parametrize("failure", [Failure("http", "status", code=401), Failure("code", "status", code=15101)])
def test_a_refused_token_is_renewed_once_and_the_query_repeated(failure: Failure) -> None:
    with simulate(failure) as simulation:
        ((_, outcome),) = simulation.request("status-query")
        assert outcome == "ok"
        assert (simulation.calls("token"), simulation.calls("status")) == (2, 2)


def test_a_refused_fresh_token_needs_a_person() -> None:
    with simulate(Failure("code", "status", code=15101, count=0)) as simulation:
        with pytest.raises(LoginNeeded, match="refuses a fresh token"):
            simulation.request("status-query")
        assert simulation.calls("token") == 2


def test_a_wrong_secret_needs_a_person_and_says_what_to_check() -> None:
    with simulate(secret="not it") as simulation, pytest.raises(LoginNeeded, match="check client_id, secret"):
        simulation.request("status-query")


@pytest.mark.parametrize(
    ("failure", "after"),
    [
        (Failure("http", "status", code=429), None),
        (Failure("http", "status", code=500), 10.0),
        (Failure("http", "status", code=503), 10.0),
        (Failure("code", "status", code=15001), 10.0),
        (Failure("disconnect", "status"), 5.0),
        (Failure("truncate", "status"), 5.0),
        (Failure("http", "token", code=500), 10.0),
        (Failure("html", "token"), 30.0),
    ],
    ids=lambda each: f"{each.path} {each.kind} {each.code}" if isinstance(each, Failure) else "",
)
def test_a_temporary_failure_is_a_retry_with_its_wait(failure: Failure, after: float | None) -> None:
    with simulate(failure) as simulation:
        with pytest.raises(Retry) as raised:
            simulation.request("status-query")
        assert raised.value.after > 0
        assert after is None or raised.value.after == after
        ((_, outcome),) = simulation.request("status-query")
        assert outcome == "ok"


@pytest.mark.parametrize("code", [15300, 15301, 15302, 15303, 15400, 15500])
def test_an_answer_about_an_unreachable_device_is_stored(code: int) -> None:
    with simulate(Failure("code", "status", code=code)) as simulation:
        ((envelope, outcome),) = simulation.request("status-query")
        assert outcome == "unavailable"
        assert str(code).encode() in envelope.body


@pytest.mark.parametrize("code", [15004, 15100, 15102, 15707, 15990])
def test_a_permanent_error_code_is_unsupported(code: int) -> None:
    with simulate(Failure("code", "status", code=code)) as simulation:
        ((_, outcome),) = simulation.request("status-query")
        assert outcome == "unsupported"


@pytest.mark.parametrize("failure", [Failure("html", "status"), Failure("code", "status", code=77777)])
def test_an_answer_of_unknown_form_is_kept_as_it_is(failure: Failure) -> None:
    with simulate(failure) as simulation:
        ((envelope, outcome),) = simulation.request("status-query")
        assert outcome == "unreadable"
        assert envelope.body


def test_a_cloud_that_cannot_be_reached_is_a_retry() -> None:
    account = Account("city", CLIENT, client_secret=SECRET, base_url="http://127.0.0.1:1")

    async def request() -> None:
        async with httpx.AsyncClient() as http:
            await SegwayCloud(account).request(http, "status-query", VEHICLE)

    with pytest.raises(Retry, match="does not answer as it should"):
        asyncio.run(request())


def test_the_secret_is_in_no_error() -> None:
    with simulate(Failure("http", "token", code=500, count=0)) as simulation:
        with pytest.raises(Retry) as raised:
            simulation.request("status-query")
        assert SECRET not in str(raised.value)
