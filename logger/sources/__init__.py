"""What a source is, and the list of all of them, written out by hand."""

from collections.abc import Mapping
from typing import Protocol

from logger import config
from logger.config import Settings
from logger.fields import Shape
from logger.sources.segway import Segway


class Webhook(Protocol):
    """A vendor that calls us. One instance per account."""

    name: str
    provider: str
    paths: Mapping[str, str]
    shapes: Mapping[str, Shape]

    def verify(self, body: bytes) -> str:
        """Check the signature over the raw body; returns which reading of the rule matched. Raises `Forged`."""

    def admits(self, client: str) -> bool:
        """Whether this client address may call."""

    def stranger(self, vehicle: str) -> bool:
        """Whether this vehicle is none of the account's."""

    @property
    def bound(self) -> str:
        """What every message must carry to belong to this account."""


def webhooks(settings: Settings) -> dict[str, Webhook]:
    """The accounts that call us, by name. Raises `ConfigError`."""
    return {
        source.name: Segway(source, settings.model(source.model))
        for source in settings.sources
        if isinstance(source, config.Segway)
    }
