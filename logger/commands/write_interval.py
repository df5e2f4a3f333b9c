"""Writes the interval at which vehicles report, after a question: the work of `voltrail interval`."""

import asyncio
import sys
from collections.abc import Iterator, Sequence

import httpx
import msgspec
import typer

from logger.commands.output import Block, Table
from logger.errors import ConfigError, LoggerError, LoginNeeded, Retry
from logger.settings.schema import Settings
from logger.sources import accounts
from logger.sources.contract import Account, IntervalWriter, UploadInterval
from logger.suggest import nearest


class Written(msgspec.Struct, frozen=True):
    """What became of the interval of one vehicle; `refusal` is empty where the vehicle took it."""

    vehicle: str
    refusal: str


def write_interval(
    settings: Settings, name: str, wish: UploadInterval, vehicles: Sequence[str], *, ask: bool
) -> list[Written]:
    """Write these values to these vehicles of an account, to all where none is named, and `ask` a person before.

    Raises `ConfigError` where that cannot be right or nobody can be asked, `LoggerError` where a person says no.
    """
    account, writer = _writer(settings, name)
    chosen = _vehicles(account, vehicles)
    if not wish.named:
        raise ConfigError("nothing to write: name a value, such as --status-riding 10")
    if ask:
        _ask(wish, chosen)
    return asyncio.run(_write(writer, chosen, wish))


def raise_for_refused(written: Sequence[Written]) -> None:
    """Raise `LoggerError` where a vehicle did not take it."""
    if failed := [each for each in written if each.refusal]:
        raise LoggerError(f"{len(failed)} of {len(written)} vehicles did not take it: {failed[0].refusal}")


def view(written: Sequence[Written]) -> Iterator[Block]:
    """Yield what became of it for people."""
    yield Table((), [(each.vehicle, each.refusal or "written") for each in written])


def _writer(settings: Settings, name: str) -> tuple[Account, IntervalWriter]:
    known = accounts(settings)
    if name not in known:
        raise ConfigError(f"no account {name!r}{nearest(name, known)}; there are: {', '.join(known) or 'none'}")
    writer = known[name].interval
    if writer is None:
        raise ConfigError(f"sources: {name}: its vendor has no such setting, or none that is written from here")
    return known[name], writer


def _vehicles(account: Account, named: Sequence[str]) -> Sequence[str]:
    if unknown := [each for each in named if not account.is_known(each)]:
        near = nearest(unknown[0], account.vehicles)
        raise ConfigError(f"sources: {account.name}: vehicles: no vehicle {unknown[0]!r}{near}")
    if not (named or account.vehicles):
        raise ConfigError(f"sources: {account.name}: vehicles: it lists none: name one with --vehicle")
    return named or account.vehicles


def _ask(wish: UploadInterval, vehicles: Sequence[str]) -> None:
    """Ask a person. Raises `ConfigError` where there is none, and `LoggerError` for any answer but yes."""
    if not sys.stdin.isatty():
        raise ConfigError("this is written to vehicles, and nobody is there to ask: add --yes")
    values = ", ".join(f"{name.removesuffix('_s').replace('_', ' ')} {seconds} s" for name, seconds in wish.named)
    whom = vehicles[0] if len(vehicles) == 1 else f"{len(vehicles)} vehicles"
    if not typer.confirm(f"Write to {whom}: {values}?", err=True):
        raise LoggerError("nothing was written")


async def _write(writer: IntervalWriter, vehicles: Sequence[str], wish: UploadInterval) -> list[Written]:
    """Write to one vehicle after the other, each once; a refused login ends it."""
    written = []
    async with httpx.AsyncClient(follow_redirects=False) as http:
        for vehicle in vehicles:
            try:
                written.append(Written(vehicle, await writer.write(http, vehicle, wish)))
            except Retry as error:
                written.append(Written(vehicle, f"{error}: whether it was written is not known"))
            except LoginNeeded as error:
                written.append(Written(vehicle, str(error)))
                break
    return written
