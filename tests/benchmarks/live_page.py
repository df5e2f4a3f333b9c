"""How long a push waits for its 200 while 50 live pages are open, beside the same without any."""

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from logger.simulator.demo.collector import Collector, free_port
from tests.benchmarks.figures import Figure, pairs
from tests.benchmarks.load import Job, LoadProcess, load
from tests.helpers.waiting import wait_until

_PAGES, _ROUNDS = 50, 5
_PER_SECOND, _PUSHES = 1_000, 5_000
_TOKEN = "token"


def figures(folder: Path) -> list[Figure]:
    """Measure both in turn, with all processes of `voltrail run` at work and a page updated each second."""
    port = free_port()
    live = f'[live]\nlisten = "127.0.0.1:{port}"\ntoken_file = "live.token"\nevery_s = 1\n'
    (folder / "live.token").write_text(_TOKEN)
    without, beside, events = [], [], 0
    with load(_PUSHES) as sender, Collector(folder, [], f'unknown_vehicles = "accept"\n{live}') as collector:
        _send(sender, collector)
        for _ in range(_ROUNDS):
            without.append(_send(sender, collector))
            with open_pages(port) as pages:
                beside.append(_send(sender, collector))
                events += pages.events
    at = f"{_PER_SECOND:,} pushes/s"
    return [
        Figure(f"answered at {at}, median", without, "ms", "less"),
        Figure(f"the same with {_PAGES} live pages open", beside, "ms", "less"),
        Figure("with live pages ÷ without, median", pairs(beside, without), better="less", bar=1.5),
        Figure("events that a page received in a round", [events / _PAGES / _ROUNDS]),
    ]


def _send(sender: LoadProcess, collector: Collector) -> float:
    return sender.send(Job(collector.address[1], _PUSHES, _PER_SECOND)).p50_ms


class Pages:
    """Open pages: their connections, and how many events came."""

    def __init__(self, connections: list[socket.socket]) -> None:
        self.events = 0
        self._selector = selectors.DefaultSelector()
        for each in connections:
            self._selector.register(each, selectors.EVENT_READ)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        while not self._ended.is_set():
            for key, _ in self._selector.select(0.1):
                assert isinstance(key.fileobj, socket.socket)
                self.events += key.fileobj.recv(1 << 20).count(b"data: ")

    def end(self) -> None:
        """Read no more."""
        self._ended.set()
        self._thread.join()


@contextmanager
def open_pages(port: int) -> Iterator[Pages]:
    """Open the pages while the block lasts; each has had its first event when it begins."""
    request = f"GET /events HTTP/1.1\r\nHost: live\r\nAuthorization: Bearer {_TOKEN}\r\n\r\n".encode()
    with ExitStack() as stack:
        connections = [stack.enter_context(socket.create_connection(("127.0.0.1", port), 10)) for _ in range(_PAGES)]
        for each in connections:
            each.sendall(request)
        pages = Pages(connections)
        try:
            wait_until(lambda: pages.events >= _PAGES, "each page has its first event")
            yield pages
        finally:
            pages.end()
