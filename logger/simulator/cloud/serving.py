"""The HTTP server of a simulated cloud, and a fleet's cloud as a process of its own.

    python -m logger.simulator.cloud.serving --vehicles 3 --days 7 --speed 600

serves a fleet and prints where. The server is small, keeps connections open, and can also cut them within an answer,
which web frameworks cannot.
"""

import argparse
import asyncio
import signal
import threading
import time
from types import TracebackType
from typing import Protocol, Self

import msgspec

from logger.simulator.cloud.cloud import Cloud, Request
from logger.simulator.cloud.failures import Reply
from logger.simulator.vehicle.environment import DAY_S
from logger.simulator.vehicle.fleet import town

_HOST = "127.0.0.1"
_REASONS = {200: "OK", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}


class Answers(Protocol):
    """The part of a cloud that a server needs."""

    def answer(self, request: Request) -> Reply:
        """Return the answer to this call."""


class CloudServer:
    """Serves a cloud on a loopback port while the block lasts, in a thread of its own."""

    def __init__(self, cloud: Answers, port: int = 0) -> None:
        self._cloud, self._port = cloud, port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._connections: set[asyncio.Task[None]] = set()
        self.address = (_HOST, port)

    @property
    def base_url(self) -> str:
        """The value for a source's `base_url`."""
        return f"http://{self.address[0]}:{self.address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._open(), self._loop).result()
        self.address = (_HOST, self._server.sockets[0].getsockname()[1])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _open(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, _HOST, self._port)

    async def _close(self) -> None:
        self._server.close()
        for connection in tuple(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            while (request := await _read_request(reader)) and await _send(self._cloud.answer(request), writer):
                if request.headers.get("connection", "").lower() == "close":
                    return
        except (OSError, asyncio.CancelledError):  # the caller closed the connection, or the block ended
            pass
        finally:
            writer.close()
            self._connections.discard(task)


async def _read_request(reader: asyncio.StreamReader) -> Request | None:
    """Return the next call on this connection, or None at its end."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        return Request(method, target, headers, await reader.readexactly(int(headers.get("content-length", 0))))
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
        return None


async def _send(reply: Reply, writer: asyncio.StreamWriter) -> bool:
    """Send the reply; return whether the connection stays open."""
    if reply.delay_s:
        await asyncio.sleep(reply.delay_s)
    if reply.cut_after == -1:
        return False
    lines = [f"HTTP/1.1 {reply.status} {_REASONS.get(reply.status, 'Error')}", f"Content-Length: {len(reply.body)}"]
    lines += [f"{name}: {value}" for name, value in reply.headers.items()]
    writer.write("\r\n".join([*lines, "", ""]).encode() + reply.body[: reply.cut_after])
    await writer.drain()
    return reply.cut_after is None


# ---- the process ---------------------------------------------------------------------------------------------------


class CloudInfo(msgspec.Struct, frozen=True):
    """What the process prints: at `began_at` [epoch s] it is `start_at`, and time runs `speed` times as fast."""

    base_url: str
    start_at: int
    began_at: float
    speed: float

    def seconds_until(self, at: float) -> float:
        """Return the real time from now until this simulated moment [epoch s]; 0 if it has passed."""
        return max(0.0, self.began_at + (at - self.start_at) / self.speed - time.time())


def main() -> None:
    """Serve a fleet whose time runs at a given speed, until SIGINT or SIGTERM."""
    options, signals = _options(), {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # also for the thread that serves
    began_at: float = time.time() + options.wait
    start_at: int = options.start or int(began_at) - options.days * DAY_S
    with CloudServer(_cloud(options, began_at, start_at), options.port) as server:
        info = CloudInfo(server.base_url, start_at, began_at, options.speed)
        print(msgspec.json.encode(info).decode(), flush=True)
        signal.sigwait(signals)


def _cloud(options: argparse.Namespace, began_at: float, start_at: int) -> Cloud:
    end_at: float = start_at + options.days * DAY_S
    speed: float = options.speed

    def now() -> float:
        return min(end_at, start_at + max(0.0, time.time() - began_at) * speed)

    return Cloud(
        town(options.vehicles, options.seed, start_at, options.days),
        now,
        options.client_id,
        options.client_secret,
        latency_s=options.latency,
        seed=options.seed,
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m logger.simulator.cloud.serving", description=main.__doc__)
    for name, default in (("vehicles", 3), ("days", 7), ("seed", 1), ("port", 0), ("start", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--speed", type=float, default=1.0, help="simulated seconds in a second")
    parser.add_argument("--wait", type=float, default=0.0, help="seconds until its time begins to run")
    parser.add_argument("--latency", type=float, default=0.0, help="median seconds until an answer")
    parser.add_argument("--client-id", default="A00000")
    parser.add_argument("--client-secret", default="simulated-secret")
    return parser.parse_args()


if __name__ == "__main__":
    main()
