"""`voltrail check`: check everything that a collector needs, go on whatever fails, change nothing."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from logger.commands.check.addresses import check_port, check_push_addresses
from logger.commands.check.clouds import check_logins
from logger.commands.check.dates import check_dates
from logger.commands.check.disks import check_disks
from logger.commands.check.finding import Finding, error, warning
from logger.commands.check.influx import check_influx
from logger.commands.check.reports import check_live, check_reports
from logger.commands.check.settings import check_time_zones, read_parts
from logger.commands.check.stores import check_lake, check_spool
from logger.commands.check.vehicles import check_vehicles
from logger.commands.check.voltages import check_voltages
from logger.commands.output import Block, Cell, Styled, Table, format_count
from logger.errors import LoggerError
from logger.settings.schema import Settings

__all__ = ["Finding", "check_setup", "view"]

_Check = Callable[[Settings], Iterable[Finding]]
_LOCAL_CHECKS: Mapping[str, _Check] = {  # they need to know where data folder and stores are
    "disks": check_disks,
    "port": check_port,
    "push addresses": check_push_addresses,
    "spool": check_spool,
    "lake": check_lake,
    "influx": check_influx,
    "vehicles": check_vehicles,
    "nominal voltage": check_voltages,
    "dates": check_dates,
    "reports": check_reports,
    "live page": check_live,
}
_STYLES = {"ok": "green", "warning": "yellow", "error": "bold red"}


def check_setup(path: Path | None, environment: Mapping[str, str] = os.environ) -> list[Finding]:
    """Return what is right and wrong with the settings at `path` (None: the embedded default) and all they name."""
    loaded = read_parts(path, environment)
    findings = [*loaded.findings, *_findings("time zones", check_time_zones)]
    for about, check in {"clouds": check_logins, **(_LOCAL_CHECKS if loaded.placed else {})}.items():
        findings += _findings(about, partial(check, loaded.settings))
    if not loaded.placed:
        findings.append(warning("the rest", f"not looked at: {', '.join(_LOCAL_CHECKS)}", "mend the settings first"))
    return findings


def _findings(about: str, check: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """Yield the findings of a check; an error of the check itself is a finding too."""
    try:
        yield from check()
    except LoggerError as failure:
        yield error(about, str(failure), "mend this, then check again")
    except OSError as failure:
        yield error(about, str(failure), "mend that, or check as the user that runs voltrail")
    except Exception as failure:  # one check that fails must not hide what the others find
        text = f"this could not be looked at: {type(failure).__name__}: {failure}"
        yield error(about, text, "this looks like a bug in voltrail: please report it")


def view(findings: Sequence[Finding]) -> Iterator[Block]:
    """Yield the findings for people, and how many there are of each level."""
    rows: list[Sequence[Cell]] = []
    for each in findings:
        rows.append((Styled(each.level, _STYLES[each.level]), each.about, each.text))
        if each.remedy:
            rows.append(("", "", Styled(f"-> {each.remedy}", "cyan")))
    errors, warnings = (sum(each.level == level for each in findings) for level in ("error", "warning"))
    yield Table((), rows)
    yield ""
    yield f"{format_count(errors, 'error')}, {format_count(warnings, 'warning')}, {len(findings)} things looked at"
