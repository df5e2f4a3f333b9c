"""The spool: a durable log of raw messages in one SQLite file, and the day files behind it.

Invariants, attacked by `tests/logger/spool/test_log.py`:

1. When `append` returns, the envelopes are on disk: they survive kill -9 and loss of power.
2. Sequences are 1, 2, 3, … in the order of `append`; none is used twice, none is left out.
3. `read` gives a sink what follows its cursor, in order, each envelope until `settle` passes it.
4. An envelope leaves the spool only when every sink has settled it, and only into a day file that is on disk.
5. `append` either takes all envelopes of a call or none of them.

The envelopes of one commit are one row, a chunk: one small insert per commit, however many requests wait for it.
"""

import fcntl
import itertools
import sqlite3
import time
import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from logger.envelope import Batch, Envelope
from logger.errors import Retry
from logger.spool.archive import ArchiveFiles, Frame
from logger.spool.archive_index import ArchiveIndex, Run

_PAGE_BYTES = 8192  # measured: 5 % more pushes a second than 4096, and no less than 16384
_BUSY_MS = 10_000
COMMIT_MS = 60_000  # a chunk is dated by its first message; its last came no more than one slow commit later
_TRIM_BYTES = 32 << 20  # give freed pages back to the disk once there are this many, so much at a time
_SCHEMA = """
CREATE TABLE IF NOT EXISTS chunks (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, at INTEGER NOT NULL, body BLOB);
CREATE TABLE IF NOT EXISTS cursors (sink TEXT PRIMARY KEY, sequence INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS identity (log TEXT PRIMARY KEY);
"""
_HEAD = "SELECT coalesce((SELECT last FROM chunks ORDER BY first DESC LIMIT 1), max(sequence), 0) AS head FROM cursors"
# One statement, which is a transaction of its own: each further one would wait for the interpreter's lock once more.
_APPEND = f"""
INSERT INTO chunks SELECT head + 1, head + ?1, ?2, ?3 FROM ({_HEAD}), pragma_page_count, pragma_freelist_count
WHERE (page_count - freelist_count) * {_PAGE_BYTES} + length(?3) <= ?4
"""
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Envelope]).decode


class SpoolFull(Retry):
    """The spool holds as many bytes as it may; nothing was taken, nothing dropped."""


class Spool:
    """The log of one data folder; any number of processes may hold one open.

    `sinks` names the cursors; `max_bytes` bounds the log itself, not the day files, which stay `raw_days` days.
    Raises `Retry` where the disk refuses.
    """

    def __init__(
        self, folder: Path, sinks: Sequence[str] = ("lake",), max_bytes: int = 10**10, raw_days: int = 90
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "spool.db"
        self.max_bytes = max_bytes
        self.raw_days = raw_days
        self._sinks = tuple(sinks)
        self._raw = ArchiveFiles(folder / "raw")
        with _answered(self.path), (folder / "spool.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two that turn a new file to WAL at once do not wait for each other
            self._db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            self._frames = ArchiveIndex(self._db)
            try:
                self._prepare()
            except BaseException:
                self._db.close()
                raise

    def _prepare(self) -> None:
        self._db.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        self._db.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
        self._db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute(f"PRAGMA journal_size_limit = {64 << 20}")
        self._db.executescript(_SCHEMA)
        self._frames.prepare()
        with self._transaction():
            self._db.execute("INSERT INTO identity SELECT ? WHERE NOT EXISTS (SELECT 1 FROM identity)", (_new_id(),))
            self._keep_cursors()

    def _keep_cursors(self) -> None:
        oldest = self._one("SELECT coalesce(min(first) - 1, ?) FROM chunks", self._head())
        for sink in self._sinks:
            self._db.execute("INSERT OR IGNORE INTO cursors VALUES (?, ?)", (sink, oldest))
        marks = ",".join("?" * len(self._sinks))
        if self._sinks:  # a sink that left the settings must not hold the others back
            self._db.execute(f"DELETE FROM cursors WHERE sink NOT IN ({marks})", self._sinks)

    @property
    def log_id(self) -> str:
        """A word that names this log among all logs, for sinks that remember how far they came."""
        return str(self._db.execute("SELECT log FROM identity").fetchone()[0])

    def append(self, envelopes: Sequence[Envelope]) -> int:
        """Put these on disk; returns the sequence of the last. Raises `SpoolFull`, or `Retry` for a broken disk."""
        body = _encode(envelopes)
        with _answered(self.path):
            done = self._db.execute(_APPEND, (len(envelopes), envelopes[0].received_at, body, self.max_bytes))
            if not done.rowcount or done.lastrowid is None:
                raise SpoolFull(
                    f"{self.path} holds {self.bytes:,} bytes of {self.max_bytes:,}: mend the sink {self._slowest()}"
                )
        return done.lastrowid + len(envelopes) - 1

    def read(self, sink: str, limit: int = 50_000, max_bytes: int = 32 << 20) -> Batch:
        """What follows the cursor of this sink, oldest first: about `limit` envelopes, empty where none waits."""
        batch, size = Batch([], []), 0
        with _answered(self.path):
            cursor = self.cursor(sink)
            rows = self._db.execute("SELECT first, body FROM chunks WHERE last > ? ORDER BY first", (cursor,))
            for first, body in rows:
                _extend(batch, first, body, cursor)
                size += len(body)
                if len(batch) >= limit or size >= max_bytes:
                    break
            rows.close()
        return batch

    def settle(self, sink: str, sequence: int, vehicles: Iterable[str] | None = None) -> None:
        """This sink has taken or refused all up to `sequence`; what every sink has settled moves to the day files.

        `vehicles` are those that the messages since its last `settle` speak of, `heard.UNKNOWN` among them where that
        cannot be told; None says nothing of them, and they are found whomever `raw` is asked for.
        """
        with _answered(self.path):
            floor = min([sequence, *(self.cursor(other) for other in self._sinks if other != sink)])
            notes = self._frames.notes(self.cursor(sink), sequence, vehicles)
            frames = list(self._archived(floor))
            with self._transaction():
                self._frames.add(frames, notes, floor)
                self._db.execute("UPDATE cursors SET sequence = max(sequence, ?) WHERE sink = ?", (sequence, sink))
                self._db.execute("DELETE FROM chunks WHERE last <= ?", (floor,))
            self._give_back()

    def depth(self, sink: str) -> int:
        """How many envelopes wait for this sink."""
        with _answered(self.path):
            return self._head() - self.cursor(sink)

    def cursor(self, sink: str) -> int:
        """The sequence up to which this sink has settled."""
        return self._one("SELECT sequence FROM cursors WHERE sink = ?", sink)

    @property
    def bytes(self) -> int:
        """Bytes in use by the log; pages that were freed and wait for reuse do not count [B]."""
        return (self._pragma("page_count") - self._pragma("freelist_count")) * _PAGE_BYTES

    def raw(self, first_at: int, last_at: int, vehicles: Collection[str] | None = None) -> Iterator[Batch]:
        """Archived batches that may hold messages received in this span [epoch ms, both ends], oldest first.

        With `vehicles`, those that cannot speak of any of them are passed over unread.
        """
        for frame in self._frames.find(first_at - COMMIT_MS, last_at, vehicles):
            with _answered(self.path):
                chunks = self._raw.read(frame)
            yield _batch(chunks)

    def settled_since(self, sink: str, first_at: int, vehicles: Collection[str] | None = None) -> Iterator[Batch]:
        """What this sink has settled and was received from then on [epoch ms], oldest first; `vehicles` as in `raw`."""
        yield from self.raw(first_at, 2**62, vehicles)
        last, cursor = 0, self.cursor(sink)
        query = "SELECT first, last, body FROM chunks WHERE first > ? AND first <= ? AND at >= ? ORDER BY first LIMIT 1"
        while chunk := self._db.execute(query, (last, cursor, first_at - COMMIT_MS)).fetchone():
            first, last, body = chunk
            yield _batch([(first, body)]).part(0, min(last, cursor) - first + 1)

    def archived(self, sequences: Iterable[int]) -> Batch:
        """Those of these messages that the day files hold, in the order of the log."""
        wanted, found = set(sequences), Batch([], [])
        with _answered(self.path):
            frames = {self._frames.holding(sequence) for sequence in wanted}
            for frame in sorted(filter(None, frames), key=lambda frame: frame.first):
                batch = _batch(self._raw.read(frame))
                for place, sequence in enumerate(batch.sequences):
                    if sequence in wanted:
                        _extend_by(found, batch.part(place, place + 1))
        return found

    def kept(self, sink: str) -> list[Run]:
        """Which of the messages that this sink has settled can still be read, in order; a run has no gap in it."""
        query = "SELECT min(first), max(last), min(at), max(at) FROM chunks WHERE first <= ? HAVING count(*)"
        with _answered(self.path):
            cursor = self.cursor(sink)
            waiting = [Run(*row) for row in self._db.execute(query, (cursor,))]
            runs = [*self._frames.runs(), *waiting]
        return [Run(run.first, min(run.last, cursor), run.first_at, run.last_at) for run in runs]

    def last_settled_at(self) -> int:
        """When the newest message in the day files was received [epoch ms]; 0 where there is none."""
        return self._frames.last_at()

    def forget_raw(self, today: str) -> None:
        """Delete the day files older than `raw_days` before `today` (YYYY-MM-DD)."""
        with _answered(self.path), self._transaction():
            limit = self._one_text("SELECT date(?, ?)", today, f"-{self.raw_days} days")
            self._frames.forget(limit)
        self._raw.forget(limit)

    def close(self) -> None:
        """Let go of the file; nothing is lost without it."""
        self._db.close()

    def _archived(self, floor: int) -> Iterator[Frame]:
        """Chunks up to here, written to the day files run by run, so that frames in their order are the log's order."""
        written: dict[str, int] = {}
        if self.raw_days <= 0:
            return
        query = "SELECT first, last, at, body FROM chunks WHERE last <= ? ORDER BY first"
        for day, chunks in itertools.groupby(self._db.execute(query, (floor,)), lambda chunk: _day(chunk[2])):
            known = max(written.get(day, 0), self._frames.end(day))
            frame = self._raw.append(day, known, list(chunks))
            written[day] = known + frame.bytes
            yield frame

    def _slowest(self) -> str:
        return self._one_text("SELECT sink FROM cursors ORDER BY sequence LIMIT 1")

    def _head(self) -> int:
        return self._one(_HEAD)

    def _give_back(self) -> None:
        if self._pragma("freelist_count") * _PAGE_BYTES > 2 * _TRIM_BYTES:
            self._db.executescript(f"PRAGMA incremental_vacuum({_TRIM_BYTES // _PAGE_BYTES})")

    def _pragma(self, name: str) -> int:
        return int(self._db.execute(f"PRAGMA {name}").fetchone()[0])

    def _one(self, query: str, *values: object) -> int:
        row = self._db.execute(query, values).fetchone()
        return int(row[0]) if row else 0

    def _one_text(self, query: str, *values: object) -> str:
        return str(self._db.execute(query, values).fetchone()[0])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise


@contextmanager
def _answered(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise Retry(f"{path}: {error}: is the disk full or gone?") from error


def _extend(batch: Batch, first: int, body: bytes, cursor: int) -> None:
    envelopes = _decode(body)
    skipped = max(0, cursor + 1 - first)
    batch.sequences.extend(range(first + skipped, first + len(envelopes)))
    batch.envelopes.extend(envelopes[skipped:])


def _extend_by(batch: Batch, more: Batch) -> None:
    batch.sequences.extend(more.sequences)
    batch.envelopes.extend(more.envelopes)


def _batch(chunks: list[tuple[int, bytes]]) -> Batch:
    batch = Batch([], [])
    for first, body in chunks:
        _extend(batch, first, body, 0)
    return batch


def _day(at: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(at / 1000))


def _new_id() -> str:
    return f"voltrail-{uuid.uuid4().hex}"
