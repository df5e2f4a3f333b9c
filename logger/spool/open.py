"""Open the spool that the settings name."""

from logger.settings.schema import Settings
from logger.spool.log import Spool


def open_spool(settings: Settings) -> Spool:
    """Open the spool of these settings. Raises `Retry` where its disk refuses."""
    collector = settings.collector
    return Spool(settings.data_dir, settings.sinks.names, collector.max_bytes, collector.raw_days)
