"""A real receiver that asks a simulated cloud by itself: into the spool, spared by pushes, patient with trouble."""

import asyncio
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from logger.commands.output import plain_lines
from logger.commands.status import read_overview, view
from logger.poll.client_pool import CONNECTIONS, ClientPool
from logger.poll.runner import PollRunner
from logger.process_state import read_state
from logger.service.receiver import run_receiver
from logger.settings import schema
from logger.simulator.cloud.cloud import Cloud
from logger.simulator.cloud.failures import Failure
from logger.simulator.cloud.serving import CloudServer
from logger.simulator.demo.collector import PLATFORM, PREFIX, SECRET
from logger.simulator.demo.pushes import request
from logger.simulator.demo.sender import get, send
from logger.simulator.vehicle.environment import DAY_S
from logger.simulator.vehicle.fleet import fleet
from logger.sources.segway.account import SegwayAccount
from logger.sources.segway.api import SegwayCloud
from logger.spool.group_commit import GroupCommit
from logger.spool.log import Spool

START = 1_790_000_000
VEHICLES = ("860000000000001", "860000000000002")
STATUS = {"online": "true", "locked": "false", "statusUtcTime": "1591067719"}
WORDS = ("status", "location", "battery-info", "extra-status")
PATIENCE_S = 15.0


def until(true: Callable[[], bool]) -> None:
    """Wait for another thread, a little at a time, and not for ever."""
    end = time.monotonic() + PATIENCE_S
    tick = threading.Event()
    while not true():
        assert time.monotonic() < end, "it did not come true"
        tick.wait(0.02)


class Asking:
    """A receiver in a thread of this process, and the cloud that it asks."""

    def __init__(self, folder: Path, poll: schema.Polling, base_url: str) -> None:
        source = schema.Segway(
            "segway", PLATFORM, client_secret=SECRET, vehicles=VEHICLES, base_url=base_url, poll=poll
        )
        collector = schema.Collector(data_dir=str(folder), path_prefix=PREFIX)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listener.getsockname()
        self._loop = asyncio.new_event_loop()
        sinks = schema.Sinks(schema.LakeSettings(path=str(folder / "lake")))
        self.settings = schema.Settings(collector, sinks, (source,))
        self._task = self._loop.create_task(run_receiver(self.settings, self._listener))
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        self.spool = Spool(folder)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            pass

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join()
        self._loop.close()
        self._listener.close()
        self.spool.close()

    def polled(self) -> list[tuple[str, str]]:
        return [(each.vehicle, each.path) for each in self.spool.read("lake").envelopes if each.via == "poll"]

    def metric(self, line: str) -> float:
        lines = get(self.address, "/metrics")[1].decode().splitlines()
        return sum(float(told.split()[-1]) for told in lines if told.startswith(line))


@contextmanager
def asking(folder: Path, poll: schema.Polling, *mishaps: Failure) -> Iterator[tuple[Asking, Cloud]]:
    cloud = Cloud(fleet(2, 7, START, 1), lambda: START + DAY_S / 2, PLATFORM, SECRET, failures=mishaps)
    with CloudServer(cloud) as serving:
        receiver = Asking(folder, poll, serving.base_url)
        try:
            yield receiver, cloud
        finally:
            receiver.close()


EVERY_SECOND = schema.Polling(riding_s=1, charging_s=1, parked_s=1, offline_s=1, silent_s=1)


def test_every_vehicle_is_asked_everything_and_the_answers_lie_in_the_spool(tmp_path: Path) -> None:
    with asking(tmp_path, EVERY_SECOND) as (receiver, cloud):
        until(lambda: len(set(receiver.polled())) == 8)
        assert receiver.metric('voltrail_poll_requests_total{outcome="answered"') >= 8
        assert not cloud.forbidden
    assert sum(json.loads((tmp_path / "calls-segway.json").read_text()).values()) >= 8


def test_the_last_word_of_a_receiver_counts_what_the_cloud_and_the_spool_count(tmp_path: Path) -> None:
    with asking(tmp_path, EVERY_SECOND) as (receiver, cloud):
        until(lambda: len(receiver.polled()) >= 8)
    (told,) = read_state(tmp_path, "receiver")["polls"].values()
    assert (
        told["requests"] == told["answered"] == sum(count for (word, _), count in cloud.calls.items() if word in WORDS)
    )
    spool = Spool(tmp_path)
    assert told["answered"] == sum(each.via == "poll" for each in spool.read("lake").envelopes)
    spool.close()


def test_a_push_spares_the_question_that_it_answers_and_no_other(tmp_path: Path) -> None:
    pushes = [request(vehicle, "status", STATUS) for vehicle in VEHICLES]
    with asking(tmp_path, EVERY_SECOND) as (receiver, cloud):

        def spared_enough() -> bool:
            assert {answer.status for answer in send(receiver.address, pushes, 1)} == {200}
            return receiver.metric('voltrail_poll_requests_total{outcome="skipped",query="status-query"') >= 6

        until(spared_enough)
        asked = {word: sum(count for (path, _), count in cloud.calls.items() if path == word) for word in WORDS}
    assert asked["status"] <= 2
    assert asked["battery-info"] >= 4


def test_a_cloud_in_trouble_is_left_alone_and_pushes_go_on(tmp_path: Path) -> None:
    with asking(tmp_path, EVERY_SECOND, Failure("http", "status", code=429, count=0)) as (receiver, cloud):
        until(lambda: receiver.metric('voltrail_poll_pause_seconds{source="segway"}') > 0)
        (answer,) = send(receiver.address, [request(VEHICLES[0], "status", STATUS)], 1)
        assert answer.status == 200
        assert sum(cloud.calls.values()) < 40


def test_status_says_what_became_of_the_questions_and_what_troubles_a_cloud(tmp_path: Path) -> None:
    trouble = Failure("http", "status", code=429, count=0, seconds=77)
    with asking(tmp_path, EVERY_SECOND, trouble) as (receiver, _):
        send_one = [request(VEHICLES[0], "status", STATUS), request(VEHICLES[0], "status", STATUS, "not the secret")]
        assert sorted(answer.status for answer in send(receiver.address, send_one, 1)) == [200, 401]
        until(lambda: "HTTP 429" in " ".join(plain_lines(view(read_overview(receiver.settings)))))
        (account,) = read_overview(receiver.settings).accounts
    assert (account.taken, account.refused) == (1, 1)
    assert account.polls is not None
    assert account.polls["failed"] >= 1
    assert account.polls["pause_s"] > 10
    told = "\n".join(plain_lines(view(read_overview(receiver.settings))))
    assert "1 pushes taken, 1 refused" in told
    assert "polls:" in told


def test_a_restart_remembers_what_was_used_of_the_budget(tmp_path: Path) -> None:
    today = time.strftime("%Y-%m-%d", time.gmtime())
    (tmp_path / "calls-segway.json").write_text(json.dumps({today: 5}))
    limited = schema.Polling(riding_s=1, charging_s=1, parked_s=1, offline_s=1, silent_s=1, calls=5)
    with asking(tmp_path, limited) as (receiver, cloud):
        until(lambda: receiver.spool.depth("lake") > 0)  # the heartbeat: it runs
        assert receiver.polled() == []
        assert not cloud.calls


def test_a_call_under_way_when_asking_ends_is_waited_for_and_its_answer_stored(tmp_path: Path) -> None:
    with asking(tmp_path, EVERY_SECOND, Failure("slow", seconds=0.3, count=0)) as (_, cloud):
        until(lambda: sum(cloud.calls.values()) > 3)
    stored = Spool(tmp_path)
    polled = [each for each in stored.read("lake").envelopes if each.via == "poll"]
    stored.close()
    assert len(polled) == sum(count for (word, _), count in cloud.calls.items() if word != "token")


def test_every_call_counts_against_the_budget_tokens_and_repeats_too(tmp_path: Path) -> None:
    with asking(tmp_path, EVERY_SECOND, Failure("http", "status", code=401)) as (receiver, cloud):
        until(lambda: len(set(receiver.polled())) == 8)
    used = json.loads((tmp_path / "calls-segway.json").read_text())
    assert cloud.calls["token", ""] == 2
    assert sum(used.values()) == sum(cloud.calls.values())


@pytest.mark.parametrize("text", ["", "[]", "7", '{"2026-11-01": null}', '{"2026-11-01": [1]}', "\x00"])
def test_a_damaged_note_of_calls_is_no_reason_not_to_ask(tmp_path: Path, text: str) -> None:
    (tmp_path / "calls-segway.json").write_text(text)
    with asking(tmp_path, EVERY_SECOND) as (receiver, _):
        until(lambda: len(receiver.polled()) > 0)


def test_how_late_questions_are_asked_is_told_as_a_histogram(tmp_path: Path) -> None:
    with asking(tmp_path, EVERY_SECOND) as (receiver, _):
        until(lambda: len(receiver.polled()) > 8)
        bins = 'voltrail_poll_delay_seconds_bucket{le="%s",source="segway"}'
        counts = [receiver.metric(bins % bound) for bound in ("0.01", "1.0", "+Inf")]
        assert counts == sorted(counts)
        assert counts[-1] >= 8
        assert receiver.metric("voltrail_poll_delay_seconds_count") == receiver.metric(bins % "+Inf")


def test_as_many_places_are_free_as_calls_may_be_made_at_once() -> None:
    async def scenario() -> None:
        async with ClientPool() as lines:
            with ExitStack() as taken:
                clients = [taken.enter_context(lines.free()) for _ in range(CONNECTIONS)]
                assert len({id(client) for client in clients[:8]}) == 1, "a quiet account keeps few lines open"
                assert set(Counter(id(client) for client in clients).values()) == {8}
            assert lines.free().__enter__() is clients[0]

    asyncio.run(scenario())


def test_asking_ends_when_told_to_though_a_call_comes_back_at_the_same_moment(tmp_path: Path) -> None:
    async def scenario() -> None:
        ours = schema.Segway("segway", PLATFORM, client_secret=SECRET, base_url="http://127.0.0.1:1")
        commits = GroupCommit(len)
        poller = PollRunner(SegwayAccount(ours, schema.Settings()), SegwayCloud(ours), commits, tmp_path)
        asking = asyncio.create_task(poller.run())
        for _ in range(10):
            await asyncio.sleep(0)  # until it waits for something to do
        poller._changed.set()
        asking.cancel()
        done, _ = await asyncio.wait({asking}, timeout=2)
        await commits.close()
        assert done

    asyncio.run(scenario())
