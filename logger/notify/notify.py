"""Tell people what is new: one message for a kind of cause, once until it is over, and none in quiet hours."""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from logger.atomic import write_file
from logger.notify.causes import Cause, causes
from logger.notify.targets import send
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


def tell(
    store: Store, settings: Settings, now: datetime, deliver: Callable[[str, str], bool] | None = None
) -> list[Message]:
    """Send what nobody was told yet, and return it; what cannot be sent is tried again the next time.

    `deliver` sends a title and a text, and says whether anybody got it. Raises `Retry` where the store cannot be read.
    """
    if not settings.notify.targets:
        return []
    send_one = deliver or (lambda title, body: any(each.sent for each in send(settings.notify.targets, title, body)))
    path = settings.data_dir / _FILE
    before, found = _read(path), causes(store, settings, now)
    lasting = [cause for cause in found if cause.begins or (cause.key in before and not cause.ends)]
    told = before & {cause.key for cause in lasting}
    quiet = is_quiet(settings, now)
    new = [cause for cause in lasting if cause.key not in told and (cause.urgent or not quiet)]
    sent = []
    for message, keys in _messages(new):
        if send_one(message.title, message.body):
            told |= keys
            sent.append(message)
        else:
            log.warning("nobody could be told: %s", message.title)
    if told != before:
        _write(path, told)
    return sent


def is_quiet(settings: Settings, now: datetime) -> bool:
    """Return whether these are quiet hours, by the local time of the collector."""
    begin, end = settings.notify.quiet_from, settings.notify.quiet_until
    if not begin or not end:
        return False
    local = now.astimezone(ZoneInfo(settings.collector.timezone)).time()
    since, until = time.fromisoformat(begin), time.fromisoformat(end)
    return since <= local < until if since <= until else local >= since or local < until


def _messages(found: Sequence[Cause]) -> Iterable[tuple[Message, set[str]]]:
    """Yield one message for each kind, with the keys of its causes."""
    for kind in dict.fromkeys(cause.kind for cause in found):
        same = [cause for cause in found if cause.kind == kind]
        title = f"voltrail: {kind}" + (f" ({len(same)})" if len(same) > 1 else "")
        yield Message(title, tuple(cause.text for cause in same)), {cause.key for cause in same}


def _write(path: Path, told: set[str]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, msgspec.json.encode(sorted(told)))
    except OSError as error:  # people know; at worst they are told again
        log.warning("cannot write %s: %s", path, error)


def _read(path: Path) -> set[str]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=set[str])
    except (OSError, msgspec.DecodeError):
        return set()  # at worst something is told twice
