"""What is made anew goes to the lake first; another store follows the lake's versions behind a cursor of its own.

Derived tables come to other stores by this way alone. Raw rows come to them out of the spool; of raw tables only what
a replay made anew is followed.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from logger.atomic import write_file
from logger.stores.compare import COMPARED_TABLES, DAY, counts, replace_span
from logger.stores.contract import Store
from logger.stores.lake.delta import Span
from logger.stores.lake.lake import Lake
from logger.tables import TABLES

log = logging.getLogger(__name__)

_AWAY = (
    "the %s was away for long: days of %s are compared by their number of rows alone; where messages were decoded "
    "again meanwhile, run `voltrail copy` with --since"
)


class Follower:
    """Brings what `replace` made anew in the lake into `target`; its cursors are a small file in `folder`.

    A cursor moves when the target holds it, so that an end at any moment means only that something is done again.
    `ready` tells whether the lake holds all raw rows that the target holds: until then raw days are not replaced.
    """

    def __init__(self, lake: Lake, target: Store, folder: Path, ready: Callable[[], bool]) -> None:
        self._lake, self._target, self._ready = lake, target, ready
        self._file = folder / f"followed-{target.name}.json"

    def follow(self) -> int:
        """Catch up; returns how many spans were replaced. Raises `Retry` and `LoginNeeded`."""
        return sum(map(self._followed, COMPARED_TABLES))

    def _followed(self, name: str) -> int:
        cursors = self._cursors()
        version, told = self._lake.replaced(name, cursors.get(name))
        spans = told if told is not None else list(self._unknown(name, first=name not in cursors))
        if spans and TABLES[name].raw and not self._ready():
            return 0
        for span in spans:
            replace_span(self._lake, self._target, name, span.vehicles, span.since, span.until)
        if cursors.get(name) != version:
            self._keep({**cursors, name: version})
        return len(spans)

    def _unknown(self, name: str, *, first: bool) -> Iterator[Span]:
        """Days to do again where the lake does not remember so far back: of a derived table all, else what differs."""
        raw = TABLES[name].raw
        if raw and first:
            return
        if raw:
            log.warning(_AWAY, self._target.name, name)
        for day, (there, here) in counts(self._lake, self._target, name):
            if not raw or there != here:
                yield Span(None, day, day + DAY)

    def _cursors(self) -> dict[str, int]:
        try:
            told = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return {str(name): int(version) for name, version in told.items()} if isinstance(told, dict) else {}

    def _keep(self, cursors: Mapping[str, int]) -> None:
        write_file(self._file, json.dumps(cursors).encode())
