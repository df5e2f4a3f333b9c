"""The analysis process of `voltrail run`: looks at what is new, politely, and ends."""

import logging
import os
import sys
from datetime import UTC, datetime

from analytics.engine.jobs import Wish, analyze
from analytics.engine.rollup_days import roll_when_due
from logger.errors import LoggerError
from logger.notify.notify import tell
from logger.service.child import receive_settings, set_up_logging, take_sigterm
from logger.stores import open_lake

log = logging.getLogger(__name__)

_NICE = 10  # collecting comes first


def main() -> None:
    """`python -m analytics.engine.process`: what the supervisor starts, and nobody else."""
    set_up_logging("analysis", debug=bool(os.environ.get("VOLTRAIL_DEBUG")))
    take_sigterm()
    os.nice(_NICE)
    try:
        settings = receive_settings()
        told = analyze(settings, Wish())
        log.info("%s", ", ".join(f"{each.rows:,} {each.table} of {each.vehicles:,} vehicles" for each in told))
        lake = open_lake(settings)
        roll_when_due(lake, settings.data_dir)  # long ranges of dashboards read rollups
        for message in tell(lake, settings, datetime.now(UTC)):
            log.info("told people: %s", message.title)
    except LoggerError as error:
        log.error("%s", error)
        sys.exit(1)


if __name__ == "__main__":
    main()
