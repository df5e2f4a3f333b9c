"""Tell people what is new: a message for a kind of cause, once a target until it is over, none in quiet hours."""

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from logger.atomic import write_file
from logger.notify.causes import Cause, causes
from logger.notify.schedule import Destination
from logger.notify.targets import addresses, send
from logger.settings.schema import Settings
from logger.stores.contract import Store

log = logging.getLogger(__name__)
_FILE = "notified.json"
_MOST_LINES = 20


class Message(msgspec.Struct, frozen=True):
    """What is sent: a title, and a line for each cause of a kind."""

    title: str
    lines: tuple[str, ...]

    @property
    def body(self) -> str:
        """The lines, with the number of those that are left out."""
        left = len(self.lines) - _MOST_LINES
        return "\n".join([*self.lines[:_MOST_LINES], *([f"… and {left} more"] if left > 0 else [])])


def tell(store: Store, settings: Settings, now: datetime) -> list[Message]:
    """Send to every target what it was not told yet, and return what one of them took.

    What a target does not take is tried again the next time, for this target alone. Raises `Retry` where the store
    cannot be read, `ConfigError` for an address that Apprise does not know.
    """
    if not settings.notify.targets:
        return []
    path, quiet = settings.data_dir / _FILE, is_quiet(settings, now)
    known, found = _read(path), causes(store, settings, now)
    targets = [Destination(address) for address in addresses(settings.notify.targets)]
    told = {target.digest: known.get(target.digest, set()) for target in targets}
    start, sent = dict(told), []
    for target in targets:
        before = told[target.digest]
        lasting = [cause for cause in found if cause.begins or (cause.key in before and not cause.ends)]
        told[target.digest] = before & {cause.key for cause in lasting}
        for message, keys in _messages([each for each in lasting if each.key not in before], quiet):
            if _take(target, message):
                told[target.digest] |= keys
                _write(path, told)  # before the next message: whoever is killed now repeats none
                sent.append(message)
    if told != start:
        _write(path, told)
    return list(dict.fromkeys(sent))


def _take(target: Destination, message: Message) -> bool:
    (delivery,) = send(target.address, message.title, message.body)
    if not delivery.sent:
        log.warning("%s was not told: %s", delivery.target, message.title)
    return delivery.sent


def is_quiet(settings: Settings, now: datetime) -> bool:
    """Return whether these are quiet hours, by the local time of the collector."""
    begin, end = settings.notify.quiet_from, settings.notify.quiet_until
    if not begin or not end:
        return False
    local = now.astimezone(ZoneInfo(settings.collector.timezone)).time()
    since, until = time.fromisoformat(begin), time.fromisoformat(end)
    return since <= local < until if since <= until else local >= since or local < until


def _messages(new: Iterable[Cause], quiet: bool) -> Iterable[tuple[Message, set[str]]]:
    """Yield one message for each kind, with the keys of its causes; in quiet hours of what is urgent alone."""
    found = [cause for cause in new if cause.urgent or not quiet]
    for kind in dict.fromkeys(cause.kind for cause in found):
        same = [cause for cause in found if cause.kind == kind]
        title = f"voltrail: {kind}" + (f" ({len(same)})" if len(same) > 1 else "")
        yield Message(title, tuple(cause.text for cause in same)), {cause.key for cause in same}


def _write(path: Path, told: Mapping[str, set[str]]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, msgspec.json.encode({target: sorted(keys) for target, keys in told.items()}))
    except OSError as error:  # people know; at worst they are told again
        log.warning("cannot write %s: %s", path, error)


def _read(path: Path) -> dict[str, set[str]]:
    """The keys of the causes that each target was told and that last, by the digest of its address."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, set[str]])
    except (OSError, msgspec.DecodeError):
        return {}  # at worst something is told twice
