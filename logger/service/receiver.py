"""The receiver process: pushes over HTTP and polls of clouds, both into the spool."""

import asyncio
import logging
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import uvicorn

from logger.envelope import Envelope
from logger.poll.runner import PollRunner
from logger.process_state import feeder_process, read_state, write_state
from logger.receive.app import Receiver
from logger.receive.metrics import ReceiverMetrics
from logger.settings import schema
from logger.settings.schema import Settings
from logger.sources import clouds, webhooks
from logger.spool.group_commit import GroupCommit
from logger.spool.log import Spool
from logger.spool.open import open_spool

log = logging.getLogger(__name__)

_HEARTBEAT_S = 60.0
_TELL_S = 2.0
_MAX_REQUESTS = 4096  # at once; more are answered 503, so that memory stays flat


async def run_receiver(settings: Settings, listener: socket.socket) -> None:
    """Serve pushes until SIGTERM."""
    log_spool, watched = open_spool(settings), open_spool(settings)
    metrics = ReceiverMetrics(lambda: _state(watched, settings))
    commits = GroupCommit(log_spool.append, metrics.committed)
    pollers = _pollers(settings, commits)
    metrics.asking = lambda: {name: poller.state() for name, poller in pollers.items()}
    app = Receiver(
        webhooks(settings), settings.collector.path_prefix, commits, metrics, lambda: _unready(metrics), _hears(pollers)
    )
    server = http_server(app)
    _obey(server)
    await _name_vehicles(settings, commits)
    lasting = (_heartbeat(commits), _tell(settings.data_dir, metrics), *(poller.run() for poller in pollers.values()))
    tasks = [asyncio.create_task(each) for each in lasting]
    log.info("listening on %s", settings.collector.listen)
    try:
        await server.serve(sockets=[listener])
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        write_state(settings.data_dir, "receiver", metrics.summary())  # what was under way has ended: the last word
        await commits.close()
        log_spool.close()
        watched.close()


def _pollers(settings: Settings, commits: GroupCommit) -> dict[str, PollRunner]:
    """The accounts that are asked by themselves."""
    accounts = clouds(settings.polled)
    resting = frozenset(number for number, vehicle in settings.vehicles.items() if not vehicle.in_service)
    return {
        source.name: PollRunner(
            accounts[source.name], commits, settings.data_dir, source.poll.calls, source.poll.per, resting
        )
        for source in settings.polled
        if source.poll is not None
    }


def _hears(pollers: dict[str, PollRunner]) -> Callable[[str, str, bytes], None]:
    """Tells the account's plan of a push; accounts that are not asked are deaf."""

    def heard(source: str, path: str, push: bytes) -> None:
        if source in pollers:
            pollers[source].heard(path, push)

    return heard


def _obey(server: uvicorn.Server) -> None:
    """End on SIGTERM before uvicorn listens to it as well, and be deaf to it when it is raised once more at the end."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: setattr(server, "should_exit", True))


def http_server(app: Any) -> uvicorn.Server:
    """The server around an ASGI application; the benchmarks put other applications into the same one."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            http="httptools",
            ws="none",
            server_header=False,
            limit_concurrency=_MAX_REQUESTS,
            timeout_graceful_shutdown=10,
        )
    )


async def _name_vehicles(settings: Settings, commits: GroupCommit) -> None:
    """What the settings call the vehicles, as one message that takes the way of all others."""
    providers = {name: account.provider for name, account in webhooks(settings).items()}
    named = [
        {"provider": providers[source.name], "vehicle": number, **_called(settings, source, number)}
        for source in settings.sources
        for number in source.vehicles
    ]
    if named:
        body = msgspec.json.encode(named)
        await commits.put(Envelope("settings", "vehicles", time.time_ns() // 1_000_000, "import", body))


def _called(settings: Settings, source: schema.Source, number: str) -> dict[str, Any]:
    told = msgspec.structs.asdict(settings.vehicles.get(number, schema.Vehicle()))
    return {**told, "model": told["model"] or source.model}


async def _heartbeat(commits: GroupCommit) -> None:
    """Proof that the collector ran and could store: one message a minute that takes the way of all others."""
    while True:
        await commits.put(Envelope("collector", "heartbeat", time.time_ns() // 1_000_000, "push", b""))
        await asyncio.sleep(_HEARTBEAT_S)


async def _tell(folder: Path, metrics: ReceiverMetrics) -> None:
    """What `voltrail status` says of pushes and questions."""
    while True:
        await asyncio.to_thread(write_state, folder, "receiver", metrics.summary())  # a disk must not delay a push
        await asyncio.sleep(_TELL_S)


def _unready(metrics: ReceiverMetrics) -> str:
    return "" if metrics.held else "the spool takes nothing: its disk is full or broken, or a sink lags too far"


def _state(watched: Spool, settings: Settings) -> dict[str, Any]:
    return {
        "depth": {(sink,): watched.depth(sink) for sink in settings.sinks.names},
        "bytes": watched.bytes,
        "max_bytes": settings.collector.max_bytes,
        "feeders": {sink: read_state(settings.data_dir, feeder_process(sink)) for sink in settings.sinks.names},
    }
