"""Messages whose time was, or nearly was, replaced by their receipt: a repeat of one gets the same time again."""

import hashlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from logger.errors import Retry


class ReplacedTimes:
    """(vehicle, path, signature) → first receipt, in one SQLite file. Raises `Retry` where the disk refuses."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "replaced-times.db"
        try:
            self._db = sqlite3.connect(self._path, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("CREATE TABLE IF NOT EXISTS seen (message BLOB PRIMARY KEY, at INTEGER) WITHOUT ROWID")
        except sqlite3.Error as error:
            raise self._refused(error) from error

    def first(self, identities: Sequence[str], received_at: Sequence[int]) -> list[int]:
        """When each of these messages was first received [epoch ms]; on disk when this returns."""
        keys = [hashlib.blake2b(identity.encode(), digest_size=16).digest() for identity in identities]
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?)", zip(keys, received_at, strict=True))
            self._db.execute("COMMIT")
            found = [self._db.execute("SELECT at FROM seen WHERE message = ?", (key,)).fetchone() for key in keys]
            return [int(at) for (at,) in found]
        except sqlite3.Error as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise self._refused(error) from error

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _refused(self, error: sqlite3.Error) -> Retry:
        return Retry(f"{self._path}: {error}: is the disk full or gone?")
