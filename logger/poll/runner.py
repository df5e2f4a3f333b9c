"""The asking side of the receiver: carries out each account's plan over HTTP and puts the answers into the spool."""

import asyncio
import contextvars
import json
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Self

import httpx
import msgspec

from logger.atomic import write_file
from logger.errors import LoggerError, LoginNeeded, Retry
from logger.poll.scheduler import Call, CallCounts, Scheduler
from logger.sources.contract import Poller as Cloud
from logger.spool.group_commit import GroupCommit

log = logging.getLogger(__name__)

_CLIENTS, _EACH = 4, 8  # measured: a client of httpx is quickest at 8 calls at once, and slows down beyond
CONNECTIONS = _CLIENTS * _EACH  # a cloud that takes 0.2 s for an answer is asked 40 times a second by 8
_KEEP_S = 60.0
_FINISH_S = 3.0  # what a call under way may still take when asking ends: its answer was paid for
_QUIET_S = 10.0  # a cloud in trouble gives a line in so many seconds, not one a call
_calls: contextvars.ContextVar[int] = contextvars.ContextVar("calls", default=0)  # on the wire, of one question


class PollRunner:
    """One account: its cloud, its plan, and the calls under way.

    `calls` is the most that it may make `per` period, `resting` are vehicles out of service.
    """

    def __init__(
        self,
        cloud: Cloud,
        commits: GroupCommit,
        folder: Path,
        calls: int = 0,
        per: Literal["day", "month"] = "day",
        resting: frozenset[str] = frozenset(),
    ) -> None:
        self._cloud, self._commits = cloud, commits
        now = time.monotonic()
        self.planner = Scheduler(cloud.questions(), now, budget=calls, period=per, used=_used(folder, cloud.name))
        for vehicle in cloud.vehicles:
            self.planner.add(vehicle, now, in_service=vehicle not in resting)
        self._file = folder / f"calls-{cloud.name}.json"
        self._under_way: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self.trouble = ""
        self._quiet_until, self._unsaid = 0.0, 0

    async def run(self) -> None:
        """Ask until cancelled."""
        kept = asyncio.create_task(self._keep_used())
        async with ClientPool() as lines:
            try:
                while True:
                    await self._pause(self._begin(lines))
            finally:
                kept.cancel()
                await self._finish()
                self._write_used()

    def _begin(self, lines: "ClientPool") -> float:
        """Make the calls that are due and have a place; returns how long there is nothing more to do [s]."""
        now = time.monotonic()
        try:
            for ask in self.planner.take(CONNECTIONS - len(self._under_way), now, datetime.now(UTC)):
                task = asyncio.create_task(self._ask(lines, ask))
                self._under_way.add(task)
                task.add_done_callback(self._done)
            return self.planner.wait_s(now)
        except Exception:  # a fault of ours must not be the end of asking
            log.exception("planning failed")
            return _QUIET_S

    async def _finish(self) -> None:
        if self._under_way:
            _, late = await asyncio.wait(self._under_way, timeout=_FINISH_S)
            for call in late:
                call.cancel()
            if late:
                await asyncio.wait(late, timeout=_FINISH_S)

    def heard(self, path: str, push: bytes) -> None:
        """A push came in and is on disk."""
        self.planner.heard(self._cloud.speaks_of(push), path, self._cloud.state(push), time.monotonic())

    async def _ask(self, lines: "ClientPool", ask: Call) -> None:
        try:
            with lines.free() as http:
                envelope, meaning = await self._cloud.ask(http, ask.query, ask.vehicle)
        except (Retry, LoginNeeded) as error:
            self._failed(ask, error)
            return
        except Exception as error:  # a fault of ours must not be the end of asking
            log.exception("asking failed")
            self._failed(ask, Retry(f"{self._cloud.name}: asking failed: {type(error).__name__}", after=60))
            return
        finally:
            self.planner.spent(max(0, _calls.get() - 1), datetime.now(UTC))
        failure = await self._commits.put(envelope)
        if failure is not None:
            self._failed(ask, failure)
            return
        now = time.monotonic()
        self.planner.answered(ask, meaning, self._cloud.state(envelope.body), now)
        if not self.planner.failing and not self.planner.paused_s(now):
            self.trouble = ""

    def _failed(self, ask: Call, error: LoggerError) -> None:
        now = time.monotonic()
        again_s = self.planner.failed(ask, error, now)
        self.trouble = str(error)
        if now < self._quiet_until:
            self._unsaid += 1
            return
        more = f" ({self._unsaid} more like it before)" if self._unsaid else ""
        log.error("%s; asking again in %.0f s%s", error, again_s, more)
        self._quiet_until, self._unsaid = now + _QUIET_S, 0

    def _done(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._changed.set()

    async def _pause(self, seconds: float) -> None:
        """Until something is due, or a call came back and left its place free."""
        self._changed.clear()
        full = len(self._under_way) >= CONNECTIONS
        try:
            # not `wait_for`: that swallows a cancellation which comes together with what it waits for
            async with asyncio.timeout(None if full else max(0.01, seconds)):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _keep_used(self) -> None:
        while True:
            await asyncio.sleep(_KEEP_S)
            await asyncio.to_thread(self._write_used)

    def _write_used(self) -> None:
        try:
            write_file(self._file, json.dumps(self.planner.used).encode())
        except OSError as error:
            log.warning("cannot write %s: %s", self._file, error)

    def state(self) -> dict[str, Any]:
        """How the asking goes: counts in sum and by query, what waits, what fails, the rest, and how late it is."""
        queries = {query: msgspec.structs.asdict(counts) for query, counts in self.planner.counts.items()}
        sums = {name: sum(each[name] for each in queries.values()) for name in CallCounts.__struct_fields__}
        return {
            **sums,
            "queries": queries,
            "waiting": self.planner.waiting,
            "failing": self.planner.failing,
            "rests_s": self.planner.paused_s(time.monotonic()),
            "trouble": self.trouble,
            "lateness": self.planner.lateness.told(),
        }


class ClientPool:
    """The HTTP clients of an account; one that has places left is filled first, so that few lines are kept open."""

    def __init__(self) -> None:
        self._clients = [_client() for _ in range(_CLIENTS)]
        self._under_way = [0] * _CLIENTS

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self._clients:
            await client.aclose()

    @contextmanager
    def free(self) -> Iterator[httpx.AsyncClient]:
        """A client with a place for one more call; there is one for each of `CONNECTIONS`."""
        at = next(at for at, calls in enumerate(self._under_way) if calls < _EACH)
        self._under_way[at] += 1
        try:
            yield self._clients[at]
        finally:
            self._under_way[at] -= 1


def _client() -> httpx.AsyncClient:
    async def count(_: httpx.Request) -> None:
        _calls.set(_calls.get() + 1)  # each question is a task, and has a count of its own

    return httpx.AsyncClient(
        limits=httpx.Limits(max_connections=_EACH, max_keepalive_connections=_EACH),
        follow_redirects=False,
        event_hooks={"request": [count]},
    )


def _used(folder: Path, name: str) -> Mapping[str, int]:
    """What earlier runs of this account used of its budget, by period; nothing where the file is no such thing."""
    try:
        told = json.loads((folder / f"calls-{name}.json").read_text())
        return {str(key): int(value) for key, value in told.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        if not isinstance(error, FileNotFoundError):
            log.warning("calls-%s.json cannot be read (%s): the budget begins anew", name, error)
        return {}
