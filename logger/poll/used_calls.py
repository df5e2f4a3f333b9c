"""Calls that an account has made, by period, in a small file to which several processes add."""

import asyncio
import json
import logging
from collections import Counter
from pathlib import Path

from logger.atomic import write_file
from logger.locks import exclusive_lock

log = logging.getLogger(__name__)


class UsedCalls:
    """The file `calls-ACCOUNT.json` of a data folder. `total` is counted up in memory and saved now and then.

    Calls of other processes are known once both have saved: two may exceed a budget by what they make in between.
    """

    def __init__(self, folder: Path, account: str) -> None:
        self._file = folder / f"calls-{account}.json"
        self.total: Counter[str] = self._read(Counter())
        self._saved = Counter(self.total)

    def save(self) -> None:
        """Add the calls that are new since the last time to the file, and those of other processes to `total`.

        Where the disk refuses, they are kept for the next time.
        """
        new = self.total - self._saved
        self._take_over(self._add(new), new)

    async def save_in_thread(self) -> None:
        """Do the same without blocking the event loop while the disk writes."""
        new = self.total - self._saved
        self._take_over(await asyncio.to_thread(self._add, new), new)

    def _take_over(self, stored: Counter[str] | None, new: Counter[str]) -> None:
        if stored is not None:
            newer = self.total - self._saved - new
            self.total.clear()  # the budget counts in the same object
            self.total.update(stored + newer)
            self._saved = stored

    def _add(self, new: Counter[str]) -> Counter[str] | None:
        """Write the file's counts plus these, and return them; None where that fails."""
        try:
            with exclusive_lock(self._file.with_suffix(".lock"), wait=True):
                stored = self._read(self._saved) + new
                write_file(self._file, json.dumps(stored).encode())
        except OSError as error:
            log.warning("cannot write %s: %s", self._file, error)
            return None
        return stored

    def _read(self, otherwise: Counter[str]) -> Counter[str]:
        """The counts of the file; `otherwise` where it is missing or cannot be read."""
        try:
            stored = json.loads(self._file.read_text())
            return Counter({str(period): int(calls) for period, calls in stored.items()})
        except (OSError, ValueError, TypeError, AttributeError) as error:
            if not isinstance(error, FileNotFoundError):
                log.warning("%s cannot be read (%s) and is written anew", self._file.name, error)
            return Counter(otherwise)
