"""The client against a simulated cloud over real HTTP: tokens, moods, and nothing asked that a logger must not ask."""

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
    """A moment that a test sets, for the client and the tokens of the cloud alike."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


class Simulated:
    """A cloud, a client of it, and one clock for both."""

    def __init__(self, cloud: Cloud, client: SegwayCloud, clock: Clock) -> None:
        self.cloud, self.client, self.clock = cloud, client, clock

    def ask(self, *queries: str, vehicle: str = VEHICLE) -> list[tuple[Envelope, str]]:
        """Ask all of these at once."""

        async def together() -> list[tuple[Envelope, str]]:
            async with httpx.AsyncClient() as http:
                return await asyncio.gather(*(self.client.request(http, query, vehicle) for query in queries))

        return asyncio.run(together())

    def calls(self, word: str) -> int:
        return sum(count for (path, _), count in self.cloud.calls.items() if path == word)


@contextmanager
def simulated(*mishaps: Failure, secret: str = SECRET, **cloud: Any) -> Iterator[Simulated]:
    clock = Clock()
    served = Cloud(
        fleet(2, 7, START, 1), lambda: START + DAY_S / 2, CLIENT, SECRET, failures=mishaps, clock=clock, **cloud
    )
    with CloudServer(served) as serving:
        account = Account("city", CLIENT, client_secret=secret, base_url=serving.base_url, vehicles=(VEHICLE,))
        yield Simulated(served, SegwayCloud(account, clock), clock)


def test_all_four_queries_are_answered_and_wrapped_bytes_untouched() -> None:
    with simulated() as here:
        answers = here.ask(*QUERIES)
        assert [envelope.path for envelope, _ in answers] == list(QUERIES)
        for envelope, meaning in answers:
            assert (envelope.source, envelope.via, envelope.vehicle) == ("city", "poll", VEHICLE)
            assert envelope.body.startswith(b'{"code":')
            assert meaning in ("ok", "unavailable")
        assert not here.cloud.forbidden


def test_many_questions_at_once_log_in_once() -> None:
    with simulated() as here:
        here.ask(*[*QUERIES] * 5)
        assert here.calls("token") == 1


def test_a_token_is_renewed_ahead_of_its_end() -> None:
    with simulated(expires_s=1000) as here:
        here.ask("status-query")
        here.clock.at += 690
        here.ask("status-query")
        assert here.calls("token") == 1
        here.clock.at += 20  # old and new overlap by 300 s: from 700 s on a new one is due
        here.ask("status-query")
        assert here.calls("token") == 2


@pytest.mark.parametrize("mishap", [Failure("http", "status", code=401), Failure("code", "status", code=15101)])
def test_a_token_that_is_refused_is_renewed_once_and_the_question_asked_again(mishap: Failure) -> None:
    with simulated(mishap) as here:
        ((_, meaning),) = here.ask("status-query")
        assert meaning == "ok"
        assert (here.calls("token"), here.calls("status")) == (2, 2)


def test_a_fresh_token_that_is_refused_needs_a_person() -> None:
    with simulated(Failure("code", "status", code=15101, count=0)) as here:
        with pytest.raises(LoginNeeded, match="refuses a fresh token"):
            here.ask("status-query")
        assert here.calls("token") == 2


def test_a_wrong_secret_needs_a_person_and_says_what_to_check() -> None:
    with simulated(secret="not it") as here, pytest.raises(LoginNeeded, match="check client_id, secret"):
        here.ask("status-query")


@pytest.mark.parametrize(
    ("mishap", "after"),
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
def test_what_may_work_later_says_when(mishap: Failure, after: float | None) -> None:
    with simulated(mishap) as here:
        with pytest.raises(Retry) as raised:
            here.ask("status-query")
        assert raised.value.after > 0
        assert after is None or raised.value.after == after
        ((_, meaning),) = here.ask("status-query")
        assert meaning == "ok"


@pytest.mark.parametrize("code", [15300, 15301, 15302, 15303, 15400, 15500])
def test_a_state_of_the_device_is_an_answer_and_stored(code: int) -> None:
    with simulated(Failure("code", "status", code=code)) as here:
        ((envelope, meaning),) = here.ask("status-query")
        assert meaning == "unavailable"
        assert str(code).encode() in envelope.body


@pytest.mark.parametrize("code", [15004, 15100, 15102, 15707, 15990])
def test_what_will_never_work_is_said_so(code: int) -> None:
    with simulated(Failure("code", "status", code=code)) as here:
        ((_, meaning),) = here.ask("status-query")
        assert meaning == "unsupported"


@pytest.mark.parametrize("mishap", [Failure("html", "status"), Failure("code", "status", code=77777)])
def test_an_answer_that_nobody_knows_is_kept_as_it_is(mishap: Failure) -> None:
    with simulated(mishap) as here:
        ((envelope, meaning),) = here.ask("status-query")
        assert meaning == "unreadable"
        assert envelope.body


def test_a_cloud_that_is_not_there_is_a_matter_of_later() -> None:
    account = Account("city", CLIENT, client_secret=SECRET, base_url="http://127.0.0.1:1")

    async def ask() -> None:
        async with httpx.AsyncClient() as http:
            await SegwayCloud(account).request(http, "status-query", VEHICLE)

    with pytest.raises(Retry, match="does not answer as it should"):
        asyncio.run(ask())


def test_the_secret_is_in_no_error() -> None:
    with simulated(Failure("http", "token", code=500, count=0)) as here:
        with pytest.raises(Retry) as raised:
            here.ask("status-query")
        assert SECRET not in str(raised.value)
