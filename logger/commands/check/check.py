"""`voltrail check`: look at everything that a collector needs, go on whatever fails, change nothing."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path

from logger.commands.check.clouds import logins
from logger.commands.check.disks import disks
from logger.commands.check.door import port, push_addresses
from logger.commands.check.finding import Finding, error, lines, warning
from logger.commands.check.influx import influx
from logger.commands.check.settings import loaded, zones
from logger.commands.check.stores import spool, tables
from logger.commands.check.voices import voices
from logger.errors import LoggerError
from logger.settings.schema import Settings

__all__ = ["Finding", "check", "lines"]

_Look = Callable[[Settings], Iterable[Finding]]
_PLACES: Mapping[str, _Look] = {  # what needs to know where things lie
    "disks": disks,
    "port": port,
    "push addresses": push_addresses,
    "spool": spool,
    "lake": tables,
    "influx": influx,
    "vehicles": voices,
}


def check(path: Path | None, environment: Mapping[str, str] = os.environ) -> list[Finding]:
    """What can be found out about the settings at `path` (None: the embedded default) and all that they lead to."""
    told = loaded(path, environment)
    found = [*told.findings, *_looked("time zones", zones)]
    for about, look in {"clouds": logins, **(_PLACES if told.placed else {})}.items():
        found += _looked(about, partial(look, told.settings))
    if not told.placed:
        found.append(warning("the rest", f"not looked at: {', '.join(_PLACES)}", "mend the settings first"))
    return found


def _looked(about: str, look: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """What this look finds; whatever goes wrong with it is a finding too."""
    try:
        yield from look()
    except LoggerError as failure:
        yield error(about, str(failure), "mend this, then check again")
    except OSError as failure:
        yield error(about, str(failure), "mend that, or check as the user that runs voltrail")
    except Exception as failure:  # one look that fails must not hide what the others see
        text = f"this could not be looked at: {type(failure).__name__}: {failure}"
        yield error(about, text, "a fault of voltrail's own, it seems: please tell its makers")
