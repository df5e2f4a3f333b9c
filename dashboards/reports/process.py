"""The process that makes the reports that are due, delivers them, and ends."""

import logging
import os
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from dashboards.reports.contents import Report
from dashboards.reports.files import content
from dashboards.reports.make import open_data, report
from dashboards.reports.page import period, title
from dashboards.reports.period import Period
from logger.atomic import write_file
from logger.display.formats import Formats
from logger.errors import LoggerError
from logger.notify.schedule import Delivery, Destination, Due, next_try, note, note_cut_off, open_deliveries
from logger.notify.targets import send
from logger.service.child import receive_settings, set_up_logging, take_sigterm
from logger.settings.schema import Settings
from logger.stores import open_lake
from logger.stores.contract import Store

log = logging.getLogger(__name__)

_NICE = 10  # collecting comes first


class Made(msgspec.Struct, frozen=True):
    """A report that is made: the name of its file, the file, and what is told beside it."""

    file: str
    content: bytes
    title: str
    text: str


def deliver_due(
    store: Store, settings: Settings, now: datetime, send_one: Callable[[Destination, Made], None] | None = None
) -> list[str]:
    """Make and deliver every report that is due; return the names of those that arrived somewhere.

    `send_one` delivers one, and raises `LoggerError` or `OSError` where that fails. Raises `ConfigError` where nobody
    knows what was delivered before.
    """
    for name in note_cut_off(settings, now):
        log.error("the report %s may have been sent before the service ended, and is not sent again", name)
    made: dict[str, Made] = {}
    return [
        each.name
        for each, place in list(open_deliveries(settings, now))
        if _deliver(store, settings, each, place, now, made, send_one or deliver)
    ]


def _deliver(
    store: Store, settings: Settings, each: Due, place: Destination, now: datetime, made: dict[str, Made],
    send_one: Callable[[Destination, Made], None],
) -> bool:  # fmt: skip
    tries = next_try(settings, each, place)
    try:
        if each.name not in made:
            made[each.name] = make(store, settings, each, now)
        note(settings, each, place, Delivery("begun", now, tries))
        send_one(place, made[each.name])
    except (LoggerError, OSError) as error:
        log.warning("the report %s could not be delivered (try %d): %s", each.name, tries, error)
        note(settings, each, place, Delivery("failed", now, tries, str(error)))
        return False
    note(settings, each, place, Delivery("sent", now, tries))
    return True


def make(store: Store, settings: Settings, each: Due, now: datetime) -> Made:
    """Return the report as a file, and its figures as text for those who get no file."""
    data = open_data(store, settings, Period(each.first, each.last), now=now)
    found = report(each.kind, data)
    head = f"voltrail: {title(found, data.formats)}, {period(found, data.formats)}"
    form = settings.reports.form
    return Made(
        f"{each.name}.{form}", content(found, data.formats, f".{form}"), head, "\n".join(_lines(found, data.formats))
    )


def _lines(found: Report, formats: Formats) -> Iterator[str]:
    for figure in found.figures:
        ends = formats.interval(figure.low, figure.high, figure.unit)
        value = formats.value(figure.value, figure.unit)
        yield f"{formats.texts(f'figure.{figure.name}')}: {value}{f' ({ends})' if ends else ''}"


def deliver(place: Destination, made: Made) -> None:
    """Write a report into a folder, or send it. Raises `LoggerError` or `OSError`."""
    if place.is_folder:
        Path(place.address).mkdir(parents=True, exist_ok=True)
        write_file(Path(place.address) / made.file, made.content)
        return
    with TemporaryDirectory() as folder:
        file = Path(folder) / made.file
        file.write_bytes(made.content)
        if not all(each.sent for each in send(place.address, made.title, made.text, file)):
            raise LoggerError("the target took no message: check its address and password")


def main() -> None:
    """`python -m dashboards.reports.process`: what the supervisor starts, and nobody else."""
    set_up_logging("reports", debug=bool(os.environ.get("VOLTRAIL_DEBUG")))
    take_sigterm()
    os.nice(_NICE)
    try:
        settings = receive_settings()
        for name in deliver_due(open_lake(settings), settings, datetime.now(UTC)):
            log.info("delivered the report %s", name)
    except (LoggerError, OSError) as error:
        log.error("%s", error)
        sys.exit(1)


if __name__ == "__main__":
    main()
