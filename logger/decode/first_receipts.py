"""Messages whose time was, or nearly was, replaced by their receipt: a repeat of one gets the same time again."""

import hashlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from logger.errors import Retry

_KNOWN = "SELECT at FROM seen WHERE message = ?"


class FirstReceipts:
    """(vehicle, path, signature) → first receipt, in one SQLite file. Raises `Retry` where the disk refuses."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "replaced-times.db"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(self._path, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("CREATE TABLE IF NOT EXISTS seen (message BLOB PRIMARY KEY, at INTEGER) WITHOUT ROWID")
        except (sqlite3.Error, OSError) as error:
            raise self._refused(error) from error

    def known(self, identities: Sequence[str]) -> list[int | None]:
        """When each of these messages was first received [epoch ms], as far as this remembers; adds nothing."""
        try:
            found = [self._db.execute(_KNOWN, (_key(identity),)).fetchone() for identity in identities]
        except sqlite3.Error as error:
            raise self._refused(error) from error
        return [row and int(row[0]) for row in found]

    def take_in(self, other: "FirstReceipts") -> None:
        """Remember what the other does as well; of two receipts of one message, the first."""
        try:
            self._db.execute("ATTACH ? AS other", (str(other._path),))
            self._db.execute(
                "INSERT INTO seen SELECT * FROM other.seen WHERE true "
                "ON CONFLICT (message) DO UPDATE SET at = min(at, excluded.at)"
            )
            self._db.execute("DETACH other")
        except sqlite3.Error as error:
            raise self._refused(error) from error

    def first(self, identities: Sequence[str], received_at: Sequence[int]) -> list[int]:
        """When each of these messages was first received [epoch ms]; on disk when this returns."""
        keys = [_key(identity) for identity in identities]
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?)", zip(keys, received_at, strict=True))
            self._db.execute("COMMIT")
            found = [self._db.execute(_KNOWN, (key,)).fetchone() for key in keys]
            return [int(at) for (at,) in found]
        except sqlite3.Error as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise self._refused(error) from error

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _refused(self, error: sqlite3.Error | OSError) -> Retry:
        return Retry(f"{self._path}: {error}: is the disk full or gone?")


def _key(identity: str) -> bytes:
    return hashlib.blake2b(identity.encode(), digest_size=16).digest()
