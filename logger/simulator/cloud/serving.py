"""HTTP for a simulated cloud: small, keeps connections open, and can also cut them, which no framework likes to do."""

import argparse
import asyncio
import signal
import threading
import time
from types import TracebackType
from typing import Protocol, Self

import msgspec

from logger.simulator.cloud.cloud import Cloud, Request
from logger.simulator.cloud.mishaps import Reply
from logger.simulator.vehicle.physics import town
from logger.simulator.vehicle.world import DAY_S

_HOST = "127.0.0.1"
_REASONS = {200: "OK", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}


class Answering(Protocol):
    """All that a server needs of a cloud."""

    def answer(self, request: Request) -> Reply:
        """What this call gets."""


class Serving:
    """A cloud on a loopback port while the block lasts, in a thread of its own."""

    def __init__(self, cloud: Answering, port: int = 0) -> None:
        self._cloud, self._port = cloud, port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._calls: set[asyncio.Task[None]] = set()
        self.address = (_HOST, port)

    @property
    def base_url(self) -> str:
        """For a source's `base_url`."""
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
        for call in tuple(self._calls):
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._calls.add(task)
        try:
            while (request := await _request(reader)) and await _answered(self._cloud.answer(request), writer):
                if request.headers.get("connection", "").lower() == "close":
                    return
        except (OSError, asyncio.CancelledError):  # the caller went away, or the block ended: so be it
            pass
        finally:
            writer.close()
            self._calls.discard(task)


async def _request(reader: asyncio.StreamReader) -> Request | None:
    """The next call on this connection; None where there is none."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        return Request(method, target, headers, await reader.readexactly(int(headers.get("content-length", 0))))
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
        return None


async def _answered(reply: Reply, writer: asyncio.StreamWriter) -> bool:
    """Send it; whether the connection lives on."""
    if reply.delay_s:
        await asyncio.sleep(reply.delay_s)
    if reply.cut_after == -1:
        return False
    lines = [f"HTTP/1.1 {reply.status} {_REASONS.get(reply.status, 'Error')}", f"Content-Length: {len(reply.body)}"]
    lines += [f"{name}: {value}" for name, value in reply.headers.items()]
    writer.write("\r\n".join([*lines, "", ""]).encode() + reply.body[: reply.cut_after])
    await writer.drain()
    return reply.cut_after is None


def serve_fleet() -> None:
    """The command: a fleet whose time runs at a given speed, until a signal."""
    told, signals = _options(), {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # for the thread that serves, too
    began: float = time.time() + told.wait
    start_at: int = told.start or int(began) - told.days * DAY_S
    end_at: float = start_at + told.days * DAY_S

    def now() -> float:
        passed_s = max(0.0, time.time() - began) * float(told.speed)
        return min(end_at, start_at + passed_s)

    cloud = Cloud(
        town(told.vehicles, told.seed, start_at, told.days),
        now,
        told.client_id,
        told.client_secret,
        latency_s=told.latency,
        seed=told.seed,
    )
    with Serving(cloud, told.port) as serving:
        where = {"base_url": serving.base_url, "start_at": start_at, "began_at": began, "speed": told.speed}
        print(msgspec.json.encode(where).decode(), flush=True)  # from these anybody can tell the simulated moment
        signal.sigwait(signals)


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(prog="python -m logger.simulator.cloud.cloud", description=serve_fleet.__doc__)
    for name, usual in (("vehicles", 3), ("days", 7), ("seed", 1), ("port", 0), ("start", 0)):
        options.add_argument(f"--{name}", type=int, default=usual)
    options.add_argument("--speed", type=float, default=1.0, help="simulated seconds in a second")
    options.add_argument("--wait", type=float, default=0.0, help="seconds until its time begins to run")
    options.add_argument("--latency", type=float, default=0.0, help="median seconds until an answer")
    options.add_argument("--client-id", default="A00000")
    options.add_argument("--client-secret", default="simulated-secret")
    return options.parse_args()
