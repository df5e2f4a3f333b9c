"""The index of the day files, two tables in the spool's database: where each frame lies, and what it may hold.

Frames are added in the order of the log, so that the order of rows is that of sequences.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from logger.spool import vehicle_index
from logger.spool.archive import Frame
from logger.spool.vehicle_index import VehicleMarks

_SCHEMA = """
CREATE TABLE IF NOT EXISTS frames (
  day TEXT, offset INTEGER, bytes INTEGER, first INTEGER, last INTEGER, first_at INTEGER, last_at INTEGER,
  vehicles BLOB, PRIMARY KEY (day, offset));
CREATE INDEX IF NOT EXISTS frames_first ON frames (first);
CREATE TABLE IF NOT EXISTS heard (first INTEGER PRIMARY KEY, last INTEGER, vehicles BLOB);
"""
_FOUND = "SELECT rowid, day, offset, bytes, first, last, first_at, last_at FROM frames"
_PAGE = 1000  # frames; a second of a fleet is one, so that a quarter of a year is millions
_RUNS = """
SELECT min(first), max(last), min(first_at), max(last_at) FROM (
  SELECT *, sum(begins) OVER (ORDER BY first) AS run FROM (
    SELECT *, first <> coalesce(lag(last) OVER (ORDER BY first), 0) + 1 AS begins FROM frames))
GROUP BY run, day ORDER BY 1
"""


class Run(msgspec.Struct, frozen=True):
    """Messages that follow each other without a gap: sequences and receipt times [epoch ms], first and last."""

    first: int
    last: int
    first_at: int
    last_at: int


class ArchiveIndex:
    """The index behind this connection; whoever calls opens the transactions and answers for `sqlite3.Error`."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def prepare(self) -> None:
        """Create what is not there yet."""
        self._db.executescript(_SCHEMA)
        columns = {row[1] for row in self._db.execute("PRAGMA table_info(frames)")}
        if "vehicles" not in columns:  # an index from before vehicles were noted
            self._db.execute("ALTER TABLE frames ADD COLUMN vehicles BLOB")

    def notes(self, cursor: int, sequence: int, vehicles: Iterable[str] | None) -> list[VehicleMarks]:
        """What is known of the messages that are in no frame yet, those up to `sequence` now among them."""
        known = [VehicleMarks(*row) for row in self._db.execute("SELECT * FROM heard ORDER BY first")]
        first = max([cursor, *(note.last for note in known)]) + 1
        if vehicles is not None and first <= sequence:
            known.append(VehicleMarks(first, sequence, vehicle_index.vehicle_marks(vehicles)))
        return known

    def add(self, frames: Sequence[Frame], notes: Sequence[VehicleMarks], floor: int) -> None:
        """These are on disk; of the notes, those beyond the sequence `floor` wait for their frames."""
        rows = [
            (*msgspec.structs.astuple(each), vehicle_index.marks_within(notes, each.first, each.last))
            for each in frames
        ]
        waiting = [msgspec.structs.astuple(note) for note in notes if note.last > floor]
        self._db.executemany("INSERT INTO frames VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self._db.execute("DELETE FROM heard WHERE last <= ?", (floor,))
        self._db.executemany("INSERT OR IGNORE INTO heard VALUES (?, ?, ?)", waiting)

    def end(self, day: str) -> int:
        """How many bytes of this day file count."""
        query = "SELECT coalesce(max(offset + bytes), 0) FROM frames WHERE day = ?"
        return int(self._db.execute(query, (day,)).fetchone()[0])

    def last_at(self) -> int:
        """When the newest message in any frame was received [epoch ms]; 0 where there is none."""
        return int(self._db.execute("SELECT coalesce(max(last_at), 0) FROM frames").fetchone()[0])

    def find(self, first_at: int, last_at: int, vehicles: Iterable[str] | None = None) -> Iterator[Frame]:
        """Frames that overlap this span [epoch ms] and may speak of one of these vehicles (None: any), oldest first."""
        marks = [] if vehicles is None else vehicle_index.wanted_marks(vehicles)
        spoken = "".join(" OR instr(vehicles, ?)" for _ in marks)
        theirs = f" AND (vehicles IS NULL{spoken})" if marks else ""
        query = f"{_FOUND} WHERE rowid > ? AND last_at >= ? AND first_at <= ?{theirs} ORDER BY rowid LIMIT {_PAGE}"
        place = 0
        while page := self._db.execute(query, (place, first_at, last_at, *marks)).fetchall():
            place = page[-1][0]
            yield from (Frame(*row[1:]) for row in page)

    def holding(self, sequence: int) -> Frame | None:
        """The frame with this message; None where it is in none, or not any more."""
        found = self._db.execute(f"{_FOUND} WHERE first <= ? ORDER BY first DESC LIMIT 1", (sequence,)).fetchone()
        frame = Frame(*found[1:]) if found else None
        return frame if frame and frame.last >= sequence else None

    def runs(self) -> list[Run]:
        """Which messages the day files hold, in order; a run ends at a gap or with its day."""
        return [Run(*row) for row in self._db.execute(_RUNS)]

    def forget(self, limit: str) -> None:
        """Leave out the days before `limit` (YYYY-MM-DD)."""
        self._db.execute("DELETE FROM frames WHERE day < ?", (limit,))
