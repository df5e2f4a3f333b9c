"""Which reports are due, where they go, and what became of each: none is delivered twice.

A delivery is noted before it begins and when it has ended. One that was cut off in between may have arrived: to people
it is not repeated, into a folder it is, where the file takes the place of the one before.
"""

import hashlib
import logging
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from logger.atomic import write_file
from logger.errors import ConfigError
from logger.notify.targets import addresses
from logger.settings.schema import ReportKind, Settings

log = logging.getLogger(__name__)

_FILE = "reports.json"
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=15), timedelta(hours=6)
_DAY = timedelta(days=1)


class Due(msgspec.Struct, frozen=True):
    """A report that is due: its kind, its name and the days that it is of."""

    kind: ReportKind
    name: str
    first: date
    last: date


class Destination(msgspec.Struct, frozen=True):
    """Where a report goes: a folder, or an address of Apprise, of which only a digest is ever written down."""

    address: str
    is_folder: bool = False

    @property
    def digest(self) -> str:
        """What tells it from others."""
        return hashlib.sha256(self.address.encode()).hexdigest()[:12]


class Delivery(msgspec.Struct, frozen=True):
    """What became of one: begun, sent, failed so many times, or cut off so that it may have arrived."""

    state: Literal["begun", "sent", "failed", "unsure"]
    at: datetime
    tries: int = 1
    error: str = ""


def due(settings: Settings, now: datetime) -> list[Due]:
    """Return the newest report of each kind that should have been delivered by now."""
    reports = settings.reports
    local = now.astimezone(ZoneInfo(settings.collector.timezone)).replace(tzinfo=None)
    begun = (local - timedelta(hours=int(reports.at[:2]), minutes=int(reports.at[3:]))).date()
    monday, first = begun - timedelta(days=begun.weekday()), begun.replace(day=1)
    week, month = (monday - 7 * _DAY, monday - _DAY), ((first - _DAY).replace(day=1), first - _DAY)
    return [
        *(Due(kind, f"{kind}-{week[0]:%G-W%V}", *week) for kind in reports.weekly),
        *(Due(kind, f"{kind}-{month[0]:%Y-%m}", *month) for kind in reports.monthly),
    ]


def destinations(settings: Settings) -> list[Destination]:
    """Return where reports go. Raises `ConfigError` where nowhere is set."""
    reports = settings.reports
    targets = reports.targets or ("" if reports.folder else settings.notify.targets)
    found = [Destination(address) for address in addresses(targets)]
    found += [Destination(reports.folder, True)] if reports.folder else []
    if not found:
        raise ConfigError("reports: nowhere to send them: set `folder` or `targets_file`, or targets of [notify]")
    return found


def open_deliveries(settings: Settings, now: datetime) -> Iterator[tuple[Due, Destination]]:
    """Yield what is to be delivered now: what is due, has not arrived, and is not waiting after a failure."""
    wanted = due(settings, now)
    if not wanted:
        return
    known, places = read_deliveries(settings.data_dir), destinations(settings)
    yield from (
        (each, place) for each in wanted for place in places if _is_open(known.get(key(each, place)), place, now)
    )


def _is_open(known: Delivery | None, place: Destination, now: datetime) -> bool:
    if known is None:
        return True
    if known.state == "failed":
        return now >= known.at + min(_LONGEST_WAIT, _FIRST_WAIT * (1 << min(known.tries - 1, 10)))
    return known.state == "begun" and place.is_folder


def next_try(settings: Settings, each: Due, place: Destination) -> int:
    """Return which try the next one is."""
    before = read_deliveries(settings.data_dir).get(key(each, place))
    return 1 + (before.tries if before else 0)


def note(settings: Settings, each: Due, place: Destination, result: Delivery) -> None:
    """Note that a delivery begins, before it does, or what became of it. Raises `OSError`."""
    _write(settings, {**read_deliveries(settings.data_dir), key(each, place): result}, result.at)


def note_cut_off(settings: Settings, now: datetime) -> list[str]:
    """Note that deliveries to people that were begun and never ended may have arrived; return their names."""
    known = read_deliveries(settings.data_dir)
    folders = {place.digest for place in destinations(settings) if place.is_folder}
    cut = [name for name, each in known.items() if each.state == "begun" and name.rpartition(" ")[2] not in folders]
    if cut:
        unsure = {name: Delivery("unsure", now, known[name].tries) for name in cut}
        _write(settings, {**known, **unsure}, now)
    return [name.partition(" ")[0] for name in cut]


def key(each: Due, place: Destination) -> str:
    """Return the name of a report and a digest of where it goes."""
    return f"{each.name} {place.digest}"


def read_deliveries(folder: Path) -> dict[str, Delivery]:
    """Return what became of each delivery that was noted. Raises `ConfigError` where that cannot be read.

    Without it nobody knows what was sent, so nothing may be.
    """
    path = folder / _FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Delivery])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigError(
            f"{path} does not tell which reports were sent: {error}; remove it to send them again"
        ) from error


def _write(settings: Settings, known: Mapping[str, Delivery], now: datetime) -> None:
    """Write what is known of the reports that are due; of others it is of no use any more."""
    names = {each.name for each in due(settings, now)}
    kept = {name: each for name, each in known.items() if name.partition(" ")[0] in names}
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    write_file(settings.data_dir / _FILE, msgspec.json.encode(kept))


def failures(settings: Settings) -> list[tuple[str, Delivery]]:
    """Return the names of the reports that could not be delivered, or may not have arrived."""
    if not (settings.reports.weekly or settings.reports.monthly):
        return []
    wrong = ("failed", "unsure")
    known = read_deliveries(settings.data_dir).items()
    return [(name.partition(" ")[0], each) for name, each in known if each.state in wrong]
