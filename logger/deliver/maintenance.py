"""Periodic work of each sink beside its rows: compaction of the lake; the buckets, copies and series of InfluxDB."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from logger.deliver.follower import Follower
from logger.settings.schema import InfluxSettings
from logger.spool.log import Spool
from logger.stores.influx import buckets
from logger.stores.influx.influx import Influx
from logger.stores.lake.lake import Lake

log = logging.getLogger(__name__)

_EVERY_S = 60.0
_VACUUM_EVERY_S = 1800.0
_COUNT_EVERY_S = 3600.0


class LakeMaintenance:
    """Compacts days that were not written for `compact_after_s` [s], and deletes files that are no longer used.

    `clock` returns monotonic seconds.
    """

    def __init__(
        self, lake: Lake, spool: Spool, compact_after_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._lake, self._spool, self._clock = lake, spool, clock
        self._idle = timedelta(seconds=compact_after_s)
        self.every_s = min(_EVERY_S, max(1.0, compact_after_s))
        self._next_vacuum = clock() + _VACUUM_EVERY_S

    def prepare(self) -> None:
        """Do nothing: a table is created with its first row."""

    def run(self) -> None:
        """Do what is due. Raises `Retry`."""
        now = datetime.now(UTC)
        self._lake.compact_days(now, self._idle)
        if self._clock() >= self._next_vacuum:
            self._next_vacuum = self._clock() + _VACUUM_EVERY_S
            self._lake.vacuum()
            self._spool.delete_old_archives(now.date().isoformat())


class InfluxMaintenance:
    """Creates missing buckets, copies what is replaced in the lake, and warns of too many series.

    `clock` returns monotonic seconds.
    """

    every_s = _EVERY_S

    def __init__(
        self, influx: Influx, settings: InfluxSettings, follower: Follower, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client, self._settings, self._follower, self._clock = influx.client, settings, follower, clock
        self._next_count = clock()

    def prepare(self) -> None:
        """Create the buckets that are missing. Raises `Retry` and `LoginNeeded`."""
        buckets.create_missing(self._client, self._settings)

    def run(self) -> None:
        """Do what is due. Raises `Retry` and `LoginNeeded`."""
        self._follower.follow()
        if self._clock() >= self._next_count:
            self._next_count = self._clock() + _COUNT_EVERY_S
            series = buckets.count_series(self._client, self._settings)
            if series >= buckets.MANY_SERIES:
                log.warning("InfluxDB at %s holds %d series: see `voltrail check`", self._client.url, series)
