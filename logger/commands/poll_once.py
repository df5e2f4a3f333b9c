"""`voltrail poll --once`: poll now, store, and return the outcomes."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing

import msgspec

from logger.commands.output import Block, Table
from logger.envelope import Envelope
from logger.errors import ConfigError, LoggerError, LoginNeeded, Retry
from logger.poll.by_hand import CallResult, list_failure, poll_now
from logger.poll.runner import PollRunner
from logger.service.feeder import wait_delivered
from logger.settings.schema import Settings
from logger.sources import accounts, clouds
from logger.spool.group_commit import GroupCommit
from logger.spool.log import Spool
from logger.spool.open import open_spool
from logger.suggest import nearest


def poll_once(settings: Settings, vehicles: Sequence[str] = ()) -> list[CallResult]:
    """Make every query of these vehicles (of all in the settings where none is named); store the answers in every sink.

    The calls count against each account's budget. Raises `ConfigError` for a vehicle that no account has, `Retry` where
    the disk or a sink refuses.
    """
    with closing(open_spool(settings)) as log:
        results, last = asyncio.run(_poll(settings, log, vehicles))
    if last:
        wait_delivered(settings, last, lambda waiting: None)
    return results


async def _poll(settings: Settings, log: Spool, vehicles: Sequence[str]) -> tuple[list[CallResult], int]:
    """The outcomes, and the sequence of the last answer in the spool (0: none)."""
    last = 0

    def append(envelopes: Sequence[Envelope]) -> int:
        nonlocal last
        last = log.append(envelopes)
        return last

    commits = GroupCommit(append)
    runners = _runners(settings, commits)
    try:
        results = await _poll_all(runners, vehicles)
    finally:
        await commits.close()
        for runner in runners:
            runner.save_used()
    return results, last


async def _poll_all(runners: Sequence[PollRunner], vehicles: Sequence[str]) -> list[CallResult]:
    known: dict[str, Sequence[str]] = {}
    failures: list[CallResult] = []
    for runner in runners:
        try:
            known[runner.name] = await runner.all_vehicles()
        except (Retry, LoginNeeded) as error:
            failures.append(list_failure(runner, error))
    chosen = _choose(known, vehicles, some_unknown=bool(failures))
    polls = [poll_now(runner, chosen[runner.name]) for runner in runners if chosen.get(runner.name)]
    return [*failures, *(result for results in await asyncio.gather(*polls) for result in results)]


def _runners(settings: Settings, commits: GroupCommit) -> list[PollRunner]:
    known = accounts(settings)
    limits = {source.name: source.poll for source in settings.sources}
    return [
        PollRunner(known[name], cloud, commits, settings.data_dir, limits[name])
        for name, cloud in clouds(known).items()
    ]


def _choose(known: Mapping[str, Sequence[str]], vehicles: Sequence[str], *, some_unknown: bool) -> dict[str, list[str]]:
    """The vehicles to poll, by account. Raises `ConfigError` for one that no account has, as far as all are known."""
    listed = [vehicle for numbers in known.values() for vehicle in numbers]
    missing = [vehicle for vehicle in vehicles if vehicle not in listed]
    if missing and not some_unknown:
        near = nearest(missing[0], tuple(listed))
        raise ConfigError(f"no account lists the vehicle {missing[0]!r}{near}: add it to `vehicles` of its account")
    if not listed and not some_unknown:
        raise ConfigError("no account of the settings lists a vehicle to poll: fill in `vehicles`")
    return {name: [each for each in numbers if not vehicles or each in vehicles] for name, numbers in known.items()}


def view(results: Sequence[CallResult]) -> Iterator[Block]:
    """Yield the outcomes for people."""
    yield Table((), [msgspec.structs.astuple(each)[1:] for each in results])


def raise_for_failed(results: Sequence[CallResult]) -> None:
    """Raise `LoggerError` where a query got no answer."""
    if failed := [each for each in results if each.outcome == "failed"]:
        raise LoggerError(f"{len(failed)} of {len(results)} queries got no answer: {failed[0].reason}")
