"""What a source is: an account that pushes to us, or whose cloud we ask, or both."""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

import httpx
import msgspec

from logger.envelope import Envelope
from logger.mapping import Shape
from logger.sources.login_check import LoginCheck

State = Literal["riding", "charging", "parked", "offline", "silent", "out_of_service"]
Meaning = Literal["ok", "device", "permanent", "changed"]
STATES: tuple[State, ...] = ("riding", "charging", "parked", "offline", "silent", "out_of_service")


class Query(msgspec.Struct, frozen=True):
    """One query: its interval by state [s]; a state without one is never asked. A push of `spared_by` spares it."""

    query: str
    every_s: Mapping[State, float]
    spared_by: str = ""


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

    def questions(self) -> tuple[Query, ...]:
        """What to ask by itself, how often in which state; empty where the settings say not to."""

    def speaks_of(self, push: bytes) -> str:
        """The vehicle of a push, as far as a glance shows it; empty where it does not."""

    def state(self, message: bytes) -> State | None:
        """The state that a message tells, as far as a glance shows it."""

    async def ask(self, http: httpx.AsyncClient, query: str, vehicle: str) -> tuple[Envelope, Meaning]:
        """What the vendor says now, bytes untouched, and how to take it.

        Raises `Retry` for what may work later, `LoginNeeded` where the account itself is refused.
        """

    async def hello(self, http: httpx.AsyncClient) -> LoginCheck:
        """Log in and ask for nothing: whether the cloud is there, knows the account, and what its clock says."""
