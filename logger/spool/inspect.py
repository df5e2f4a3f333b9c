"""What waits in a spool, read without touching it: no lock, no schema, no file made."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import msgspec

from logger.envelope import Envelope
from logger.errors import Retry

_HEAD = "SELECT coalesce((SELECT last FROM chunks ORDER BY first DESC LIMIT 1), max(sequence), 0) FROM cursors"
_OLDEST = "SELECT at FROM chunks WHERE last > ? ORDER BY first LIMIT 1"
_CURSOR = """
SELECT coalesce((SELECT sequence FROM cursors WHERE sink = ?), (SELECT min(first) - 1 FROM chunks), ?)
"""
_decode = msgspec.msgpack.Decoder(list[Envelope]).decode


class Waiting(msgspec.Struct, frozen=True):
    """How many messages wait for a sink, when the oldest of them came [epoch ms] (0: none waits)."""

    sink: str
    messages: int
    oldest_at: int


class SpoolReader:
    """The spool of a data folder, looked at from outside. Each method raises `Retry` where it cannot be read."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "spool.db"

    @property
    def there(self) -> bool:
        """Whether a spool was made already."""
        return self.path.exists()

    def bytes(self) -> int:
        """Bytes in use by the log [B]."""
        with self._open() as db:
            pages, free, size = (
                int(db.execute(f"PRAGMA {name}").fetchone()[0])
                for name in ("page_count", "freelist_count", "page_size")
            )
        return (pages - free) * size

    def waiting(self, sinks: Sequence[str]) -> list[Waiting]:
        """What waits for each of these sinks."""
        with self._open() as db:
            head = int(db.execute(_HEAD).fetchone()[0])
            return [_waiting(db, sink, head) for sink in sinks]

    def newest(self, limit: int) -> Iterator[Envelope]:
        """The messages in the spool, newest chunk first, at most about `limit` of them."""
        with self._open() as db:
            for (body,) in db.execute("SELECT body FROM chunks ORDER BY first DESC"):
                chunk = _decode(body)
                yield from chunk
                limit -= len(chunk)
                if limit <= 0:
                    return

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        # A reader of a log in WAL mode makes that file where it is missing. Where it is, nobody has the spool open, and
        # the file itself holds all.
        logged = self.path.with_name(self.path.name + "-wal").exists()
        try:
            db = sqlite3.connect(
                f"file:{quote(str(self.path))}?mode=ro{'' if logged else '&immutable=1'}", uri=True, timeout=10
            )
            try:
                yield db
            finally:
                db.close()
        except (sqlite3.Error, msgspec.DecodeError) as error:
            raise Retry(f"{self.path}: {error}") from error


def _waiting(db: sqlite3.Connection, sink: str, head: int) -> Waiting:
    cursor = int(db.execute(_CURSOR, (sink, head)).fetchone()[0])
    oldest = db.execute(_OLDEST, (cursor,)).fetchone()
    return Waiting(sink, max(0, head - cursor), int(oldest[0]) if oldest else 0)
