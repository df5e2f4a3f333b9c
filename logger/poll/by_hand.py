"""Polling by hand: every query of some vehicles once, now, within the budget and circuit breaker of the schedule."""

import asyncio
import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from logger.errors import LoginNeeded, Retry
from logger.poll.calls import Call
from logger.poll.client_pool import EACH, ClientPool
from logger.poll.runner import PollRunner

log = logging.getLogger(__name__)


class CallResult(msgspec.Struct, frozen=True):
    """The outcome of one query of one vehicle: `ok`, `unavailable`, `unsupported`, `unreadable`, or `failed`."""

    source: str
    vehicle: str
    query: str
    outcome: str
    reason: str = ""


async def poll_now(runner: PollRunner, vehicles: Sequence[str]) -> list[CallResult]:
    """Make every query of these vehicles once and store the answers.

    No call is made once the budget is used up or the cloud is in trouble: it refused the login, wants to be left
    alone, or failed three times in a row. Raises `Retry` where the spool refuses an answer.
    """
    calls = [Call(vehicle, query, 0.0, 0.0) for vehicle in vehicles for query in runner.queries]
    places = asyncio.Semaphore(EACH)
    async with ClientPool() as clients:
        results = await asyncio.gather(
            *(_poll(runner, clients, places, each) for each in calls), return_exceptions=True
        )
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if isinstance(result, CallResult)]


def list_failure(runner: PollRunner, error: Exception) -> CallResult:
    """The result of an account whose cloud does not list its vehicles."""
    return CallResult(runner.name, "", "list of vehicles", "failed", _one_line(error))


async def _poll(runner: PollRunner, clients: ClientPool, places: asyncio.Semaphore, call: Call) -> CallResult:
    async with places:
        return await asyncio.create_task(_make(runner, clients, call))  # a task has its own count of calls on the wire


async def _make(runner: PollRunner, clients: ClientPool, call: Call) -> CallResult:
    def result(outcome: str, reason: str = "") -> CallResult:
        return CallResult(runner.name, call.vehicle, call.query, outcome, reason)

    if refusal := runner.refusal(call):
        return result("failed", refusal)
    runner.scheduler.count_query(call.vehicle, call.query, datetime.now(UTC))
    try:
        outcome, answer = await runner.request(clients, call)
    except (Retry, LoginNeeded) as error:
        runner.scheduler.breaker.record_failure(error, time.monotonic())
        return result("failed", _one_line(error))
    except Exception as error:  # a fault of ours in one call must not cost the others
        log.exception("polling failed")
        return result("failed", f"polling failed: {type(error).__name__}")
    runner.scheduler.breaker.record_success()
    await runner.store(answer)
    return result(outcome)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
