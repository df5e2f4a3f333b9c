"""`voltrail copy` and `voltrail check --compare`: the stores of the settings, and nobody else writing meanwhile."""

import time
from contextlib import closing
from datetime import datetime

from logger.errors import ConfigError, Retry
from logger.locks import take_over
from logger.service.feeder import drain_sink
from logger.settings.schema import Settings
from logger.spool.open import open_spool
from logger.stores import open_store
from logger.stores.compare import Difference, Progress, TableCopy, copy_days, differences

_LOOK_S = 0.2
_PATIENCE_S = 60.0


def copy_store(
    settings: Settings,
    source: str,
    target: str,
    since: datetime | None,
    until: datetime | None,
    progress: Progress = lambda text: None,
) -> list[TableCopy]:
    """Fill `target` from `source`. Raises `ConfigError`, `Retry` and `LoginNeeded`."""
    if source == target:
        raise ConfigError(f"copy from one store to another, not from the {source} to itself")
    with open_store(settings, source) as left, open_store(settings, target) as right:
        progress(f"waiting for the feeder of the {target} to step aside")
        with take_over(settings.data_dir, target):
            _behind(settings, source, target)
            return copy_days(left, right, since, until, progress)


def compare_stores(
    settings: Settings, left: str, right: str, progress: Progress = lambda text: None
) -> tuple[list[Difference], dict[str, int]]:
    """Where the two differ, and how many messages wait for each. Raises as `copy`."""
    with open_store(settings, left) as one, open_store(settings, right) as other:
        found = differences(one, other, progress)
    with closing(open_spool(settings)) as log:
        return found, {sink: log.depth(sink) for sink in settings.sinks.names if sink in (left, right)}


def follow_lake(settings: Settings) -> None:
    """Bring what was made anew in the lake into the other stores; where a feeder runs, it does that by itself.

    Raises `Retry` and `LoginNeeded`.
    """
    for sink in settings.sinks.names[1:]:
        drain_sink(settings, sink, or_raise=True, keep_house=True)


def _behind(settings: Settings, source: str, target: str) -> None:
    """Wait until the source holds all that the target holds: a row that it lacks would be removed there."""
    end = time.monotonic() + _PATIENCE_S
    with closing(open_spool(settings)) as log:
        while log.cursor(source) < log.cursor(target):
            if not drain_sink(settings, source, or_raise=True):
                if time.monotonic() > end:
                    raise Retry(f"the {source} is behind the {target} and does not catch up: see `voltrail status`")
                time.sleep(_LOOK_S)
