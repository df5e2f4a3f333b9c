"""Copy what is replaced in the lake into another store, which follows the lake's versions with a cursor per table.

Other stores get derived tables this way alone. Raw rows come to them from the spool; of raw tables only the days that
a replay has replaced are copied.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from logger.atomic import write_file
from logger.errors import Retry
from logger.stores.compare import COMPARED_TABLES, DAY, copy_span, daily_counts
from logger.stores.contract import Store
from logger.stores.lake.delta import Span
from logger.stores.lake.lake import Lake
from logger.tables import TABLES

log = logging.getLogger(__name__)

_VERSIONS_DELETED = (
    "the %s was away for long: days of %s are compared by their number of rows alone; where messages were decoded "
    "again meanwhile, run `voltrail copy` with --since"
)


class Follower:
    """Copies the spans that `Lake.replace` writes into `target`; its cursors are a small file in `folder`.

    A cursor moves after the target holds the span: an end at any moment only makes a copy be repeated. `is_ready`
    returns whether the lake holds all raw rows that the target holds; until then no raw day is replaced.
    """

    def __init__(self, lake: Lake, target: Store, folder: Path, is_ready: Callable[[], bool]) -> None:
        self._lake, self._target, self._is_ready = lake, target, is_ready
        self._file = folder / f"followed-{target.name}.json"

    def follow(self) -> int:
        """Copy all spans since the last call and return how many. Raises `Retry` and `LoginNeeded`."""
        return sum(map(self._follow_table, COMPARED_TABLES))

    def _follow_table(self, table_name: str) -> int:
        cursors = self._read_cursors()
        version, replaced = self._lake.replaced_since(table_name, cursors.get(table_name))
        is_new = table_name not in cursors
        spans = replaced if replaced is not None else list(self._days_to_compare(table_name, is_new=is_new))
        if spans and TABLES[table_name].raw and not self._is_ready():
            return 0
        for span in spans:
            copy_span(self._lake, self._target, table_name, span.vehicles, span.since, span.until)
        if cursors.get(table_name) != version:
            self._write_cursors({**cursors, table_name: version})
        return len(spans)

    def _days_to_compare(self, table_name: str, *, is_new: bool) -> Iterator[Span]:
        """Yield the days to copy where the lake's log does not reach back to the cursor.

        Of a derived table these are all days, of a raw one those with different numbers of rows; none of a raw table
        that has no cursor yet, since its rows come from the spool.
        """
        raw = TABLES[table_name].raw
        if raw and is_new:
            return
        if raw:
            log.warning(_VERSIONS_DELETED, self._target.name, table_name)
        for day, (lake_rows, target_rows) in daily_counts(self._lake, self._target, table_name):
            if not raw or lake_rows != target_rows:
                yield Span(None, day, day + DAY)

    def _read_cursors(self) -> dict[str, int]:
        try:
            cursors = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return {str(name): int(version) for name, version in cursors.items()} if isinstance(cursors, dict) else {}

    def _write_cursors(self, cursors: Mapping[str, int]) -> None:
        try:
            write_file(self._file, json.dumps(cursors).encode())
        except OSError as error:
            raise Retry(f"{self._file}: {error}: is the disk full or gone?") from error
