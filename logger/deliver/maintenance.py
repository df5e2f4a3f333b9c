"""What each sink needs beside its rows: compaction of the lake, a place and few enough series in InfluxDB."""

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
    """Compacts days that rest for `compact_after_s` and deletes what nothing refers to; `clock` is monotonic [s]."""

    def __init__(
        self, lake: Lake, spool: Spool, compact_after_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._lake, self._spool, self._clock = lake, spool, clock
        self._rest = timedelta(seconds=compact_after_s)
        self.every_s = min(_EVERY_S, max(1.0, compact_after_s))
        self._next_vacuum = clock() + _VACUUM_EVERY_S

    def prepare(self) -> None:
        """Nothing: a table is made with its first row."""

    def run(self) -> None:
        """What is due. Raises `Retry`."""
        today = datetime.now(UTC)
        self._lake.tidy(today, self._rest)
        if self._clock() >= self._next_vacuum:
            self._next_vacuum = self._clock() + _VACUUM_EVERY_S
            self._lake.vacuum()
            self._spool.delete_old_archives(today.date().isoformat())


class InfluxMaintenance:
    """Makes the database where it is missing, follows the lake's derived tables, warns of too many series."""

    every_s = _EVERY_S

    def __init__(
        self, influx: Influx, settings: InfluxSettings, follower: Follower, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._influx, self._settings, self._follower, self._clock = influx, settings, follower, clock
        self._next_count = clock()

    def prepare(self) -> None:
        """Make what is missing there. Raises `Retry` and `LoginNeeded`."""
        buckets.make_missing(self._influx.server, self._settings)

    def run(self) -> None:
        """What is due. Raises `Retry` and `LoginNeeded`."""
        self._follower.follow()
        if self._clock() >= self._next_count:
            self._next_count = self._clock() + _COUNT_EVERY_S
            count = buckets.count_series(self._influx.server, self._settings)
            if count >= buckets.MANY_SERIES:
                log.warning("%r bears %d series: see `voltrail check`", self._influx, count)
