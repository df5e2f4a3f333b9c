"""The servers that are compared, each a process of its own: the receiver, and servers that do less or the same."""

import asyncio
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from logger.receive.app import Receive, Receiver, Scope, Send
from logger.receive.metrics import ReceiverMetrics
from logger.service.receiver import http_server
from logger.settings.load import encode_settings
from logger.simulator.demo.collector import PREFIX, SECRET, free_port
from logger.sources import accounts
from logger.sources.segway.signature import Verifier
from logger.spool.group_commit import GroupCommit
from logger.spool.log import Spool
from tests.benchmarks.messages import settings

_START_S = 10.0
_HOST = "127.0.0.1"


class Server(msgspec.Struct, frozen=True):
    """A running server: its port and its process id."""

    port: int
    process: int


# ---- starting them -------------------------------------------------------------------------------------------------


@contextmanager
def receiver(folder: Path) -> Iterator[Server]:
    """Run the receiver of `voltrail run`, without its feeder."""
    with socket.create_server((_HOST, 0), backlog=2048) as listener:
        command = [sys.executable, "-m", "logger.service.main", "receiver", str(listener.fileno())]
        with _running(subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[listener.fileno()])) as process:
            assert process.stdin is not None
            process.stdin.write(encode_settings(settings(folder)) + b"\n")
            process.stdin.flush()
            yield _wait_until_ready(process, listener.getsockname()[1])


@contextmanager
def other(side: str, folder: Path) -> Iterator[Server]:
    """Run one of `SERVERS`."""
    port = free_port()
    command = [sys.executable, "-m", __name__, side, str(port), str(folder)]
    with _running(subprocess.Popen(command)) as process:
        yield _wait_until_ready(process, port)


@contextmanager
def _running(process: "subprocess.Popen[bytes]") -> Iterator["subprocess.Popen[bytes]"]:
    with process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(_START_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_until_ready(process: "subprocess.Popen[bytes]", port: int) -> Server:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection((_HOST, port), timeout=1).close()
            return Server(port, process.pid)
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"a server did not start: {process.args!r}")


# ---- the servers ---------------------------------------------------------------------------------------------------


async def empty(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the body and answer the receiver's ten bytes."""
    more = True
    while more:
        more = (await receive()).get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]})
    await send({"type": "http.response.body", "body": b'{"code":0}'})


async def _empty_on_uvicorn(port: int, folder: Path) -> None:
    await http_server(empty).serve([socket.create_server((_HOST, port), backlog=2048)])


async def _empty_on_granian(port: int, folder: Path) -> None:
    await _granian(empty, port)


async def _durable_on_granian(port: int, folder: Path) -> None:
    known = accounts(settings(folder))
    metrics = ReceiverMetrics(dict)
    commits = GroupCommit(Spool(folder).append, metrics.count_commit)
    await _granian(Receiver(known, PREFIX, commits, metrics, str), port)


async def _granian(app: Callable[[Scope, Receive, Send], Awaitable[None]], port: int) -> None:
    from granian.constants import HTTPModes, Interfaces
    from granian.server.embed import Server as Granian

    server = Granian(
        app, _HOST, port, interface=Interfaces.ASGINL, http=HTTPModes.http1, websockets=False, log_enabled=False
    )
    await server.serve()


async def _plain_fastapi(port: int, folder: Path) -> None:
    """Serve the simplest solution: FastAPI, one durable commit for each request."""
    from fastapi import FastAPI, Request

    verifier = Verifier(SECRET)
    folder.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(folder / "plain.db", isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE messages (id INTEGER PRIMARY KEY, kind TEXT, at INTEGER, body BLOB)")
    app = FastAPI()

    @app.post(f"{PREFIX}/segway/v2/vehicle/{{kind}}")
    async def push(kind: str, request: Request) -> dict[str, int]:
        body = await request.body()
        verifier.verify(body)
        now = time.time_ns() // 1_000_000
        db.execute("INSERT INTO messages (kind, at, body) VALUES (?, ?, ?)", (kind, now, body))
        return {"code": 0}

    await http_server(app).serve([socket.create_server((_HOST, port), backlog=2048)])


SERVERS: dict[str, Callable[[int, Path], Coroutine[Any, Any, None]]] = {
    "empty": _empty_on_uvicorn,
    "fastapi": _plain_fastapi,
    "granian-empty": _empty_on_granian,
    "granian-durable": _durable_on_granian,
}


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(SERVERS[sys.argv[1]](int(sys.argv[2]), Path(sys.argv[3])))
