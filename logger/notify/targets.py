"""Where messages go: mail, webhooks and chats, through Apprise, each address on a line of its own."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from logger.errors import ConfigError


class Delivery(msgspec.Struct, frozen=True):
    """Whether a target took a message; `target` is its address without what is secret in it."""

    target: str
    sent: bool


def addresses(text: str) -> list[str]:
    """Return the addresses in the file of targets; empty lines and those that begin with `#` are left out."""
    return [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]


def send(targets: str, title: str, body: str, attached: Path | None = None) -> list[Delivery]:
    """Send to every target, with this file where it takes one.

    Raises `ConfigError` for an address that Apprise does not know.
    """
    return list(_send(targets, title, body, attached))


def _send(targets: str, title: str, body: str, attached: Path | None) -> Iterator[Delivery]:
    from apprise import Apprise  # which takes a third of a second to import

    if not addresses(targets):
        raise ConfigError("notify.targets_file: the file holds no address; put each on a line of its own")
    for number, address in enumerate(addresses(targets), 1):
        target = Apprise.instantiate(address, suppress_exceptions=True)
        if target is None:
            kind = address.partition("://")[0]
            raise ConfigError(f"notify.targets: address {number} ({kind}://…) is none that Apprise knows")
        more = {} if attached is None else {"attach": str(attached)}
        yield Delivery(str(target.url(privacy=True)), bool(target.notify(body=body, title=title, **more)))  # type: ignore[no-untyped-call]
