"""What a source is, and the list of all of them, written out by hand."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import httpx

from logger import config
from logger.config import Settings
from logger.fields import Shape
from logger.model import Envelope
from logger.planner import Meaning, Question, State
from logger.sources.greeting import Greeting
from logger.sources.segway import Segway, shapes
from logger.sources.segway_cloud import SegwayCloud, answer_shapes


class Webhook(Protocol):
    """A vendor that calls us. One instance per account."""

    name: str
    provider: str
    vehicles: tuple[str, ...]
    paths: Mapping[str, str]
    shapes: Mapping[str, Shape]
    variants: Sequence[tuple[frozenset[str], Mapping[str, Shape]]]

    def verify(self, body: bytes) -> str:
        """Check the signature over the raw body; returns which reading of the rule matched. Raises `Forged`."""

    def admits(self, client: str) -> bool:
        """Whether this client address may call."""

    def speaks_of(self, push: bytes) -> str:
        """The vehicle of a push, as far as a glance shows it; empty where it does not."""

    def stranger(self, vehicle: str) -> bool:
        """Whether this vehicle is none of the account's."""

    @property
    def bound(self) -> str:
        """What every message must carry to belong to this account."""


class Poller(Protocol):
    """A vendor's cloud that we ask. One instance per account."""

    name: str
    queries: tuple[str, ...]
    vehicles: tuple[str, ...]

    def questions(self) -> tuple[Question, ...]:
        """What to ask by itself, how often in which state; empty where the settings say not to."""

    def speaks_of(self, push: bytes) -> str:
        """The vehicle of a push, as far as a glance shows it; empty where it does not."""

    def state(self, message: bytes) -> State | None:
        """The state that a message tells, as far as a glance shows it."""

    async def ask(self, http: httpx.AsyncClient, query: str, vehicle: str) -> tuple[Envelope, Meaning]:
        """What the vendor says now, bytes untouched, and how to take it.

        Raises `Retry` for what may work later, `LoginNeeded` where the account itself is refused.
        """

    async def hello(self, http: httpx.AsyncClient) -> Greeting:
        """Log in and ask for nothing: whether the cloud is there, knows the account, and what its clock says."""


def webhooks(settings: Settings) -> dict[str, Webhook]:
    """The accounts that call us, by name. Raises `ConfigError`."""
    return {source.name: _segway(source, settings) for source in settings.sources if isinstance(source, config.Segway)}


def _segway(account: config.Segway, settings: Settings) -> Segway:
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


def clouds(accounts: Iterable[config.Source]) -> dict[str, Poller]:
    """The clouds of these accounts, by name. Raises `ConfigError` where nothing says where one is."""
    return {account.name: SegwayCloud(account) for account in accounts if isinstance(account, config.Segway)}
