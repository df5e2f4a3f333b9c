"""Derived tables go to the lake first; another store follows the lake's versions behind a cursor of its own."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from logger.copying import DAY
from logger.stores import Store
from logger.stores.delta import Span
from logger.stores.lake import Lake
from logger.tables import DERIVED, Table


class Follower:
    """Brings what `replace` made anew in the lake into `target`; its cursors are a small file in `folder`.

    A cursor moves when the target holds it, so that an end at any moment means only that something is done again. Where
    the lake does not remember so far back, every day is done again.
    """

    def __init__(self, lake: Lake, target: Store, folder: Path, tables: Mapping[str, Table] = DERIVED) -> None:
        self._lake, self._target, self._tables = lake, target, tables
        self._file = folder / f"followed-{target.name}.json"

    def follow(self) -> int:
        """Catch up; returns how many spans were replaced. Raises `Retry` and `LoginNeeded`."""
        cursors, replaced = self._cursors(), 0
        for name in self._tables:
            version, spans = self._lake.replaced(name, cursors.get(name))
            for span in spans if spans is not None else self._all(name):
                self._replace(name, span)
                replaced += 1
            if cursors.get(name) != version:
                cursors[name] = version
                self._keep(cursors)
        return replaced

    def _all(self, name: str) -> Iterator[Span]:
        days = {day for day, _ in (*self._lake.count(name), *self._target.count(name))}
        return (Span(None, day, day + DAY) for day in sorted(days))

    def _replace(self, name: str, span: Span) -> None:
        rows = self._lake.scan(name, span.since, span.until, span.vehicles).collect()
        self._target.replace(name, rows, span.vehicles, span.since, span.until)

    def _cursors(self) -> dict[str, int]:
        try:
            told = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return {str(name): int(version) for name, version in told.items()} if isinstance(told, dict) else {}

    def _keep(self, cursors: Mapping[str, int]) -> None:
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps(cursors), encoding="utf-8")
        fresh.replace(self._file)
