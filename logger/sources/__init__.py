"""The accounts of the settings; every kind of source is one line here."""

from collections.abc import Callable, Mapping
from typing import Any

from logger.settings import schema
from logger.settings.schema import Settings
from logger.sources.contract import Account, Cloud
from logger.sources.segway.account import SegwayAccount

KINDS: Mapping[type, Callable[[Any, Settings], Account]] = {
    schema.Segway: SegwayAccount,
}


def accounts(settings: Settings) -> dict[str, Account]:
    """Every account of the settings, by name. Raises `ConfigError`."""
    return {source.name: KINDS[type(source)](source, settings) for source in settings.sources}


def clouds(accounts: Mapping[str, Account]) -> dict[str, Cloud]:
    """The clouds of those accounts that have one, by name. Raises `ConfigError` where its address is unknown."""
    found = {name: account.cloud() for name, account in accounts.items()}
    return {name: cloud for name, cloud in found.items() if cloud is not None}
