"""`voltrail copy` and `voltrail check --compare`: two stores of the settings, side by side."""

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime

import msgspec

from logger.commands.output import Block, format_count, progress, show, table_of
from logger.errors import ConfigError, LoggerError, Retry
from logger.locks import take_over
from logger.service.feeder import drain_sink
from logger.settings.schema import Settings
from logger.spool.inspect import SpoolReader
from logger.spool.open import open_spool
from logger.stores import open_store
from logger.stores.compare import Difference, Progress, TableCopy, copy_days, differences

_RETRY_S = 0.2
_PATIENCE_S = 60.0


class Comparison(msgspec.Struct, frozen=True):
    """Days of which two stores hold different numbers of rows, and how many messages still wait for each of them."""

    differences: list[Difference]
    waiting: dict[str, int]

    @property
    def advice(self) -> str:
        """What to do where the stores differ."""
        first = "count again when nothing waits; then " if any(self.waiting.values()) else ""
        return f"{len(self.differences)} days of tables differ: {first}`voltrail copy` mends them"


def copy_store(
    settings: Settings,
    source: str,
    target: str,
    since: datetime | None,
    until: datetime | None,
    progress: Progress = lambda text: None,
) -> list[TableCopy]:
    """Fill `target` from `source`, while no feeder writes to it. Raises `ConfigError`, `Retry` and `LoginNeeded`."""
    if source == target:
        raise ConfigError(f"copy from one store to another, not from the {source} to itself")
    with open_store(settings, source) as read_from, open_store(settings, target) as written_to:
        progress(f"waiting for the feeder of the {target} to pause")
        with take_over(settings.data_dir, target):
            _catch_up(settings, source, target)
            return copy_days(read_from, written_to, since, until, progress)


def compare_stores(settings: Settings, left: str, right: str, progress: Progress = lambda text: None) -> Comparison:
    """Count the rows of both stores by table and day. Changes nothing; raises as `copy_store`."""
    with open_store(settings, left) as left_store, open_store(settings, right) as right_store:
        different = differences(left_store, right_store, progress)
    spool = SpoolReader(settings.data_dir)
    waiting = spool.waiting([sink for sink in settings.sinks.names if sink in (left, right)]) if spool.exists else []
    return Comparison(different, {each.sink: each.messages for each in waiting})


def follow_lake(settings: Settings) -> None:
    """Bring what was computed again in the lake into the other stores, where no feeder runs that would do so.

    Raises `Retry` and `LoginNeeded`.
    """
    for sink in settings.sinks.names[1:]:
        drain_sink(settings, sink, or_raise=True, maintain=True)


def _catch_up(settings: Settings, source: str, target: str) -> None:
    """Wait until the source holds all that the target holds: a copy would remove a row that the source lacks."""
    end = time.monotonic() + _PATIENCE_S
    with closing(open_spool(settings)) as spool:
        while spool.cursor(source) < spool.cursor(target):
            if not drain_sink(settings, source, or_raise=True):
                if time.monotonic() > end:
                    raise Retry(f"the {source} is behind the {target} and does not catch up: see `voltrail status`")
                time.sleep(_RETRY_S)


# ---- printing --------------------------------------------------------------------------------------------------------


def show_comparison(settings: Settings, left: str, right: str, as_json: bool) -> None:
    """Count the rows of both stores and print where they differ. Raises `LoggerError` where they do."""
    with progress() as show_progress:
        comparison = compare_stores(settings, left, right, show_progress)
    show(comparison, as_json, lambda each: comparison_view(each, left, right))
    if comparison.differences:
        raise LoggerError(comparison.advice)


def copy_view(copied: list[TableCopy]) -> Iterator[Block]:
    """Yield for people what was copied of each table that holds rows."""
    yield table_of(
        [each for each in copied if each.days or each.same], ("table", "days copied", "rows", "days the same")
    )


def comparison_view(comparison: Comparison, left: str, right: str) -> Iterator[Block]:
    """Yield for people on which days the stores of these names differ, and what still waits for them."""
    if comparison.differences:
        yield table_of(comparison.differences, ("table", "day", left, right))
    else:
        yield f"{left} and {right} hold the same number of rows of every table and day"
    for sink, messages in comparison.waiting.items():
        if messages:
            yield f"{format_count(messages, 'message')} still waiting for the {sink}"
