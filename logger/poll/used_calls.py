"""Calls that an account has made, by period, in a small file to which several processes add."""

import json
import logging
from collections import Counter
from pathlib import Path

from logger.atomic import write_file

log = logging.getLogger(__name__)


class UsedCalls:
    """The file `calls-ACCOUNT.json` of a data folder; `total` is counted up in memory and saved now and then."""

    def __init__(self, folder: Path, account: str) -> None:
        self._file = folder / f"calls-{account}.json"
        self.total = self._read()
        self._saved = Counter(self.total)

    def save(self) -> None:
        """Add what was counted since the last time to the file, and to `total` what others have added."""
        new = self.total - self._saved
        self.total.clear()
        self.total.update(self._read() + new)
        self._saved = Counter(self.total)
        try:
            write_file(self._file, json.dumps(self.total).encode())
        except OSError as error:
            log.warning("cannot write %s: %s", self._file, error)

    def _read(self) -> Counter[str]:
        try:
            stored = json.loads(self._file.read_text())
            return Counter({str(period): int(calls) for period, calls in stored.items()})
        except (OSError, ValueError, TypeError, AttributeError) as error:
            if not isinstance(error, FileNotFoundError):
                log.warning("%s cannot be read (%s): the budget begins anew", self._file.name, error)
            return Counter()
