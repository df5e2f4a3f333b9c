"""Whether reports that come by themselves have somewhere to go, and what became of the last ones; the live page."""

from collections.abc import Iterator

from logger.commands.check.addresses import is_running
from logger.commands.check.finding import Finding, error, ok, warning
from logger.errors import ConfigError
from logger.notify.schedule import destinations, failures
from logger.service.supervisor import listening
from logger.settings.schema import Settings


def check_reports(settings: Settings) -> Iterator[Finding]:
    """Yield a finding for each report that did not arrive; none where no reports are wanted."""
    if not (settings.reports.weekly or settings.reports.monthly):
        return
    try:
        places, failed = destinations(settings), failures(settings)
    except ConfigError as failure:
        yield error("reports", str(failure), "see [reports] in docs/reports.md")
        return
    for name, each in failed:
        what = "may not have arrived: the service ended meanwhile" if each.state == "unsure" else each.error
        yield warning("reports", f"{name}: {what}", "see the log; `voltrail report` writes it by hand")
    if not failed:
        yield ok("reports", f"they go to {len(places)} places; none has failed")


def check_live(settings: Settings) -> Iterator[Finding]:
    """Check that the address of the live page is free, where it is on and no voltrail is running."""
    if not settings.live.listen or is_running(settings):
        return
    try:
        with listening(settings.live):
            yield ok("live page", f"{settings.live.listen} is free")
    except ConfigError as failure:
        yield error("live page", str(failure), "end the program that holds it, or change `listen` of [live]")
