"""`voltrail poll --once`: poll now, store, and return the outcomes."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import closing

from logger.envelope import Envelope
from logger.errors import ConfigError
from logger.poll.runner import CallResult, PollRunner
from logger.service.feeder import wait_delivered
from logger.settings.schema import Settings
from logger.sources import accounts, clouds
from logger.spool.group_commit import GroupCommit
from logger.spool.log import Spool
from logger.spool.open import open_spool


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
    try:
        runners = _runners(settings, commits)
        chosen = _chosen({name: await _listed(runner) for name, runner in runners.items()}, vehicles)
        results = [await runners[name].poll_now(numbers) for name, numbers in chosen.items()]
    finally:
        await commits.close()
    return [result for each in results for result in each], last


def _runners(settings: Settings, commits: GroupCommit) -> dict[str, PollRunner]:
    known = accounts(settings)
    limits = {source.name: source.poll for source in settings.sources}
    return {
        name: PollRunner(known[name], cloud, commits, settings.data_dir, limits[name])
        for name, cloud in clouds(known).items()
    }


async def _listed(runner: PollRunner) -> tuple[str, ...]:
    return await runner.list_now() if runner.lists_vehicles else runner.vehicles


def _chosen(known: Mapping[str, Sequence[str]], vehicles: Sequence[str]) -> dict[str, list[str]]:
    """The vehicles to poll, by account. Raises `ConfigError`."""
    everybody = {vehicle for numbers in known.values() for vehicle in numbers}
    missing = [vehicle for vehicle in vehicles if vehicle not in everybody]
    if missing:
        raise ConfigError(f"no account of the settings lists vehicle {missing[0]!r}")
    if not everybody:
        raise ConfigError("no account of the settings lists a vehicle to poll: fill in `vehicles`")
    return {name: [each for each in numbers if not vehicles or each in vehicles] for name, numbers in known.items()}
