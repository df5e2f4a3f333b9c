"""What a source is: one account of a vendor that pushes to us, or whose cloud we poll, or both.

Nothing of a message is read before it is in the spool, except its signature and, to schedule polls, what `glance` sees.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol

import httpx
import msgspec

from logger.envelope import Envelope
from logger.mapping import Shape, Step
from logger.settings.fleet import Lock
from logger.settings.schema import STATES as STATES
from logger.settings.schema import Settings
from logger.settings.schema import State as State
from logger.sources.login_check import LoginCheck

PushOutcome = Literal["taken", "forged", "refused", "full", "unknown"]
PollOutcome = Literal["ok", "unavailable", "unsupported", "unreadable"]


class Reply(msgspec.Struct, frozen=True):
    """An HTTP answer in the vendor's own words."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Headers(Mapping[str, str]):
    """HTTP headers by lower-case name, decoded when read; the values of a repeated one are joined by commas."""

    def __init__(self, raw: Sequence[tuple[bytes, bytes]]) -> None:
        self._raw = raw

    def __getitem__(self, name: str) -> str:
        wanted = name.lower().encode()
        values = [value.decode("latin-1") for key, value in self._raw if key == wanted]
        if not values:
            raise KeyError(name)
        return ", ".join(values)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(key.decode("latin-1") for key, _ in self._raw))

    def __len__(self) -> int:
        return len({key for key, _ in self._raw})


class Glance(msgspec.Struct, frozen=True):
    """What a message shows without being decoded: its vehicle and state, as far as it has them."""

    vehicle: str = ""
    state: State | None = None


class Query(msgspec.Struct, frozen=True):
    """One query of a cloud and its interval by state [s]; a state without one is not polled.

    A fresh push of the kind `skipped_by` holds the same values: the query is skipped then.
    """

    name: str
    every_s: Mapping[State, float]
    skipped_by: str = ""


class Rest(msgspec.Struct, frozen=True):
    """A vehicle is left alone for so long [s], infinite where only a person can end it; `reason` is a sentence."""

    seconds: float
    reason: str


class Traits(msgspec.Struct, frozen=True):
    """What a vendor says of all its vehicles; None where they differ, or nobody knows.

    They are keys of `[vehicles]` too, and what these say of a vehicle wins.
    """

    lock: Lock | None = None
    swappable: bool | None = None
    cadence_s: float | None = None  # how often it speaks while parked [s]


class Webhook(Protocol):
    """The side of an account that its vendor calls, at `{path_prefix}/{account}` and one of these sub-paths."""

    paths: Collection[str]
    max_body_bytes: int
    signatures: Mapping[str, int]  # accepted signatures so far, by the reading of the vendor's rule that matched
    pairs: bool = False  # whether the vendor tests the address, which `accept` answers in a `PairingWindow` alone

    def admits(self, client: str) -> bool:
        """Whether this client address may call."""

    def accept(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Envelope | Reply:
        """Verify the signature over the raw body and wrap it, bytes untouched; or answer a handshake.

        Header names are lower case. Raises `Forged` for a wrong signature, `Refused` for what can never be taken.
        """

    def reply(self, outcome: PushOutcome) -> Reply:
        """The answer that this vendor expects: `full` is a push that was not stored, `unknown` one at a wrong path."""


class Cloud(Protocol):
    """The side of an account that we poll."""

    queries: tuple[str, ...]
    polls_all: bool = False  # whether to poll all vehicles that it lists, as the settings say by `vehicles = "all"`
    calls_per_vehicle: int = 0  # most calls for one vehicle in a month, by the vendor's plan; 0: no limit
    costs: Mapping[str, int] = {}  # calls of that plan that a query costs, where it is not one

    def schedule(self) -> tuple[Query, ...]:
        """The queries to poll regularly; none where the settings have no `[sources.poll]`."""

    def rest(self, vehicle: str, *, by_hand: bool = False) -> Rest | None:
        """Why this vehicle is to be left alone now, by schedule or `by_hand`: a request would cost its 12 V battery."""
        return None

    async def list_vehicles(self, http: httpx.AsyncClient) -> tuple[str, ...]:
        """All vehicles of the account, requested where `polls_all`. Raises as `request`."""
        return ()

    async def request(self, http: httpx.AsyncClient, query: str, vehicle: str) -> tuple[Envelope, PollOutcome]:
        """One answer, bytes untouched, and its outcome.

        `unavailable`: the vehicle cannot answer now; `unsupported`: it never will; `unreadable`: the answer has a form
        that we do not know. Raises `Retry` for what may work later, `LoginNeeded` where the account is refused.
        """

    async def check_login(self, http: httpx.AsyncClient) -> LoginCheck:
        """Log in and request nothing else: is the cloud there, does it know the account, is its clock right?"""


class Consent(Protocol):
    """The side of an account that needs somebody's consent, once, at an address of the vendor."""

    async def address(self, http: httpx.AsyncClient) -> str:
        """The address to open in a browser. Raises `Retry` and `LoginNeeded`."""

    async def redeem(self, http: httpx.AsyncClient, answer: str) -> Sequence[str]:
        """Exchange the code, or the address that it came in, for access; return what was reached, a sentence each.

        Raises `ConfigError` for an answer without a code, `LoginNeeded` for a code that the vendor refuses, `Retry`.
        """


class UploadInterval(msgspec.Struct, frozen=True):
    """How often a vehicle reports position and status, by its state [s]; None: left as it is."""

    location_unlocked_s: int | None = None
    location_locked_s: int | None = None
    status_riding_s: int | None = None
    status_idle_s: int | None = None
    status_locked_s: int | None = None

    @property
    def named(self) -> list[tuple[str, int]]:
        """The values that are to be written, by name."""
        return [(name, value) for name, value in msgspec.structs.asdict(self).items() if value is not None]


class IntervalWriter(Protocol):
    """The side of an account that writes the one setting of vehicles that is ever written, at a person's command."""

    async def write(self, http: httpx.AsyncClient, vehicle: str, interval: UploadInterval) -> str:
        """Write it once, and return why the vehicle did not take it, empty where it did.

        Raises `Retry` where that is not known, `LoginNeeded` where the account is refused.
        """


class Account(Protocol):
    """One account of the settings: what its messages mean, and how they come in."""

    name: str
    provider: str
    traits: Traits = Traits()
    vehicles: tuple[str, ...]
    shapes: Mapping[str, Shape]
    variants: Sequence[tuple[frozenset[str], Mapping[str, Shape]]]
    account_id: str  # what every message must hold in the shape's `account_field`; empty where there is none
    webhook: Webhook | None
    steps: Mapping[str, Step] = {}  # what takes documents apart, by the names that shapes have for it
    interval: IntervalWriter | None = None  # None where the vendor has no such setting
    consent: Consent | None = None  # None where the settings are all that an account needs

    def cloud(self) -> Cloud | None:
        """The cloud to poll; None where the vendor has none. Raises `ConfigError` where its address is unknown."""

    def is_known(self, vehicle: str) -> bool:
        """Whether this vehicle is one of the account's."""

    def glance(self, message: Envelope) -> Glance:
        """The vehicle and state of a message, cheaply; enough to plan polls, never stored."""


class Kind(Protocol):
    """The class of a vendor's accounts: what it says without an account, and how it makes one of its settings."""

    provider: str
    traits: Traits

    def __call__(self, account: Any, settings: Settings, /) -> Account:
        """The account of these settings. Raises `ConfigError`."""
