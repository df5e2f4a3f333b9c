"""`voltrail poll --once`: ask now, store, tell what came."""

import asyncio
from collections.abc import Mapping, Sequence

import httpx
import msgspec

from logger.envelope import Envelope
from logger.errors import ConfigError, LoggerError, LoginNeeded, Retry
from logger.service.feeder import wait_delivered
from logger.settings.schema import Settings
from logger.sources import clouds
from logger.sources.contract import Poller
from logger.spool.open import open_spool

_AT_ONCE = 8  # measured: httpx sends a thousand requests a second at 8 at once, and ever fewer beyond


class PollResult(msgspec.Struct, frozen=True):
    """What one question got: `ok`, `device`, `permanent`, `changed`, or `failed` with its reason."""

    source: str
    vehicle: str
    query: str
    meaning: str
    reason: str = ""


def poll_once(settings: Settings, vehicles: Sequence[str] = ()) -> list[PollResult]:
    """Ask every query of these vehicles (all of the settings where none is named), store the answers in every sink.

    Raises `ConfigError` for a vehicle that no account has, `Retry` where the disk or a sink refuses.
    """
    chosen = _chosen(clouds(settings.sources), vehicles)
    answers = asyncio.run(_asked(chosen))
    envelopes = [envelope for _, envelope in answers if envelope is not None]
    if envelopes:
        log = open_spool(settings)
        last = log.append(envelopes)
        log.close()
        wait_delivered(settings, last, lambda waiting: None)
    return [told for told, _ in answers]


def _chosen(accounts: Mapping[str, Poller], vehicles: Sequence[str]) -> list[tuple[Poller, str]]:
    all_of_them = [(account, vehicle) for account in accounts.values() for vehicle in account.vehicles]
    missing = [vehicle for vehicle in vehicles if vehicle not in {known for _, known in all_of_them}]
    if missing:
        raise ConfigError(f"no account of the settings lists vehicle {missing[0]!r}")
    if not all_of_them:
        raise ConfigError("no account of the settings lists a vehicle to ask: fill in `vehicles`")
    return [(account, vehicle) for account, vehicle in all_of_them if not vehicles or vehicle in vehicles]


async def _asked(chosen: Sequence[tuple[Poller, str]]) -> list[tuple[PollResult, Envelope | None]]:
    places = asyncio.Semaphore(_AT_ONCE)
    async with httpx.AsyncClient() as http:
        asks = [_ask(http, places, account, query, each) for account, each in chosen for query in account.queries]
        return await asyncio.gather(*asks)


async def _ask(
    http: httpx.AsyncClient, places: asyncio.Semaphore, account: Poller, query: str, vehicle: str
) -> tuple[PollResult, Envelope | None]:
    async with places:
        try:
            envelope, meaning = await account.ask(http, query, vehicle)
        except (Retry, LoginNeeded) as error:
            return PollResult(account.name, vehicle, query, "failed", _plain(error)), None
    return PollResult(account.name, vehicle, query, meaning), envelope


def _plain(error: LoggerError) -> str:
    return " ".join(str(error).split())
