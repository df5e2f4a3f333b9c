"""A spool read from outside, without touching it: no lock is taken, no table and no file is made."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import msgspec

from logger.envelope import Envelope
from logger.errors import Retry
from logger.spool.chunks import Chunk, Chunks, decode_chunk

_BUSY_S = 10.0


class Waiting(msgspec.Struct, frozen=True):
    """How many messages wait for a sink, and when the oldest of them was received [epoch ms] (0: none waits)."""

    sink: str
    messages: int
    oldest_at: int


class SpoolReader:
    """The spool of a data folder, which another process may be writing to.

    Check `exists` first. Every other method raises `Retry` where the spool cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "spool.db"

    @property
    def exists(self) -> bool:
        """Whether a spool was made already."""
        return self.path.exists()

    def bytes(self) -> int:
        """Return the bytes in use by the log [B]."""
        with self._open() as chunks:
            return chunks.used_bytes()

    def waiting(self, sinks: Sequence[str]) -> list[Waiting]:
        """Return what waits for each of these sinks."""
        with self._open() as chunks:
            head = chunks.head()
            cursors = {sink: chunks.cursor(sink) for sink in sinks}
            return [Waiting(sink, max(0, head - cursor), chunks.oldest_at(cursor)) for sink, cursor in cursors.items()]

    def newest(self, limit: int) -> Iterator[Envelope]:
        """Yield the messages in the spool, newest chunk first, at most about `limit` of them."""
        with self._open() as chunks:
            for row in chunks.newest_first():
                envelopes = decode_chunk(Chunk(*row).body)
                yield from envelopes
                limit -= len(envelopes)
                if limit <= 0:
                    return

    @contextmanager
    def _open(self) -> Iterator[Chunks]:
        # SQLite makes the -wal file where it is missing, even for a reader. Where it is missing, no process has the
        # spool open and the file itself holds everything: it is read as one that does not change.
        has_wal = self.path.with_name(f"{self.path.name}-wal").exists()
        address = f"file:{quote(str(self.path))}?mode=ro{'' if has_wal else '&immutable=1'}"
        try:
            db = sqlite3.connect(address, uri=True, timeout=_BUSY_S)
            try:
                yield Chunks(db)
            finally:
                db.close()
        except (sqlite3.Error, msgspec.DecodeError) as error:
            raise Retry(f"{self.path}: {error}") from error
