"""The asking side of the receiver: carries out each account's plan over HTTP and puts the answers into the spool."""

import asyncio
import json
import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import httpx
import msgspec

from logger.commits import GroupCommit
from logger.errors import LoginNeeded, Retry
from logger.planner import Ask, Counts, Planner
from logger.sources import Poller as Cloud

log = logging.getLogger(__name__)

CONNECTIONS = 8  # measured: httpx sends a thousand requests a second at 8 at once, and ever fewer beyond
_KEEP_S = 60.0


class Poller:
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
        self.planner = Planner(cloud.questions(), now, budget=calls, period=per, used=_used(folder, cloud.name))
        for vehicle in cloud.vehicles:
            self.planner.add(vehicle, now, in_service=vehicle not in resting)
        self._file = folder / f"calls-{cloud.name}.json"
        self._under_way: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self.trouble = ""

    async def run(self) -> None:
        """Ask until cancelled."""
        limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
        kept = asyncio.create_task(self._keep_used())
        async with httpx.AsyncClient(limits=limits, follow_redirects=False) as http:
            try:
                while True:
                    now = time.monotonic()
                    for ask in self.planner.take(CONNECTIONS - len(self._under_way), now, datetime.now(UTC)):
                        task = asyncio.create_task(self._ask(http, ask))
                        self._under_way.add(task)
                        task.add_done_callback(self._done)
                    await self._pause(self.planner.wait_s(now))
            finally:
                calls = [kept, *self._under_way]
                for call in calls:
                    call.cancel()
                await asyncio.gather(*calls, return_exceptions=True)
                self._write_used()

    def heard(self, path: str, push: bytes) -> None:
        """A push came in and is on disk."""
        self.planner.heard(self._cloud.speaks_of(push), path, self._cloud.state(push), time.monotonic())

    async def _ask(self, http: httpx.AsyncClient, ask: Ask) -> None:
        try:
            envelope, meaning = await self._cloud.ask(http, ask.query, ask.vehicle)
        except (Retry, LoginNeeded) as error:
            self.planner.failed(ask, error, time.monotonic())
            self._complain(str(error))
            return
        except Exception as error:  # a fault of ours must not be the end of asking
            log.exception("asking failed")
            self.planner.failed(ask, Retry(str(error), after=60), time.monotonic())
            return
        failure = await self._commits.put(envelope)
        if failure is not None:
            self.planner.failed(ask, failure, time.monotonic())
            self._complain(str(failure))
            return
        now = time.monotonic()
        if not self.planner.paused_s(now):  # else this call was under way when the trouble began
            self.trouble = ""
        self.planner.answered(ask, meaning, self._cloud.state(envelope.body), now)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._changed.set()

    async def _pause(self, seconds: float) -> None:
        """Until something is due, or a call came back and left its place free."""
        self._changed.clear()
        full = len(self._under_way) >= CONNECTIONS
        try:
            await asyncio.wait_for(self._changed.wait(), None if full else max(0.01, seconds))
        except TimeoutError:
            return

    def _complain(self, text: str) -> None:
        if text != self.trouble:  # once for each new trouble, not once a call
            log.error("%s; asking again in %.0f s", text, self.planner.paused_s(time.monotonic()))
        self.trouble = text

    async def _keep_used(self) -> None:
        while True:
            await asyncio.sleep(_KEEP_S)
            self._write_used()

    def _write_used(self) -> None:
        fresh = self._file.with_suffix(".new")
        try:
            fresh.write_text(json.dumps(self.planner.used))
            fresh.replace(self._file)
        except OSError as error:
            log.warning("cannot write %s: %s", self._file, error)

    def state(self) -> dict[str, Any]:
        """How the asking goes: counts in sum and by query, what waits, how long it rests, and its last trouble."""
        queries = {query: msgspec.structs.asdict(counts) for query, counts in self.planner.counts.items()}
        sums = {name: sum(each[name] for each in queries.values()) for name in Counts.__struct_fields__}
        rests = self.planner.paused_s(time.monotonic())
        told = {"waiting": self.planner.waiting, "rests_s": rests, "trouble": self.trouble}
        return {**sums, "queries": queries, **told}


def _used(folder: Path, name: str) -> Mapping[str, int]:
    """What earlier runs of this account used of its budget, by period."""
    try:
        told = json.loads((folder / f"calls-{name}.json").read_text())
    except (OSError, ValueError):
        return {}
    return {str(key): int(value) for key, value in told.items()} if isinstance(told, dict) else {}
