"""When messages with an unusable device time were first received: a repeat of one gets the same time again."""

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from logger.errors import Retry

_SETUP = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS seen (message BLOB PRIMARY KEY, at INTEGER) WITHOUT ROWID;
"""
_INSERT = "INSERT OR IGNORE INTO seen (message, at) VALUES (?, ?)"
_SELECT = "SELECT at FROM seen WHERE message = ?"


class FirstReceipts:
    """First receipts by message in one SQLite file. Every method but `close` raises `Retry` where the disk refuses.

    A message is identified by a text of its vehicle, its path and what its vendor signed.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "replaced-times.db"  # the name of 0.1: its receipts still count
        with self._disk_errors():
            folder.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(self._path, isolation_level=None)
            self._db.executescript(_SETUP)

    def look_up(self, identities: Sequence[str]) -> list[int | None]:
        """Return when each of these messages was first received [epoch ms], None for one that is not known."""
        with self._disk_errors():
            rows = [self._db.execute(_SELECT, (_key(identity),)).fetchone() for identity in identities]
        return [int(row[0]) if row else None for row in rows]

    def remember(self, identities: Sequence[str], received_at: Sequence[int]) -> list[int]:
        """Add the messages that are not known; return when each was first received [epoch ms]; on disk on return."""
        keys = [_key(identity) for identity in identities]
        try:
            with self._disk_errors():
                self._db.execute("BEGIN IMMEDIATE")
                changes = self._db.total_changes
                self._db.executemany(_INSERT, zip(keys, received_at, strict=True))
                self._db.execute("COMMIT")
                if self._db.total_changes - changes == len(keys):  # nearly always: all are new
                    return list(received_at)
                return [int(self._db.execute(_SELECT, (key,)).fetchone()[0]) for key in keys]
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    def merge(self, other: "FirstReceipts") -> None:
        """Add the messages of another file; of two receipts of one message, the first is kept."""
        with self._disk_errors():
            self._db.execute("ATTACH ? AS other", (str(other._path),))
            self._db.execute(
                "INSERT INTO seen SELECT * FROM other.seen WHERE true "
                "ON CONFLICT (message) DO UPDATE SET at = min(at, excluded.at)"
            )
            self._db.execute("DETACH other")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def _disk_errors(self) -> Iterator[None]:
        """Raise `Retry` for what the disk refuses."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise Retry(f"{self._path}: {error}: is the disk full or gone?") from error


def _key(identity: str) -> bytes:
    return hashlib.blake2b(identity.encode(), digest_size=16).digest()
