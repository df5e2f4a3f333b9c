"""`voltrail check`: look at everything that a collector needs, go on whatever fails, change nothing."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path

from logger.commands.check.addresses import check_port, check_push_addresses
from logger.commands.check.clouds import check_logins
from logger.commands.check.disks import check_disks
from logger.commands.check.finding import Finding, error, lines, warning
from logger.commands.check.influx import check_influx
from logger.commands.check.settings import check_time_zones, read_parts
from logger.commands.check.stores import check_lake, check_spool
from logger.commands.check.vehicles import check_vehicles
from logger.errors import LoggerError
from logger.settings.schema import Settings

__all__ = ["Finding", "check_setup", "lines"]

_Look = Callable[[Settings], Iterable[Finding]]
_PLACES: Mapping[str, _Look] = {  # what needs to know where things lie
    "disks": check_disks,
    "port": check_port,
    "push addresses": check_push_addresses,
    "spool": check_spool,
    "lake": check_lake,
    "influx": check_influx,
    "vehicles": check_vehicles,
}


def check_setup(path: Path | None, environment: Mapping[str, str] = os.environ) -> list[Finding]:
    """What can be found out about the settings at `path` (None: the embedded default) and all that they lead to."""
    told = read_parts(path, environment)
    found = [*told.findings, *_looked("time zones", check_time_zones)]
    for about, look in {"clouds": check_logins, **(_PLACES if told.placed else {})}.items():
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
