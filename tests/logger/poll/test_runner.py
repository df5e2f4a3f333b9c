"""A receiver that polls a simulated cloud on schedule: answers in the spool, queries skipped after pushes, pauses."""

import asyncio
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from logger.commands.output import plain_lines
from logger.commands.status import view
from logger.live.overview import read_overview
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
from tests.helpers.waiting import wait_until

START = 1_790_000_000
VEHICLES = ("860000000000001", "860000000000002")
STATUS = {"online": "true", "locked": "false", "statusUtcTime": "1591067719"}
PATHS = ("status", "location", "battery-info", "extra-status")


class PollingReceiver:
    """A receiver in a thread of this process that polls the cloud at `base_url`."""

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

    def polled_queries(self) -> list[tuple[str, str]]:
        """Vehicle and query of each answer in the spool."""
        return [(each.vehicle, each.path) for each in self.spool.read("lake").envelopes if each.via == "poll"]

    def metric(self, prefix: str) -> float:
        """The sum of the metrics whose lines begin with this."""
        return self.metrics(prefix)[0]

    def metrics(self, *prefixes: str) -> list[float]:
        """The sums of metrics of one answer, while polls go on."""
        lines = get(self.address, "/metrics")[1].decode().splitlines()
        return [sum(float(line.split()[-1]) for line in lines if line.startswith(each)) for each in prefixes]


@contextmanager
def polling_receiver(folder: Path, poll: schema.Polling, *failures: Failure) -> Iterator[tuple[PollingReceiver, Cloud]]:
    """A receiver that polls a simulated cloud with these failures, and that cloud."""
    cloud = Cloud(fleet(2, 7, START, 1), lambda: START + DAY_S / 2, PLATFORM, SECRET, failures=failures)
    with CloudServer(cloud) as server:
        receiver = PollingReceiver(folder, poll, server.base_url)
        try:
            yield receiver, cloud
        finally:
            receiver.close()


EVERY_SECOND = schema.Polling(riding_s=1, charging_s=1, parked_s=1, offline_s=1, silent_s=1)


def test_every_query_of_every_vehicle_is_polled_and_its_answer_is_in_the_spool(tmp_path: Path) -> None:
    with polling_receiver(tmp_path, EVERY_SECOND) as (receiver, cloud):
        wait_until(lambda: len(set(receiver.polled_queries())) == 8, "an answer to each query of each vehicle")
        assert receiver.metric('voltrail_poll_requests_total{outcome="answered"') >= 8
        assert not cloud.forbidden
    assert sum(json.loads((tmp_path / "calls-segway.json").read_text()).values()) >= 8


def test_the_last_state_of_a_receiver_has_the_counts_of_the_cloud_and_of_the_spool(tmp_path: Path) -> None:
    with polling_receiver(tmp_path, EVERY_SECOND) as (receiver, cloud):
        wait_until(lambda: len(receiver.polled_queries()) >= 8, "eight answers")
    (state,) = read_state(tmp_path, "receiver")["polls"].values()
    calls = sum(count for (path, _), count in cloud.calls.items() if path in PATHS)
    assert state["requests"] == state["answered"] == calls
    spool = Spool(tmp_path)
    assert state["answered"] == sum(each.via == "poll" for each in spool.read("lake").envelopes)
    spool.close()


def test_a_fresh_push_skips_the_query_for_the_same_values_and_no_other(tmp_path: Path) -> None:
    pushes = [request(vehicle, "status", STATUS) for vehicle in VEHICLES]
    with polling_receiver(tmp_path, EVERY_SECOND) as (receiver, cloud):

        def six_are_skipped() -> bool:
            assert {answer.status for answer in send(receiver.address, pushes, 1)} == {200}
            return receiver.metric('voltrail_poll_requests_total{outcome="skipped",query="status-query"') >= 6

        wait_until(six_are_skipped, "six skipped queries")
        calls = {path: sum(count for (called, _), count in cloud.calls.items() if called == path) for path in PATHS}
    assert calls["status"] <= 2
    assert calls["battery-info"] >= 4


def test_polls_of_a_failing_cloud_pause_and_pushes_are_still_taken(tmp_path: Path) -> None:
    with polling_receiver(tmp_path, EVERY_SECOND, Failure("http", "status", code=429, count=0)) as (receiver, cloud):
        wait_until(lambda: receiver.metric('voltrail_poll_pause_seconds{source="segway"}') > 0, "a pause")
        (answer,) = send(receiver.address, [request(VEHICLES[0], "status", STATUS)], 1)
        assert answer.status == 200
        assert sum(cloud.calls.values()) < 40


def test_status_shows_the_poll_outcomes_and_the_last_error_of_a_cloud(tmp_path: Path) -> None:
    failure = Failure("http", "status", code=429, count=0, seconds=77)
    with polling_receiver(tmp_path, EVERY_SECOND, failure) as (receiver, _):
        pushes = [request(VEHICLES[0], "status", STATUS), request(VEHICLES[0], "status", STATUS, "not the secret")]
        assert sorted(answer.status for answer in send(receiver.address, pushes, 1)) == [200, 401]
        wait_until(lambda: "HTTP 429" in " ".join(plain_lines(view(read_overview(receiver.settings)))), "an HTTP 429")
        (account,) = read_overview(receiver.settings).accounts
    assert (account.taken, account.refused) == (1, 1)
    assert account.polls is not None
    assert account.polls["failed"] >= 1
    assert account.polls["pause_s"] > 10
    text = "\n".join(plain_lines(view(read_overview(receiver.settings))))
    assert "1 pushes taken, 1 refused" in text
    assert "polls:" in text


def test_a_restart_keeps_the_count_of_used_calls(tmp_path: Path) -> None:
    today = time.strftime("%Y-%m-%d", time.gmtime())
    (tmp_path / "calls-segway.json").write_text(json.dumps({today: 5}))
    limited = schema.Polling(riding_s=1, charging_s=1, parked_s=1, offline_s=1, silent_s=1, calls=5)
    with polling_receiver(tmp_path, limited) as (receiver, cloud):
        wait_until(lambda: receiver.spool.depth("lake") > 0, "the heartbeat, which shows that the receiver runs")
        assert receiver.polled_queries() == []
        assert not cloud.calls


def test_a_call_under_way_when_polling_ends_is_awaited_and_its_answer_stored(tmp_path: Path) -> None:
    with polling_receiver(tmp_path, EVERY_SECOND, Failure("slow", seconds=0.3, count=0)) as (_, cloud):
        wait_until(lambda: sum(cloud.calls.values()) > 3, "more than three calls")
    stored = Spool(tmp_path)
    polled = [each for each in stored.read("lake").envelopes if each.via == "poll"]
    stored.close()
    assert len(polled) == sum(count for (path, _), count in cloud.calls.items() if path != "token")


def test_tokens_and_repeated_calls_count_against_the_budget(tmp_path: Path) -> None:
    with polling_receiver(tmp_path, EVERY_SECOND, Failure("http", "status", code=401)) as (receiver, cloud):
        wait_until(lambda: len(set(receiver.polled_queries())) == 8, "an answer to each query of each vehicle")
    used = json.loads((tmp_path / "calls-segway.json").read_text())
    assert cloud.calls["token", ""] == 2
    assert sum(used.values()) == sum(cloud.calls.values())


@pytest.mark.parametrize("text", ["", "[]", "7", '{"2026-11-01": null}', '{"2026-11-01": [1]}', "\x00"])
def test_a_damaged_file_of_used_calls_does_not_stop_polling(tmp_path: Path, text: str) -> None:
    (tmp_path / "calls-segway.json").write_text(text)
    with polling_receiver(tmp_path, EVERY_SECOND) as (receiver, _):
        wait_until(lambda: len(receiver.polled_queries()) > 0, "an answer")


def test_the_delay_of_polls_is_a_histogram(tmp_path: Path) -> None:
    with polling_receiver(tmp_path, EVERY_SECOND) as (receiver, _):
        wait_until(lambda: len(receiver.polled_queries()) > 8, "more than eight answers")
        bucket = 'voltrail_poll_delay_seconds_bucket{le="%s",source="segway"}'
        *counts, total = receiver.metrics(
            *(bucket % bound for bound in ("0.01", "1.0", "+Inf")), "voltrail_poll_delay_seconds_count"
        )
        assert counts == sorted(counts)
        assert counts[-1] >= 8
        assert total == counts[-1]


def test_a_client_pool_has_a_free_connection_for_each_concurrent_call() -> None:
    async def scenario() -> None:
        async with ClientPool() as pool:
            with ExitStack() as stack:
                clients = [stack.enter_context(pool.free()) for _ in range(CONNECTIONS)]
                assert len({id(client) for client in clients[:8]}) == 1, "few calls keep few connections open"
                assert set(Counter(id(client) for client in clients).values()) == {8}
            assert pool.free().__enter__() is clients[0]

    asyncio.run(scenario())


def test_polling_ends_on_cancellation_even_if_a_call_ends_at_the_same_moment(tmp_path: Path) -> None:
    async def scenario() -> None:
        settings = schema.Segway("segway", PLATFORM, client_secret=SECRET, base_url="http://127.0.0.1:1")
        commits = GroupCommit(len)
        runner = PollRunner(SegwayAccount(settings, schema.Settings()), SegwayCloud(settings), commits, tmp_path)
        polling = asyncio.create_task(runner.run())
        for _ in range(10):
            await asyncio.sleep(0)  # until it waits for something to do
        runner._changed.set()
        polling.cancel()
        done, _ = await asyncio.wait({polling}, timeout=2)
        await commits.close()
        assert done

    asyncio.run(scenario())
