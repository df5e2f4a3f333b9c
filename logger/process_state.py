"""The state that each process publishes as a small JSON file, which `status`, `check` and `/metrics` read."""

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

_RATE_S = 60.0


class FeederState:
    """Counts of one sink's feeder since it started, and its last failure."""

    def __init__(self, folder: Path, sink: str = "lake") -> None:
        self._folder, self._sink = folder, sink
        self._rows: Counter[str] = Counter()
        self._failures = 0
        self._error = ""
        self._delivered: deque[tuple[float, int]] = deque()  # moments [s] and messages of the last minute

    def add_rows(self, table_name: str, rows: int) -> None:
        """Count rows that were written to this table."""
        self._rows[table_name] += rows

    def add_messages(self, messages: int, now_s: float) -> None:
        """Count messages that were delivered at this monotonic moment [s]; the last failure is over."""
        self._delivered.append((now_s, messages))
        while self._delivered[0][0] < now_s - _RATE_S:
            self._delivered.popleft()
        self._error = ""

    def write_failure(self, error: str) -> None:
        """Count a batch that the sink did not take, and write the state; how many messages wait is left out."""
        self._failures += 1
        self._error = error
        self._write({})

    def write(self, depth: int) -> None:
        """Write the state and how many messages wait for the sink."""
        self._write({"depth": depth})

    def _write(self, more: Mapping[str, object]) -> None:
        state = {
            "rows": dict(self._rows),
            "failures": self._failures,
            "error": self._error,
            "per_minute": sum(messages for _, messages in self._delivered),
            **more,
        }
        write_state(self._folder, feeder_process(self._sink), state)


def feeder_process(sink: str) -> str:
    """Return the name of the process that feeds this sink."""
    return f"feeder-{sink}"


def write_state(folder: Path, process: str, state: Mapping[str, object]) -> None:
    """Replace the state of this process (`receiver`, `analysis` or a `feeder-…`); time and process id are added."""
    path = folder / f"{process}.json"
    head = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "process": os.getpid()}
    try:
        write_file(path, json.dumps({**head, **state}).encode(), durable=False)  # of no use after a loss of power
    except OSError as error:  # a full disk must not stop what can still be done
        log.warning("cannot write %s: %s", path, error)


def read_state(folder: Path, process: str) -> dict[str, Any]:
    """Return the state that this process wrote last; empty where it never ran."""
    try:
        state = json.loads((folder / f"{process}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}
