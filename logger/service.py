"""The processes below the supervisor: a receiver (HTTP → spool) and a feeder (spool → sinks).

Each gets its settings through a pipe that stays open: when that ends, the supervisor is gone, and the child ends too.
"""

import asyncio
import logging
import os
import queue
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import uvicorn

from logger import config
from logger.commits import GroupCommit
from logger.config import Settings
from logger.errors import ConfigError, LoggerError
from logger.metrics import ReceiverMetrics
from logger.model import Envelope
from logger.poller import Poller
from logger.sources import clouds, webhooks
from logger.spool import Spool
from logger.state import feeder as feeder_process
from logger.state import read_state, write_state
from logger.turns import asked, clear, feeding, sole
from logger.webhook import Receiver

log = logging.getLogger(__name__)

_HEARTBEAT_S = 60.0
_TELL_S = 2.0
_LOOK_S = 0.2  # between two looks at whether the lake is free
_MAX_REQUESTS = 4096  # at once; more are answered 503, so that memory stays flat


def spool(settings: Settings) -> Spool:
    """The spool of these settings. Raises `Retry` where its disk refuses."""
    collector = settings.collector
    return Spool(settings.data_dir, settings.sinks.names, collector.max_bytes, collector.raw_days)


class Stop:
    """Whether one of these signals came. No `threading.Event`: a `set` in the handler can wait for its own `wait`."""

    def __init__(self, *numbers: signal.Signals) -> None:
        self._asked: queue.SimpleQueue[None] = queue.SimpleQueue()  # its `put` is safe in a signal handler
        for number in numbers:
            signal.signal(number, lambda *_: self._asked.put(None))

    def wait(self, seconds: float) -> bool:
        """Wait so long, or until asked to stop; whether that is so."""
        try:
            self._asked.get(timeout=seconds)
        except queue.Empty:
            return False
        self._asked.put(None)
        return True


# ---- receiver ------------------------------------------------------------------------------------------------------


async def receive(settings: Settings, listener: socket.socket) -> None:
    """Serve pushes until SIGTERM."""
    log_spool, watched = spool(settings), spool(settings)
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


def _pollers(settings: Settings, commits: GroupCommit) -> dict[str, Poller]:
    """The accounts that are asked by themselves."""
    accounts = clouds(settings.polled)
    resting = frozenset(number for number, vehicle in settings.vehicles.items() if not vehicle.in_service)
    return {
        source.name: Poller(
            accounts[source.name], commits, settings.data_dir, source.poll.calls, source.poll.per, resting
        )
        for source in settings.polled
        if source.poll is not None
    }


def _hears(pollers: dict[str, Poller]) -> Callable[[str, str, bytes], None]:
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


def _called(settings: Settings, source: config.Source, number: str) -> dict[str, Any]:
    told = msgspec.structs.asdict(settings.vehicles.get(number, config.Vehicle()))
    return {**told, "model": told["model"] or source.model}


async def _heartbeat(commits: GroupCommit) -> None:
    """Proof that the collector ran and could store: one message a minute that takes the way of all others."""
    while True:
        await commits.put(Envelope("collector", "heartbeat", time.time_ns() // 1_000_000, "push", b""))
        await asyncio.sleep(_HEARTBEAT_S)


async def _tell(folder: Path, metrics: ReceiverMetrics) -> None:
    """What `voltrail status` says of pushes and questions."""
    while True:
        write_state(folder, "receiver", metrics.summary())
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


# ---- feeder --------------------------------------------------------------------------------------------------------


def feed(settings: Settings, sink: str, stop: Stop) -> None:
    """Deliver to this sink until told to stop, then drain. Steps aside while somebody asks for it."""
    wait, folder = 0.0, settings.data_dir
    while not stop.wait(wait):
        wait = _LOOK_S
        if not asked(folder, sink):
            with sole(feeding(folder, sink)) as free:
                if free and _fed(settings, sink, stop):
                    return


def _fed(settings: Settings, sink: str, stop: Stop) -> bool:
    """Deliver until told to stop, and drain; or (False) until somebody asks for the sink."""
    with _feeder(settings, sink) as feeder:
        while not stop.wait(feeder.step()):
            if asked(settings.data_dir, sink):
                log.info("stepping aside: somebody asks for the %s", sink)
                return False
        feeder.drain()
    return True


def deliver(settings: Settings, until: int, progress: Callable[[int], None]) -> None:
    """Wait until the lake holds all up to this sequence; where no feeder runs, do its work. Raises `Retry`.

    Other sinks take what they can now, and the rest when the service runs.
    """
    log_spool = spool(settings)
    while (waiting := until - log_spool.cursor("lake")) > 0:
        progress(waiting)
        if not drained(settings, "lake", or_raise=True):
            time.sleep(_LOOK_S)
    log_spool.close()
    for sink in settings.sinks.names[1:]:
        drained(settings, sink, or_raise=False)


def drained(settings: Settings, sink: str, *, or_raise: bool, keep_house: bool = False) -> bool:
    """Do the work of this sink's feeder, house-keeping too where that is wanted; False where one runs."""
    with sole(feeding(settings.data_dir, sink)) as free:
        if free:
            with _feeder(settings, sink) as feeder:
                feeder.drain(or_raise=or_raise)
                if keep_house:
                    feeder.keep_house()
    return free


@contextmanager
def _feeder(settings: Settings, sink: str) -> Iterator[Any]:
    from logger.sinks import feeder  # polars and deltalake: the receiver starts without them

    if sink == "lake":
        clear(settings.data_dir)
    log_spool = spool(settings)
    with feeder(settings, sink, log_spool) as made:
        yield made
    log_spool.close()


# ---- the children's door -------------------------------------------------------------------------------------------


def set_up_logging(name: str, *, debug: bool) -> None:
    """Lines on stderr: when, how bad, which process, what."""
    logging.basicConfig(
        level=logging.DEBUG if debug else logging.INFO,
        format=f"%(asctime)s %(levelname)s {name}: %(message)s",
        stream=sys.stderr,
    )
    for chatty in ("uvicorn", "asyncio", "httpx", "httpcore"):  # httpx has a line for each question
        logging.getLogger(chatty).setLevel(logging.WARNING)


def handed_settings() -> Settings:
    """The settings from the pipe; from then on, a thread waits for its end."""
    data = b""
    while not data.endswith(b"\n"):
        part = os.read(0, 65536)
        if not part:
            raise ConfigError("this process is started by `voltrail run`, not by hand")
        data += part
    threading.Thread(target=_watch_parent, daemon=True).start()
    return config.parse(data)


def _watch_parent() -> None:
    while os.read(0, 65536):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _child(role: str, words: list[str]) -> None:
    set_up_logging(" ".join([role, *words]) if role == "feeder" else role, debug=bool(os.environ.get("VOLTRAIL_DEBUG")))
    settings = handed_settings()
    if role == "receiver":
        with asyncio.Runner(loop_factory=_loop()) as runner:
            runner.run(receive(settings, socket.socket(fileno=int(words[0]))))
    else:
        feed(settings, words[0], Stop(signal.SIGTERM))


def _loop() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop
    except ImportError:  # there is none for Windows
        return asyncio.new_event_loop
    return uvloop.new_event_loop


def main() -> None:
    """`python -m logger.service receiver HANDLE`, or `feeder SINK`: what the supervisor starts, and nobody else."""
    try:
        _child(sys.argv[1], sys.argv[2:])
    except LoggerError as error:
        log.error("%s", error)
        sys.exit(1)


if __name__ == "__main__":
    main()
