"""The time in which the receiver answers a vendor's test of a push address: a person opens it, and it closes by itself.

Whoever may have a text of his own signed by such an answer may sign a push. So it is answered only while a person
waits for it, seldom, and only for a text that can be no push.
"""

import time
from pathlib import Path

from logger.atomic import write_file

PAIRING_S = 900.0
_MOST_ANSWERS = 10  # in one window


class PairingWindow:
    """The window of one account, and its few answers."""

    def __init__(self, folder: Path, account: str) -> None:
        self._file = _file(folder, account)
        self._ends_at, self._answers = 0.0, 0

    def take(self, now: float) -> bool:
        """Return whether the window is open at this moment [epoch s] and has an answer left, and use that up."""
        ends_at = self._read()
        if ends_at != self._ends_at:
            self._ends_at, self._answers = ends_at, 0
        if not ends_at - PAIRING_S <= now < ends_at or self._answers >= _MOST_ANSWERS:
            return False
        self._answers += 1
        return True

    def _read(self) -> float:
        try:
            return float(self._file.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return 0.0


def open_window(folder: Path, account: str) -> None:
    """Open the window of this account now. Raises `OSError`."""
    folder.mkdir(parents=True, exist_ok=True)
    write_file(_file(folder, account), f"{time.time() + PAIRING_S:.3f}".encode())


def _file(folder: Path, account: str) -> Path:
    return folder / f"pairing-{account}"
