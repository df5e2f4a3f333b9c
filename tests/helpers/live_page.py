"""The live page in a real server, in a thread of the test."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dashboards.live import places
from logger.display.formats import Formats
from logger.live.app import LivePage
from logger.live.snapshots import Snapshots
from logger.live.vehicles import read_snapshot
from logger.service.receiver import http_server
from logger.settings.schema import Settings
from logger.simulator.demo.collector import free_port

TOKEN = "a long token"


@contextmanager
def served(settings: Settings, formats: Formats) -> Iterator[str]:
    """Serve the page in a thread while the block lasts, and yield its address."""
    port, ready, closing = free_port(), threading.Event(), asyncio.Event()
    server: list[Any] = []

    async def serve() -> None:
        snapshots = Snapshots(lambda: read_snapshot(settings, lambda rows: places(rows, settings)), formats, 0.2)
        server.append(http_server(LivePage(TOKEN, snapshots, formats, 0.2, closing)))
        server[0].config.port = port
        task = asyncio.create_task(server[0].serve())
        while not server[0].started:
            await asyncio.sleep(0.01)
        ready.set()
        while not server[0].should_exit:
            await asyncio.sleep(0.05)
        closing.set()
        await task

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(10)
    yield f"http://127.0.0.1:{port}"
    server[0].should_exit = True
    thread.join(10)
    assert not thread.is_alive(), "an open page held up the end"
