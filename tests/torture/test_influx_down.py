"""An InfluxDB that is killed, hangs, is full or slow under load: the lake does not notice, and then both are equal.

A server that says 204 and has written nothing is not among them: nobody can find that out.
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
from tests.helpers.influx_server import Place, own
from tests.helpers.lying_proxy import lying
from tests.helpers.store_rows import unequal
from tests.torture.disks import Full, disk
from tests.torture.fleet import Client, Story
from tests.torture.running import Service, resident_mib, until
from tests.torture.verdict import verdict

pytestmark = pytest.mark.torture

_BUCKET = "voltrail"
_FEEDERS = ("feeder", "feeder influx")
_LAKE_WAITS_S = 10.0  # the lake's own pace, with all else that runs here
_GROWTH_MIB = 64
_STOPPED_S = 40.0  # longer than a write is waited for
_END_S = 60.0


class Both:
    """A service of both sinks and the client that pushes to it."""

    def __init__(self, folder: Path, influx: InfluxSettings) -> None:
        self.influx, self.story = influx, Story()
        self.service = Service(folder / "service", source=sink(influx, folder / "service"), debug=False)
        self.client = Client(self.service.port, folder / "oracle.log", self.story)
        self.mib: list[dict[str, float]] = []

    def look(self, what: str) -> None:
        """The lake is not held back; print how things stand."""
        seconds = until(lambda: self.service.waiting() < 1000, "the lake has nearly all", _LAKE_WAITS_S)
        children = self.service.children()
        self.mib.append({role: resident_mib(children[role]) for role in _FEEDERS})
        memory = ", ".join(f"{role} {mib:.0f} MiB" for role, mib in self.mib[-1].items())
        print(
            f"\n{what}: lake after {seconds:.1f} s, {self.service.waiting('influx'):,} wait for influx, {memory}",
            end="",
        )

    def catch_up(self) -> None:
        """Until influx has all."""
        print(f"\ncaught up in {until(lambda: not self.service.waiting('influx'), 'influx caught up', 120):.1f} s")

    def stop(self) -> float:
        """How long the service took to end [s]."""
        began = time.monotonic()
        assert self.service.stop() == 0
        assert not self.service.log.faults(), self.service.log.faults()
        return time.monotonic() - began

    def check(self) -> None:
        """All was answered 200, the lake is whole, and InfluxDB holds what it holds, row by row; memory is flat."""
        assert set(self.client.statuses) == {200}
        verdict(self.service, self.client, self.story).check()
        with closing(Influx(self.influx)) as there:
            assert differences(self.service.lake(), there) == []
            assert unequal(self.service.lake(), there) == {}
        for role in _FEEDERS:
            assert max(mib[role] for mib in self.mib) < self.mib[0][role] + _GROWTH_MIB, self.mib


@contextmanager
def running(folder: Path, place: Place, url: str = "") -> Iterator[Both]:
    """Both sinks, warm: the first pushes are in both."""
    influx = place.settings(_BUCKET)
    both = Both(folder, msgspec.structs.replace(influx, url=url) if url else influx)
    with both.service:
        both.service.start()
        assert both.client.send(20_000)
        until(lambda: not both.service.waiting("influx"), "the first pushes are in both", 60)
        both.look("warm")
        yield both
        both.influx = influx


def test_killed_under_load_and_started_again(tmp_path: Path) -> None:
    folder = tmp_path / "influx"
    folder.mkdir()
    with own(folder) as place, running(tmp_path, place) as both:
        assert place.process
        both.client.begin(per_second=3000)
        for _ in range(3):
            place.process.stop(signal.SIGKILL)
            until(lambda: both.service.waiting("influx") > 5000, "a backlog")
            both.look("killed")
            place.process.start()
            until(lambda: both.service.waiting("influx") < 2500, "most of it is delivered", 60)
        both.client.halt()
        both.client.end()
        both.catch_up()
        both.stop()
        both.check()


def test_stopped_while_a_hundred_thousand_come_in(tmp_path: Path) -> None:
    folder = tmp_path / "influx"
    folder.mkdir()
    with own(folder) as place, running(tmp_path, place) as both:
        assert place.process
        place.process.send(signal.SIGSTOP)
        began = time.monotonic()
        for _ in range(4):
            assert both.client.send(30_000)
            both.look("stopped")
        threading.Event().wait(max(0.0, began + _STOPPED_S - time.monotonic()))
        both.look("stopped for long")
        seconds = both.stop()
        print(f"\nended in {seconds:.1f} s", end="")
        assert seconds < _END_S
        both.service.start()
        both.look("started beside it")
        place.process.send(signal.SIGCONT)
        both.catch_up()
        both.stop()
        both.check()


def test_full_and_then_larger(tmp_path: Path) -> None:
    with disk(tmp_path / "disk", Full) as small, own(small.folder) as place, running(tmp_path, place) as both:
        assert place.process
        small.refuse([place.process.number])
        for _ in range(3):
            assert both.client.send(20_000)
            both.look("full")
        assert "start it again" in both.service.log.wait("no space left", 60)
        small.relent([place.process.number])
        place.process.stop()  # a server that had no room keeps saying so
        place.process.start()
        both.catch_up()
        both.stop()
        both.check()


def test_slow(tmp_path: Path) -> None:
    folder = tmp_path / "influx"
    folder.mkdir()
    with own(folder) as place, lying(place.url) as proxy, running(tmp_path, place, proxy.url) as both:
        proxy.slow_s = 20.0
        assert both.client.send(30_000)
        both.look("slow")
        until(lambda: proxy.served_late > 0, "a slow answer", 60)
        proxy.slow_s = 0.0
        both.catch_up()
        both.stop()
        assert not [line for line in both.service.log.lines if "does not answer" in line]
        both.check()
