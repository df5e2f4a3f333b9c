"""The receiver process: pushes over HTTP and polls of clouds, both into the spool."""

import asyncio
import json
import logging
import signal
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn

from logger.envelope import Envelope
from logger.poll.runner import PollRunner
from logger.process_state import feeder_process, read_state, write_state
from logger.receive.app import Receiver
from logger.receive.metrics import ReceiverMetrics
from logger.service.child import take_sigterm
from logger.settings.schema import Settings
from logger.sources import accounts, clouds
from logger.sources.contract import Account
from logger.sources.names import naming
from logger.spool.group_commit import GroupCommit
from logger.spool.log import Spool
from logger.spool.open import open_spool

log = logging.getLogger(__name__)

_HEARTBEAT_S = 60.0
_SUMMARY_EVERY_S = 2.0
_MAX_REQUESTS = 4096  # at once; more are answered 503, so that memory stays flat


async def run_receiver(settings: Settings, listener: socket.socket) -> None:
    """Serve pushes and poll clouds until SIGTERM."""
    with closing(open_spool(settings)) as log_spool, closing(open_spool(settings)) as watched:
        metrics = ReceiverMetrics(lambda: _state(watched, settings))
        commits = GroupCommit(log_spool.append, metrics.count_commit)
        try:
            await _run(settings, listener, commits, metrics)
        finally:
            await commits.close()
            await asyncio.get_running_loop().shutdown_default_executor()  # no thread writes the state after us
            write_state(settings.data_dir, "receiver", metrics.summary())  # with the calls that have just ended


async def _run(settings: Settings, listener: socket.socket, commits: GroupCommit, metrics: ReceiverMetrics) -> None:
    known = accounts(settings)
    runners = _runners(settings, known, commits, metrics)
    _connect(metrics, known, runners)
    prefix = settings.collector.path_prefix
    server = http_server(Receiver(known, prefix, commits, metrics, lambda: _not_ready(metrics), _notify(runners)))
    end_on_sigterm(server)
    await _name_vehicles(settings, known, commits)
    lasting = [
        _repeat(_HEARTBEAT_S, partial(_heartbeat, commits, metrics)),
        _repeat(_SUMMARY_EVERY_S, partial(_write_summary, settings.data_dir, metrics)),
    ]
    tasks = [asyncio.create_task(each) for each in (*lasting, *(runner.run() for runner in runners.values()))]
    log.info("listening on %s", settings.collector.listen)
    try:
        await server.serve(sockets=[listener])
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _connect(metrics: ReceiverMetrics, known: Mapping[str, Account], runners: Mapping[str, PollRunner]) -> None:
    webhooks = {name: account.webhook for name, account in known.items() if account.webhook}
    metrics.polls = lambda: {name: runner.state() for name, runner in runners.items()}
    metrics.signatures = lambda: {name: webhook.signatures for name, webhook in webhooks.items()}


def _runners(
    settings: Settings, known: Mapping[str, Account], commits: GroupCommit, metrics: ReceiverMetrics
) -> dict[str, PollRunner]:
    """A runner for each account that is polled regularly."""
    polled = {source.name: source.poll for source in settings.polled_sources}
    return {
        name: PollRunner(
            known[name],
            cloud,
            commits,
            settings.data_dir,
            polled[name],
            resting=settings.out_of_service,
            observe_delay=metrics.delay_observer(name),
            vehicles_listed=partial(_name_listed, settings, known[name], commits),
        )
        for name, cloud in clouds({name: known[name] for name in polled}).items()
    }


def _notify(runners: Mapping[str, PollRunner]) -> Callable[[Envelope], None]:
    """What passes each push on to the runner of its account, if that is polled."""

    def push_received(push: Envelope) -> None:
        if push.source in runners:
            runners[push.source].push_received(push)

    return push_received


def end_on_sigterm(server: uvicorn.Server) -> None:
    """End on SIGTERM from now on, not only once uvicorn handles it, and ignore the repeat that it raises at its end."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: setattr(server, "should_exit", True))
        take_sigterm()


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


async def _name_vehicles(settings: Settings, known: Mapping[str, Account], commits: GroupCommit) -> None:
    """Store what the settings call the listed vehicles, as a message like all others."""
    for account in known.values():
        await _name_listed(settings, account, commits, account.vehicles)


async def _name_listed(settings: Settings, account: Account, commits: GroupCommit, vehicles: Sequence[str]) -> None:
    model = next(source.model for source in settings.sources if source.name == account.name)
    if (named := naming(settings, account.provider, vehicles, model)) is not None:
        await commits.put(named)


async def _heartbeat(commits: GroupCommit, metrics: ReceiverMetrics) -> None:
    """Store a message as proof that the collector runs and can store; it tells what waits for the stores."""
    body = json.dumps(metrics.backlog()).encode()
    await commits.put(Envelope("collector", "heartbeat", time.time_ns() // 1_000_000, "push", body))


async def _write_summary(folder: Path, metrics: ReceiverMetrics) -> None:
    """Write what `voltrail status` shows of pushes and polls."""
    await asyncio.to_thread(write_state, folder, "receiver", metrics.summary())  # a disk must not delay a push


async def _repeat(every_s: float, action: Callable[[], Awaitable[None]]) -> None:
    """Do this again and again until cancelled; a fault of ours must not be its end."""
    while True:
        try:
            await action()
        except Exception:
            log.exception("a regular task failed")
        await asyncio.sleep(every_s)


def _not_ready(metrics: ReceiverMetrics) -> str:
    return "" if metrics.stores else "the spool takes nothing: its disk is full or broken, or a sink lags too far"


def _state(watched: Spool, settings: Settings) -> dict[str, Any]:
    return {
        "depth": {(sink,): watched.depth(sink) for sink in settings.sinks.names},
        "bytes": watched.bytes,
        "max_bytes": settings.collector.max_bytes,
        "feeders": {sink: read_state(settings.data_dir, feeder_process(sink)) for sink in settings.sinks.names},
    }
