"""What accounts have in common that know their vehicles by a list, or take any that has a right id."""

from collections.abc import Callable, Mapping, Sequence

from logger.mapping import Shape
from logger.settings.schema import Settings, Source
from logger.sources.addresses import is_vehicle_id
from logger.sources.contract import Account, Webhook
from logger.sources.models import vehicles_by_model


class ListedAccount(Account):
    """An account without a webhook, where its kind does not say otherwise."""

    account_id = ""
    variants: Sequence[tuple[frozenset[str], Mapping[str, Shape]]] = ()
    webhook: Webhook | None = None

    def __init__(self, account: Source, settings: Settings) -> None:
        self.name, self.vehicles, self._folder = account.name, account.listed, settings.data_dir
        self._known = frozenset(account.listed)
        self._takes_all = account.vehicles == "all" or account.unknown_vehicles == "accept"

    def is_known(self, vehicle: str) -> bool:
        """Whether this is the id of a vehicle that the account lists, accepts, or whose cloud lists them all."""
        return (self._takes_all or vehicle in self._known) and is_vehicle_id(vehicle)


class CapacityAccount(ListedAccount):
    """An account whose documents are read by the capacity of the vehicle's model [Wh], which `shapes` takes."""

    def __init__(
        self, account: Source, settings: Settings, shapes: Callable[[float | None], Mapping[str, Shape]]
    ) -> None:
        super().__init__(account, settings)
        self.shapes = shapes(settings.model(account.model).capacity_wh)
        others = vehicles_by_model(account, settings)
        self.variants = [(vehicles, shapes(settings.model(name).capacity_wh)) for name, vehicles in others]
