"""What each process tells the others, as a small JSON file of its own: `status`, `check` and `/metrics` read them."""

import json
import logging
import os
from collections import Counter, deque
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from logger.atomic import write_file

log = logging.getLogger(__name__)


class FeederState:
    """Counts since the feeder of one sink started, and its last trouble."""

    def __init__(self, folder: Path, sink: str = "lake") -> None:
        self._folder, self._sink = folder, sink
        self._rows: Counter[str] = Counter()
        self._failures = 0
        self._error = ""
        self._moved: deque[tuple[float, int]] = deque()

    def count(self, table: str, rows: int) -> None:
        """So many rows went into this table."""
        self._rows[table] += rows

    def moved(self, messages: int, now: float) -> None:
        """So many messages were delivered at this moment (monotonic) [s]."""
        self._moved.append((now, messages))
        while self._moved[0][0] < now - 60:
            self._moved.popleft()
        self._error = ""

    def failed(self, error: str) -> None:
        """The sink refused a batch."""
        self._failures += 1
        self._error = error
        self._put({})

    def write(self, depth: int) -> None:
        """Tell all this, and how many messages still wait."""
        self._put({"depth": depth})

    def _put(self, more: Mapping[str, object]) -> None:
        told = {
            "rows": dict(self._rows),
            "failures": self._failures,
            "error": self._error,
            "per_minute": sum(count for _, count in self._moved),
            **more,
        }
        write_state(self._folder, feeder_process(self._sink), told)


def feeder_process(sink: str) -> str:
    """The process that feeds this sink."""
    return f"feeder-{sink}"


def write_state(folder: Path, process: str, told: Mapping[str, object]) -> None:
    """Replace what this process (`receiver`, or a `feeder`) told before; `at` and its number are added."""
    path = folder / f"{process}.json"
    head = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "process": os.getpid()}
    try:
        write_file(path, json.dumps({**head, **told}).encode())
    except OSError as error:  # a full disk must not stop what can still be done
        log.warning("cannot write %s: %s", path, error)


def read_state(folder: Path, process: str) -> dict[str, Any]:
    """What this process last told; empty where it never ran."""
    try:
        told = json.loads((folder / f"{process}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}
