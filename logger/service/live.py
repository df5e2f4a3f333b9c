"""The process of the live page: it only reads, and gives way to all that collects."""

import asyncio
import logging
import os
import socket
from functools import partial
from zoneinfo import ZoneInfo

import uvicorn

from logger.display.formats import Formats
from logger.live.app import LivePage
from logger.live.snapshots import Snapshots
from logger.live.vehicles import Places, read_snapshot
from logger.service.receiver import end_on_sigterm, http_server
from logger.settings.schema import Settings

log = logging.getLogger(__name__)

_NICE = 10  # collecting comes first
_LOOK_S = 0.2


async def serve_live(settings: Settings, listener: socket.socket, places: Places) -> None:
    """Serve the live page until SIGTERM; `places` names the place of each position, and hides private ones."""
    os.nice(_NICE)
    formats = Formats(settings.display, settings.tariffs.currency, ZoneInfo(settings.collector.timezone))
    closing, every_s = asyncio.Event(), settings.live.every_s
    snapshots = Snapshots(partial(read_snapshot, settings, places), formats, every_s)
    server = http_server(LivePage(settings.live.token, snapshots, formats, every_s, closing))
    end_on_sigterm(server)
    watch = asyncio.create_task(_tell_closing(server, closing))
    log.info("the live page is at http://%s/", settings.live.listen)
    await server.serve(sockets=[listener])
    await watch


async def _tell_closing(server: uvicorn.Server, closing: asyncio.Event) -> None:
    """Tell open pages when the server ends, which would wait for them."""
    while not server.should_exit:
        await asyncio.sleep(_LOOK_S)
    closing.set()
