"""The analysis process of `voltrail run`: looks at what is new, politely, and ends."""

import logging
import os
import sys

from analytics.engine.jobs import Wish, analyze
from logger.errors import LoggerError
from logger.service.child import receive_settings, set_up_logging, take_sigterm

log = logging.getLogger(__name__)

_NICE = 10  # collecting comes first


def main() -> None:
    """`python -m analytics.engine.process`: what the supervisor starts, and nobody else."""
    set_up_logging("analysis", debug=bool(os.environ.get("VOLTRAIL_DEBUG")))
    take_sigterm()
    os.nice(_NICE)
    try:
        told = analyze(receive_settings(), Wish())
    except LoggerError as error:
        log.error("%s", error)
        sys.exit(1)
    log.info("%s", ", ".join(f"{each.rows:,} {each.table} of {each.vehicles:,} vehicles" for each in told))


if __name__ == "__main__":
    main()
