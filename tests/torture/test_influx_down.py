"""An InfluxDB that is killed, stopped, full or slow under load: the lake is not delayed, and in the end both are equal.

A server that answers 204 and has written nothing is not among these cases: that cannot be noticed.
"""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
import pytest

from logger.settings.schema import InfluxSettings
from logger.stores.compare import differences
from logger.stores.influx.influx import Influx
from tests.end_to_end.test_influx_sink import sink
from tests.helpers.faulty_proxy import faulty_proxy
from tests.helpers.influx_server import Server, own_server
from tests.helpers.process_memory import resident_mib
from tests.helpers.store_rows import differing_rows
from tests.helpers.waiting import wait_until
from tests.torture.disks import Full, disk
from tests.torture.push_audit import audit_pushes
from tests.torture.push_client import Client, PushPlan
from tests.torture.service import Service

pytestmark = pytest.mark.torture

_BUCKET = "voltrail"
_FEEDERS = ("feeder", "feeder influx")
_LAKE_DELAY_S = 10.0  # the longest delay of the lake, with everything else that runs
_GROWTH_MIB = 64
_STOPPED_S = 40.0  # longer than the timeout of a write
_END_S = 60.0


class TwoSinks:
    """A service with both sinks, and the client that pushes to it."""

    def __init__(self, folder: Path, influx: InfluxSettings) -> None:
        self.influx, self.plan = influx, PushPlan()
        self.service = Service(folder / "service", source=sink(influx, folder / "service"), debug=False)
        self.client = Client(self.service.port, folder / "answers.log", self.plan)
        self.memory_mib: list[dict[str, float]] = []

    def check_lake(self, what: str) -> None:
        """Check that the lake is not delayed; note the memory, and print both."""
        seconds = wait_until(lambda: self.service.spool_depth() < 1000, "the lake has nearly all", _LAKE_DELAY_S)
        children = self.service.children()
        self.memory_mib.append({role: resident_mib(children[role]) for role in _FEEDERS})
        memory = ", ".join(f"{role} {mib:.0f} MiB" for role, mib in self.memory_mib[-1].items())
        depth = self.service.spool_depth("influx")
        print(f"\n{what}: lake after {seconds:.1f} s, {depth:,} wait for influx, {memory}", end="")

    def catch_up(self) -> None:
        """Wait until InfluxDB has all."""
        seconds = wait_until(lambda: not self.service.spool_depth("influx"), "influx caught up", 120)
        print(f"\ncaught up in {seconds:.1f} s")

    def stop(self) -> float:
        """Stop the service; return how long it took [s]."""
        began = time.monotonic()
        assert self.service.stop() == 0
        assert not self.service.log.faults(), self.service.log.faults()
        return time.monotonic() - began

    def check(self) -> None:
        """Check that all was answered 200, the lake is complete, InfluxDB has the same rows, and memory is flat."""
        assert set(self.client.statuses) == {200}
        audit_pushes(self.service, self.client, self.plan).check()
        with closing(Influx(self.influx)) as store:
            assert differences(self.service.lake(), store) == []
            assert differing_rows(self.service.lake(), store) == {}
        for role in _FEEDERS:
            first_mib = self.memory_mib[0][role]
            assert max(mib[role] for mib in self.memory_mib) < first_mib + _GROWTH_MIB, self.memory_mib


@contextmanager
def two_sinks(folder: Path, server: Server, url: str = "") -> Iterator[TwoSinks]:
    """Run a service with both sinks; the first pushes are in both. With `url`, InfluxDB is reached there."""
    influx = server.settings(_BUCKET)
    sinks = TwoSinks(folder, msgspec.structs.replace(influx, url=url) if url else influx)
    with sinks.service:
        sinks.service.start()
        assert sinks.client.send(20_000)
        wait_until(lambda: not sinks.service.spool_depth("influx"), "the first pushes are in both", 60)
        sinks.check_lake("warm")
        yield sinks
        sinks.influx = influx


def test_killed_under_load_and_started_again(tmp_path: Path) -> None:
    folder = tmp_path / "influx"
    folder.mkdir()
    with own_server(folder) as server, two_sinks(tmp_path, server) as sinks:
        assert server.process
        sinks.client.begin(per_second=3000)
        for _ in range(3):
            server.process.stop(signal.SIGKILL)
            wait_until(lambda: sinks.service.spool_depth("influx") > 5000, "a backlog")
            sinks.check_lake("killed")
            server.process.start()
            wait_until(lambda: sinks.service.spool_depth("influx") < 2500, "most of it is delivered", 60)
        sinks.client.halt()
        sinks.client.join()
        sinks.catch_up()
        sinks.stop()
        sinks.check()


def test_stopped_while_a_hundred_thousand_come_in(tmp_path: Path) -> None:
    folder = tmp_path / "influx"
    folder.mkdir()
    with own_server(folder) as server, two_sinks(tmp_path, server) as sinks:
        assert server.process
        server.process.send(signal.SIGSTOP)
        began = time.monotonic()
        for _ in range(4):
            assert sinks.client.send(30_000)
            sinks.check_lake("stopped")
        threading.Event().wait(max(0.0, began + _STOPPED_S - time.monotonic()))
        sinks.check_lake("stopped for long")
        seconds = sinks.stop()
        print(f"\nended in {seconds:.1f} s", end="")
        assert seconds < _END_S
        sinks.service.start()
        sinks.check_lake("started beside it")
        server.process.send(signal.SIGCONT)
        sinks.catch_up()
        sinks.stop()
        sinks.check()


def test_full_and_then_larger(tmp_path: Path) -> None:
    with (
        disk(tmp_path / "disk", Full) as small,
        own_server(small.folder) as server,
        two_sinks(tmp_path, server) as sinks,
    ):
        assert server.process
        small.refuse([server.process.process_id])
        for _ in range(3):
            assert sinks.client.send(20_000)
            sinks.check_lake("full")
        assert "start it again" in sinks.service.log.wait("no space left", 60)
        small.accept([server.process.process_id])
        server.process.stop()  # a server that had no room keeps answering so
        server.process.start()
        sinks.catch_up()
        sinks.stop()
        sinks.check()


def test_slow(tmp_path: Path) -> None:
    folder = tmp_path / "influx"
    folder.mkdir()
    with (
        own_server(folder) as server,
        faulty_proxy(server.url) as proxy,
        two_sinks(tmp_path, server, proxy.url) as sinks,
    ):
        proxy.write_delay_s = 20.0
        assert sinks.client.send(30_000)
        sinks.check_lake("slow")
        wait_until(lambda: proxy.delayed_writes > 0, "a slow answer", 60)
        proxy.write_delay_s = 0.0
        sinks.catch_up()
        sinks.stop()
        assert not [line for line in sinks.service.log.lines if "does not answer" in line]
        sinks.check()
