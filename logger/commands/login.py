"""`voltrail login`: somebody's consent at the vendor, and the vendor's test of a push address."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import httpx

from logger.commands.output import write_note
from logger.errors import ConfigError, UnknownName
from logger.settings.schema import Settings
from logger.sources import accounts
from logger.sources.contract import Account
from logger.sources.pairing import PAIRING_S, open_window
from logger.suggest import nearest

Result = TypeVar("Result")


def log_in(settings: Settings, name: str, *, pair: bool) -> Iterator[str]:
    """Yield the address to open in a browser, ask for the code that it leads to, and yield what was reached.

    With `pair`, open the window for the vendor's test of the push address instead. Raises `ConfigError`, `Retry`, and
    `LoginNeeded` where the vendor refuses.
    """
    account = _account(settings, name)
    if pair:
        yield open_pairing(settings, account)
        return
    consent = account.consent
    if consent is None:
        raise ConfigError(f"sources: {name}: no consent is needed: its settings are all that this account needs")
    yield _with_client(consent.address)
    write_note("The code, or the address at which the browser ends:")
    answer = sys.stdin.readline().strip()
    yield from _with_client(lambda http: consent.redeem(http, answer))


def open_pairing(settings: Settings, account: Account) -> str:
    """Let the receiver answer the vendor's test of the push address for a while; return what to do now."""
    name = account.name
    if account.webhook is None or not account.webhook.pairs:
        raise ConfigError(f"sources: {name}: this vendor does not test a push address, or no key of it is set")
    open_window(settings.data_dir, name)
    address = settings.collector.push_address(name)
    return f"register {address} with the vendor within {PAIRING_S / 60:.0f} minutes, while `voltrail run` is running"


def _account(settings: Settings, name: str) -> Account:
    known = accounts(settings)
    if name not in known:
        raise UnknownName(f"no account {name!r}{nearest(name, known)}; there are: {', '.join(known) or 'none'}")
    return known[name]


def _with_client(action: Callable[[httpx.AsyncClient], Awaitable[Result]]) -> Result:
    async def act() -> Result:
        async with httpx.AsyncClient(follow_redirects=False) as http:
            return await action(http)

    return asyncio.run(act())
