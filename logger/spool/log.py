"""The spool: a durable log of raw messages in one SQLite file, and the archive behind it, a file a day.

Invariants, attacked by `tests/logger/spool/test_log.py`:

1. When `append` returns, the envelopes are on disk: they survive kill -9 and loss of power.
2. Sequences are 1, 2, 3, … in the order of `append`; none is used twice, none is left out.
3. `read` gives a sink what follows its cursor, in order, each envelope until `settle` passes it.
4. An envelope leaves the spool only when every sink has settled it, and only into an archive file that is on disk.
5. `append` either takes all envelopes of a call or none of them.
"""

import fcntl
import itertools
import sqlite3
import time
import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path

from logger.envelope import Batch, Envelope
from logger.errors import Retry
from logger.spool.archive import ArchiveFiles, Frame
from logger.spool.archive_index import ArchiveIndex
from logger.spool.chunks import Chunk, Chunks, Run, extend_batch, to_batch

COMMIT_MS = 60_000  # a chunk is dated by its first message; its last came no more than one slow commit later
_SETUP = """
PRAGMA busy_timeout = 10000;
PRAGMA page_size = 8192;
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA journal_size_limit = 67108864;
"""  # pages measured: 5 % more pushes a second than with 4096 bytes, and no fewer than with 16384


class SpoolFull(Retry):
    """The spool holds as many bytes as it may; nothing was taken, nothing dropped."""


class Spool:
    """The log of one data folder; any number of processes may have it open.

    `sinks` are those that the messages are kept for; `max_bytes` limits the log itself, not the archive, whose files
    are kept for `raw_days` days. Raises `Retry` where the disk refuses.
    """

    def __init__(
        self, folder: Path, sinks: Sequence[str] = ("lake",), max_bytes: int = 10**10, raw_days: int = 90
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "spool.db"
        self.max_bytes = max_bytes
        self.raw_days = raw_days
        self._sinks = tuple(sinks)
        self._archive = ArchiveFiles(folder / "raw")  # the name of 0.1: an archive that it wrote must be read
        with _disk_errors(self.path), (folder / "spool.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two that turn a new file to WAL at once do not wait for each other
            self._db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            self._chunks, self._index = Chunks(self._db), ArchiveIndex(self._db)
            try:
                self._prepare()
            except BaseException:
                self._db.close()
                raise

    def _prepare(self) -> None:
        self._db.executescript(_SETUP)
        self._chunks.create_tables()
        self._index.create_tables()
        with self._transaction():
            self._chunks.register(f"voltrail-{uuid.uuid4().hex}", self._sinks)

    @property
    def log_id(self) -> str:
        """A name that no other log has, for sinks that remember how far they came."""
        return self._chunks.log_id()

    @property
    def bytes(self) -> int:
        """Bytes in use by the log; pages that were freed and wait for reuse do not count [B]."""
        return self._chunks.used_bytes()

    def append(self, envelopes: Sequence[Envelope]) -> int:
        """Put these on disk; return the sequence of the last. Raises `SpoolFull`, or `Retry` for a broken disk."""
        with _disk_errors(self.path):
            last = self._chunks.append(envelopes, self.max_bytes)
            if last is None:
                sizes = f"{self.bytes:,} bytes of {self.max_bytes:,}"
                raise SpoolFull(f"{self.path} holds {sizes}: mend the sink {self._chunks.slowest_sink()}")
        return last

    def read(self, sink: str, limit: int = 50_000, max_bytes: int = 32 << 20) -> Batch:
        """Return what follows the cursor of this sink, oldest first: about `limit` envelopes, or none."""
        batch, size = Batch([], []), 0
        with _disk_errors(self.path):
            cursor = self._chunks.cursor(sink)
            with closing(self._chunks.after(cursor)) as rows:
                for chunk in map(Chunk._make, rows):
                    extend_batch(batch, chunk.first, chunk.body, cursor)
                    size += len(chunk.body)
                    if len(batch) >= limit or size >= max_bytes:
                        break
        return batch

    def settle(self, sink: str, sequence: int, vehicles: Iterable[str] | None = None) -> None:
        """Move this sink's cursor to `sequence`: it has stored or refused all up to there.

        What every sink has settled moves to the archive. `vehicles` are those of the messages since this sink's last
        `settle`, `UNKNOWN_VEHICLE` among them where that of a message is not known; with None, nothing is known of
        the vehicles, and the messages are read for whichever vehicles `read_archive` is called.
        """
        with _disk_errors(self.path):
            others = [self._chunks.cursor(other) for other in self._sinks if other != sink]
            floor = min([sequence, *others])
            marks = self._index.pending_marks(self._chunks.cursor(sink), sequence, vehicles)
            frames = list(self._write_archive(floor))
            with self._transaction():
                self._index.add(frames, marks, floor)
                self._chunks.settle(sink, sequence, floor)
            self._chunks.trim()

    def depth(self, sink: str) -> int:
        """Return how many envelopes wait for this sink."""
        with _disk_errors(self.path):
            return self._chunks.head() - self._chunks.cursor(sink)

    def cursor(self, sink: str) -> int:
        """Return the sequence up to which this sink has settled."""
        return self._chunks.cursor(sink)

    def read_settled(self, sink: str, first_at: int, vehicles: Collection[str] | None = None) -> Iterator[Batch]:
        """Yield what this sink has settled and was received from `first_at` [epoch ms] on, oldest first.

        That is the archive, `vehicles` as in `read_archive`, and the messages that wait for other sinks.
        """
        yield from self.read_archive(first_at, 2**62, vehicles)
        last, cursor = 0, self._chunks.cursor(sink)
        while chunk := self._chunks.next_since(first_at - COMMIT_MS, last, cursor):
            last = chunk.last
            yield to_batch([(chunk.first, chunk.body)]).part(0, min(last, cursor) - chunk.first + 1)

    def read_archive(self, first_at: int, last_at: int, vehicles: Collection[str] | None = None) -> Iterator[Batch]:
        """Yield archived batches that may hold messages received in this span [epoch ms, both ends], oldest first.

        With `vehicles`, batches that certainly hold no message of any of them are skipped unread.
        """
        for frame in self._index.frames_between(first_at - COMMIT_MS, last_at, vehicles):
            with _disk_errors(self.path):
                chunks = self._archive.read(frame)
            yield to_batch(chunks)

    def read_sequences(self, sequences: Iterable[int]) -> Batch:
        """Return the messages with these sequences that are in the archive, in the order of the log."""
        wanted, messages = set(sequences), Batch([], [])
        with _disk_errors(self.path):
            frames = {self._index.frame_of(sequence) for sequence in wanted}
            for frame in sorted(filter(None, frames), key=lambda frame: frame.first):
                batch = to_batch(self._archive.read(frame))
                for sequence, envelope in zip(batch.sequences, batch.envelopes, strict=True):
                    if sequence in wanted:
                        messages.sequences.append(sequence)
                        messages.envelopes.append(envelope)
        return messages

    def archived_runs(self, sink: str) -> list[Run]:
        """Return which of the messages that this sink has settled can still be read, as runs without gaps, in order.

        Those that wait for another sink are not in the archive yet, and are the last run.
        """
        with _disk_errors(self.path):
            waiting = self._chunks.run_up_to(self._chunks.cursor(sink))
            return [*self._index.runs(), *([waiting] if waiting else [])]

    def last_archived_at(self) -> int:
        """Return when the newest message in the archive was received [epoch ms]; 0 where it is empty."""
        return self._index.last_at()

    def delete_old_archives(self, today: str) -> None:
        """Delete the archive files older than `raw_days` before `today` (YYYY-MM-DD). Raises `Retry`."""
        limit = date.fromordinal(max(1, date.fromisoformat(today).toordinal() - self.raw_days)).isoformat()
        with _disk_errors(self.path), self._transaction():
            self._index.delete_before(limit)
        with _disk_errors(self.path):
            self._archive.delete_before(limit)

    def close(self) -> None:
        """Close the file; nothing is lost where this is not called."""
        self._db.close()

    def _write_archive(self, floor: int) -> Iterator[Frame]:
        """Write the chunks up to `floor` to the archive, run by run: the order of frames is the order of the log."""
        if self.raw_days <= 0:
            return
        written: dict[str, int] = {}
        chunks = map(Chunk._make, self._chunks.up_to(floor))
        for day, run in itertools.groupby(chunks, lambda chunk: _day(chunk.at)):
            size = max(written.get(day, 0), self._index.size(day))
            frame = self._archive.append(day, size, list(run))
            written[day] = size + frame.bytes
            yield frame

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
def _disk_errors(path: Path) -> Iterator[None]:
    """Raise `Retry` for what the disk refuses."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise Retry(f"{path}: {error}: is the disk full or gone?") from error


def _day(at: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(at / 1000))
