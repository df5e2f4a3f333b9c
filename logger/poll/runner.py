"""Polling one account: its scheduled calls over HTTP, and their answers into the spool."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from logger.envelope import Envelope
from logger.errors import LoggerError, LoginNeeded, Retry
from logger.poll.calls import Call, CallCounts
from logger.poll.client_pool import CONNECTIONS, ClientPool, open_client, wire_calls
from logger.poll.scheduler import Scheduler
from logger.poll.used_calls import UsedCalls
from logger.settings.schema import Polling
from logger.sources.contract import Account, Cloud, PollOutcome
from logger.spool.group_commit import GroupCommit

log = logging.getLogger(__name__)

_SAVE_EVERY_S = 60.0
_LIST_EVERY_S = 6 * 3600.0
_FINISH_S = 3.0  # what a call under way may still take when polling ends: its answer was paid for
_QUIET_S = 10.0  # a cloud in trouble gives a line in so many seconds, not one a call


class PollRunner:
    """Polls one account; `resting` are its vehicles out of service.

    `observe_delay` gets the delay of each call [s], `vehicles_listed` the numbers of new vehicles of a listing cloud.
    """

    def __init__(
        self,
        account: Account,
        cloud: Cloud,
        commits: GroupCommit,
        folder: Path,
        polling: Polling | None = None,
        *,
        resting: frozenset[str] = frozenset(),
        observe_delay: Callable[[float], None] = lambda seconds: None,
        vehicles_listed: Callable[[Sequence[str]], Awaitable[None]] | None = None,
    ) -> None:
        self._account, self._cloud, self._commits, self._resting = account, cloud, commits, resting
        self._vehicles_listed = vehicles_listed
        self.name, self.queries = account.name, cloud.queries
        self._used = UsedCalls(folder, account.name)
        limits = polling or Polling()
        self.scheduler = Scheduler(
            cloud.schedule(),
            time.monotonic(),
            budget=limits.calls,
            period=limits.per,
            per_vehicle=cloud.calls_per_vehicle,
            costs=cloud.costs,
            used=self._used.total,
            observe_delay=observe_delay,
            rest_s=self._rest_s,
        )
        self._add(account.vehicles)
        self._under_way: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self.trouble = ""
        self._quiet_until, self._unlogged = 0.0, 0

    # ---- on schedule -----------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Poll until cancelled."""
        async with ClientPool() as clients:
            others = [asyncio.create_task(self._save_used())]
            if self._cloud.polls_all:
                others.append(asyncio.create_task(self._list_vehicles()))
            try:
                while True:
                    await self._pause(self._begin(clients))
            finally:
                for task in others:
                    task.cancel()
                await self._finish()
                self.save_used()

    def push_received(self, push: Envelope) -> None:
        """A push is on disk: queries for the same values are skipped, and its vehicle's state is known."""
        seen = self._account.glance(push)
        self.scheduler.push_received(seen.vehicle, push.path, seen.state, time.monotonic())

    def _begin(self, clients: ClientPool) -> float:
        """Make the calls that are due and have a free connection; return how long there is nothing more to do [s]."""
        now = time.monotonic()
        try:
            for call in self.scheduler.due_calls(CONNECTIONS - len(self._under_way), now, datetime.now(UTC)):
                task = asyncio.create_task(self._make(clients, call))
                self._under_way.add(task)
                task.add_done_callback(self._done)
            return self.scheduler.wait_s(now)
        except Exception:  # a fault of ours must not be the end of polling
            log.exception("scheduling failed")
            return _QUIET_S

    async def _make(self, clients: ClientPool, call: Call) -> None:
        try:
            outcome, answer = await self.request(clients, call)
            await self.store(answer)
        except (Retry, LoginNeeded) as error:
            self._handle_failure(call, error)
            return
        except Exception as error:  # a fault of ours must not be the end of polling
            log.exception("polling failed")
            self._handle_failure(call, Retry(f"{self._account.name}: polling failed: {type(error).__name__}", after=60))
            return
        now = time.monotonic()
        self.scheduler.record_answer(call, outcome, self._account.glance(answer).state, now)
        if not self.scheduler.failing and not self.scheduler.breaker.pause_s(now):
            self.trouble = ""

    async def request(self, clients: ClientPool, call: Call) -> tuple[PollOutcome, Envelope]:
        """Make a call. Raises `Retry` and `LoginNeeded`."""
        try:
            with clients.free() as http:
                answer, outcome = await self._cloud.request(http, call.query, call.vehicle)
        finally:
            self.scheduler.count_calls(max(0, wire_calls.get() - 1), datetime.now(UTC))
        return outcome, answer

    async def store(self, answer: Envelope) -> None:
        """Put an answer into the spool. Raises `Retry` where that refuses."""
        failure = await self._commits.put(answer)
        if failure is not None:
            raise failure

    def _handle_failure(self, call: Call, error: LoggerError) -> None:
        now = time.monotonic()
        again_s = self.scheduler.record_failure(call, error, now)
        self.trouble = str(error)
        if now < self._quiet_until:
            self._unlogged += 1
            return
        more = f" ({self._unlogged} more like it before)" if self._unlogged else ""
        log.error("%s; polling again in %.0f s%s", error, again_s, more)
        self._quiet_until, self._unlogged = now + _QUIET_S, 0

    def _done(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._changed.set()

    async def _pause(self, seconds: float) -> None:
        """Wait until something is due, or a call has ended and its connection is free."""
        self._changed.clear()
        full = len(self._under_way) >= CONNECTIONS
        try:
            # not `wait_for`: that swallows a cancellation which comes together with what it waits for
            async with asyncio.timeout(None if full else max(0.01, seconds)):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _finish(self) -> None:
        if self._under_way:
            _, late = await asyncio.wait(self._under_way, timeout=_FINISH_S)
            for call in late:
                call.cancel()
            if late:
                await asyncio.wait(late, timeout=_FINISH_S)

    async def _save_used(self) -> None:
        while True:
            await asyncio.sleep(_SAVE_EVERY_S)
            await self._used.save_in_thread()

    def save_used(self) -> None:
        """Write the calls that were made to disk."""
        self._used.save()

    def _rest_s(self, vehicle: str) -> float:
        rest = self._cloud.rest(vehicle)
        return 0.0 if rest is None else rest.seconds

    def refusal(self, call: Call) -> str:
        """Why this call may not be made by hand now; empty where it may."""
        rest = self._cloud.rest(call.vehicle, by_hand=True)
        if rest is not None:
            return f"not requested: {rest.reason}"
        return self.scheduler.refusal(time.monotonic(), datetime.now(UTC), call.vehicle, call.query)

    # ---- vehicles --------------------------------------------------------------------------------------------------

    def _add(self, vehicles: Sequence[str]) -> list[str]:
        new = [vehicle for vehicle in vehicles if not self.scheduler.knows(vehicle)]
        for vehicle in new:
            self.scheduler.add(vehicle, time.monotonic(), in_service=vehicle not in self._resting)
        return new

    async def _list_vehicles(self) -> None:
        """Poll the cloud's list of vehicles now and again, and add those that are new."""
        while True:
            wait_s = _LIST_EVERY_S
            try:
                await self._add_listed()
            except (Retry, LoginNeeded) as error:
                wait_s = max(_QUIET_S, error.after if isinstance(error, Retry) else 10 * _QUIET_S)
                self.trouble = str(error)
                log.error("%s; listing its vehicles again in %.0f s", error, wait_s)
            except Exception:  # a fault of ours must not be the end of listing
                wait_s = 10 * _QUIET_S
                log.exception("listing vehicles failed; again in %.0f s", wait_s)
            await asyncio.sleep(wait_s)

    async def _add_listed(self) -> None:
        new = self._add(await self.all_vehicles())
        self._changed.set()
        if new and self._vehicles_listed:
            await self._vehicles_listed(new)

    async def all_vehicles(self) -> tuple[str, ...]:
        """The vehicles of the settings, or all that the cloud lists. Raises `Retry` and `LoginNeeded`."""
        return await asyncio.create_task(self._list()) if self._cloud.polls_all else self._account.vehicles

    async def _list(self) -> tuple[str, ...]:
        """The cloud's list, within budget and breaker; in a task of its own, whose calls on the wire count."""
        if refusal := self.scheduler.refusal(time.monotonic(), datetime.now(UTC)):
            raise Retry(f"{self._account.name}: {refusal}", after=60)
        try:
            async with open_client() as http:
                return await self._cloud.list_vehicles(http)
        except (Retry, LoginNeeded) as error:
            self.scheduler.breaker.record_failure(error, time.monotonic())
            raise
        finally:
            self.scheduler.count_calls(wire_calls.get(), datetime.now(UTC))

    # ---- state -----------------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Counts of calls in sum and by query; what waits, fails and is paused."""
        queries = {query: msgspec.structs.asdict(counts) for query, counts in self.scheduler.counts.items()}
        sums = {name: sum(each[name] for each in queries.values()) for name in CallCounts.__struct_fields__}
        return {
            **sums,
            "queries": queries,
            "waiting": self.scheduler.waiting,
            "failing": self.scheduler.failing,
            "pause_s": self.scheduler.breaker.pause_s(time.monotonic()),
            "trouble": self.trouble,
        }
