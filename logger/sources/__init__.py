"""The accounts of the settings, by kind; every source is listed here by hand."""

from collections.abc import Iterable

from logger.mapping import Shape
from logger.settings import schema
from logger.settings.schema import Settings
from logger.sources.contract import Poller, Webhook
from logger.sources.segway.account import Segway
from logger.sources.segway.api import SegwayCloud
from logger.sources.segway.messages import answer_shapes, shapes


def webhooks(settings: Settings) -> dict[str, Webhook]:
    """The accounts that call us, by name. Raises `ConfigError`."""
    return {source.name: _segway(source, settings) for source in settings.sources if isinstance(source, schema.Segway)}


def _segway(account: schema.Segway, settings: Settings) -> Segway:
    """The account; a vehicle whose own model the settings name is read as one of that."""
    models: dict[str, set[str]] = {}
    for number in account.vehicles:
        vehicle = settings.vehicles.get(number)
        if vehicle and vehicle.model and vehicle.model != account.model:
            models.setdefault(vehicle.model, set()).add(number)
    variants = [(frozenset(numbers), _shapes(name, settings)) for name, numbers in models.items()]
    return Segway(account, _shapes(account.model, settings), variants)


def _shapes(model: str, settings: Settings) -> dict[str, Shape]:
    return {**shapes(model, settings.model(model)), **answer_shapes(settings.model(model))}


def clouds(accounts: Iterable[schema.Source]) -> dict[str, Poller]:
    """The clouds of these accounts, by name. Raises `ConfigError` where nothing says where one is."""
    return {account.name: SegwayCloud(account) for account in accounts if isinstance(account, schema.Segway)}
