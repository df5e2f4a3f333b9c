"""The process of the live page: `logger.live`, and the places of the settings, which analyses know."""

import asyncio
import logging
import os
import socket
import sys

import polars as pl

from analytics.stays.places import placed
from logger.errors import LoggerError
from logger.service.child import receive_settings, set_up_logging
from logger.service.live import serve_live
from logger.settings.schema import Settings

log = logging.getLogger(__name__)


def main() -> None:
    """`python -m dashboards.live HANDLE`: what the supervisor starts, and nobody else."""
    set_up_logging("live", debug=bool(os.environ.get("VOLTRAIL_DEBUG")))
    try:
        settings = receive_settings()
        asyncio.run(serve_live(settings, socket.socket(fileno=int(sys.argv[1])), lambda rows: places(rows, settings)))
    except LoggerError as error:
        log.error("%s", error)
        sys.exit(1)


def places(rows: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Return the rows with the place of each position, and without positions in private places."""
    return placed(rows, settings.places, ("lat_deg", "lon_deg", "place"))


if __name__ == "__main__":
    main()
