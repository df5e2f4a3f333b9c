"""The log's tables in the spool's database: messages in chunks, and how far each sink has come.

The messages of one commit are one row, a chunk: one small insert per commit, however many requests wait for it.
All SQL on these tables is in this module; that on the index of the archive is in `archive_index`.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from logger.envelope import Batch, Envelope

_TRIM_BYTES = 32 << 20  # give freed pages back to the disk once there are this many, so much at a time
_SCHEMA = """
CREATE TABLE IF NOT EXISTS chunks (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, at INTEGER NOT NULL, body BLOB);
CREATE TABLE IF NOT EXISTS cursors (sink TEXT PRIMARY KEY, sequence INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS identity (log TEXT PRIMARY KEY);
"""
_HEAD = "SELECT coalesce((SELECT last FROM chunks ORDER BY first DESC LIMIT 1), max(sequence), 0) AS head FROM cursors"
_CURSOR = f"""
SELECT coalesce((SELECT sequence FROM cursors WHERE sink = ?), (SELECT min(first) - 1 FROM chunks), ({_HEAD}))
"""
_USED_BYTES = "(page_count - freelist_count) * page_size"
_PAGES = "pragma_page_count, pragma_freelist_count, pragma_page_size"
# One statement, which is a transaction of its own: each further one would wait for the interpreter's lock once more.
_APPEND = f"""
INSERT INTO chunks SELECT head + 1, head + ?1, ?2, ?3 FROM ({_HEAD}), {_PAGES}
WHERE {_USED_BYTES} + length(?3) <= ?4
"""
_CHUNK = "SELECT first, last, at, body FROM chunks"
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Envelope]).decode


class Chunk(NamedTuple):
    """The messages of one commit: their first and last sequence, when the first was received [epoch ms], as bytes."""

    first: int
    last: int
    at: int
    body: bytes


class Run(msgspec.Struct, frozen=True):
    """Messages that follow each other without a gap: sequences and times of receipt [epoch ms], first and last."""

    first: int
    last: int
    first_at: int
    last_at: int


class Chunks:
    """The log behind this connection. The caller opens the transactions and handles `sqlite3.Error`."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def create_tables(self) -> None:
        """Create the tables that are missing."""
        self._db.executescript(_SCHEMA)

    def register(self, log_id: str, sinks: Sequence[str]) -> None:
        """Name the log unless it has a name, and give each sink a cursor; those of other sinks are removed.

        A sink that left the settings must not hold the messages of the others back.
        """
        self._db.execute("INSERT INTO identity SELECT ? WHERE NOT EXISTS (SELECT 1 FROM identity)", (log_id,))
        self._db.executemany("INSERT OR IGNORE INTO cursors VALUES (?, ?)", [(s, self.cursor(s)) for s in sinks])
        marks = ",".join("?" * len(sinks))
        if sinks:
            self._db.execute(f"DELETE FROM cursors WHERE sink NOT IN ({marks})", sinks)

    def log_id(self) -> str:
        """The name of this log."""
        return str(self._db.execute("SELECT log FROM identity").fetchone()[0])

    def append(self, envelopes: Sequence[Envelope], max_bytes: int) -> int | None:
        """Add one chunk; return the sequence of its last message, None where the log would exceed `max_bytes`."""
        values = (len(envelopes), envelopes[0].received_at, _encode(envelopes), max_bytes)
        done = self._db.execute(_APPEND, values)
        if not done.rowcount or done.lastrowid is None:
            return None
        return done.lastrowid + len(envelopes) - 1

    def settle(self, sink: str, sequence: int, floor: int) -> None:
        """Move the sink's cursor up to `sequence`; delete the chunks up to `floor`."""
        self._db.execute("UPDATE cursors SET sequence = max(sequence, ?) WHERE sink = ?", (sequence, sink))
        self._db.execute("DELETE FROM chunks WHERE last <= ?", (floor,))

    def head(self) -> int:
        """The sequence of the newest message; 0 where there never was one."""
        return self._number(_HEAD)

    def cursor(self, sink: str) -> int:
        """The sequence up to which this sink has settled; a new sink begins with the oldest message in the log."""
        return self._number(_CURSOR, sink)

    def slowest_sink(self) -> str:
        """The sink that has settled the least."""
        return str(self._db.execute("SELECT sink FROM cursors ORDER BY sequence LIMIT 1").fetchone()[0])

    def used_bytes(self) -> int:
        """Bytes in use; pages that were freed and wait for reuse do not count [B]."""
        return self._number(f"SELECT {_USED_BYTES} FROM {_PAGES}")

    def oldest_at(self, cursor: int) -> int:
        """When the oldest message after this sequence was received [epoch ms]; 0 where there is none."""
        return self._number("SELECT coalesce((SELECT at FROM chunks WHERE last > ? ORDER BY first LIMIT 1), 0)", cursor)

    def after(self, sequence: int) -> sqlite3.Cursor:
        """Chunks with messages after this sequence, oldest first, as rows of `Chunk`."""
        return self._db.execute(f"{_CHUNK} WHERE last > ? ORDER BY first", (sequence,))

    def up_to(self, sequence: int) -> sqlite3.Cursor:
        """Chunks with no message after this sequence, oldest first, as rows of `Chunk`."""
        return self._db.execute(f"{_CHUNK} WHERE last <= ? ORDER BY first", (sequence,))

    def next_since(self, at: int, after: int, up_to: int) -> Chunk | None:
        """The first chunk received from `at` [epoch ms] on that begins after one sequence, up to another."""
        query = f"{_CHUNK} WHERE first > ? AND first <= ? AND at >= ? ORDER BY first LIMIT 1"
        row = self._db.execute(query, (after, up_to, at)).fetchone()
        return Chunk(*row) if row else None

    def newest_first(self) -> sqlite3.Cursor:
        """All chunks, newest first, as rows of `Chunk`."""
        return self._db.execute(f"{_CHUNK} ORDER BY first DESC")

    def run_up_to(self, sequence: int) -> Run | None:
        """The messages up to this sequence; they have no gap."""
        query = "SELECT min(first), max(last), min(at), max(at) FROM chunks WHERE first <= ? HAVING count(*)"
        row = self._db.execute(query, (sequence,)).fetchone()
        return Run(row[0], min(row[1], sequence), row[2], row[3]) if row else None

    def trim(self) -> None:
        """Give freed pages back to the disk where there are many; outside of a transaction."""
        size = self._number("PRAGMA page_size")
        if self._number("PRAGMA freelist_count") * size > 2 * _TRIM_BYTES:
            self._db.executescript(f"PRAGMA incremental_vacuum({_TRIM_BYTES // size})")

    def _number(self, query: str, *values: object) -> int:
        return int(self._db.execute(query, values).fetchone()[0])


def decode_chunk(body: bytes) -> list[Envelope]:
    """Return the messages of a chunk's body. Raises `msgspec.DecodeError`."""
    return _decode(body)


def to_batch(chunks: Iterable[tuple[int, bytes]]) -> Batch:
    """Return the messages of (first sequence, body) chunks as a batch."""
    batch = Batch([], [])
    for first, body in chunks:
        extend_batch(batch, first, body)
    return batch


def extend_batch(batch: Batch, first: int, body: bytes, cursor: int = 0) -> None:
    """Add the messages of a chunk that follow the sequence `cursor` to the batch."""
    envelopes = _decode(body)
    skipped = max(0, cursor + 1 - first)
    batch.sequences.extend(range(first + skipped, first + len(envelopes)))
    batch.envelopes.extend(envelopes[skipped:])
