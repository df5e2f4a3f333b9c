"""The accounts of the settings; every kind of source is one line here."""

from collections.abc import Mapping

from logger.settings import schema
from logger.settings.schema import AccountSettings, Settings
from logger.sources.contract import Account, Cloud, Kind, Traits
from logger.sources.hiven.account import HivenAccount
from logger.sources.saic.account import SaicAccount
from logger.sources.saic_gateway.account import SaicGatewayAccount
from logger.sources.segway.account import SegwayAccount
from logger.sources.smart.account import SmartAccount
from logger.sources.smartcar.account import SmartcarAccount

KINDS: Mapping[type[AccountSettings], Kind] = {
    schema.Segway: SegwayAccount,
    schema.Hiven: HivenAccount,
    schema.Smartcar: SmartcarAccount,
    schema.SaicGateway: SaicGatewayAccount,
    schema.Saic: SaicAccount,
    schema.Smart: SmartAccount,
}
TRAITS: Mapping[str, Traits] = {kind.provider: kind.traits for kind in KINDS.values()}  # by provider


def accounts(settings: Settings) -> dict[str, Account]:
    """Every account of the settings, by name. Raises `ConfigError`."""
    return {source.name: KINDS[type(source)](source, settings) for source in settings.sources}


def clouds(accounts: Mapping[str, Account]) -> dict[str, Cloud]:
    """The clouds of those accounts that have one, by name. Raises `ConfigError` where its address is unknown."""
    found = {name: account.cloud() for name, account in accounts.items()}
    return {name: cloud for name, cloud in found.items() if cloud is not None}
