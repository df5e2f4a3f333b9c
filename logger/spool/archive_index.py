"""The index of the archive, two tables in the spool's database: where each frame is, and whose messages it may hold.

Frames are added in the order of the log, so that the order of rows is that of sequences. All SQL on these two tables
is in this module.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from logger.spool import vehicle_index
from logger.spool.archive import Frame
from logger.spool.chunks import Run
from logger.spool.vehicle_index import VehicleMarks

# The names of tables and columns are those of 0.1, `heard` among them: an index that it wrote must open.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS frames (
  day TEXT, offset INTEGER, bytes INTEGER, first INTEGER, last INTEGER, first_at INTEGER, last_at INTEGER,
  vehicles BLOB, PRIMARY KEY (day, offset));
CREATE INDEX IF NOT EXISTS frames_first ON frames (first);
CREATE TABLE IF NOT EXISTS heard (first INTEGER PRIMARY KEY, last INTEGER, vehicles BLOB);
"""
_FRAME = "SELECT rowid, day, offset, bytes, first, last, first_at, last_at FROM frames"
_PAGE_FRAMES = 1000  # read at a time: a fleet makes one a second, so that a quarter of a year is millions
_RUNS = """
SELECT min(first), max(last), min(first_at), max(last_at) FROM (
  SELECT *, sum(begins) OVER (ORDER BY first) AS run FROM (
    SELECT *, first <> coalesce(lag(last) OVER (ORDER BY first), 0) + 1 AS begins FROM frames))
GROUP BY run, day ORDER BY 1
"""


class ArchiveIndex:
    """The index behind this connection. The caller opens the transactions and handles `sqlite3.Error`.

    Table `heard` holds the vehicles of messages that are in no frame yet, because another sink has not settled them.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def create_tables(self) -> None:
        """Create the tables and columns that are missing."""
        self._db.executescript(_SCHEMA)
        columns = {row[1] for row in self._db.execute("PRAGMA table_info(frames)")}
        if "vehicles" not in columns:  # an index from before it held vehicles
            self._db.execute("ALTER TABLE frames ADD COLUMN vehicles BLOB")

    def pending_marks(self, cursor: int, sequence: int, vehicles: Iterable[str] | None) -> list[VehicleMarks]:
        """Return the marks of messages that are in no frame yet.

        Those after `cursor` up to `sequence` are new and have these vehicles; with None, they get no marks.
        """
        marks = [VehicleMarks(*row) for row in self._db.execute("SELECT * FROM heard ORDER BY first")]
        first = max([cursor, *(each.last for each in marks)]) + 1
        if vehicles is not None and first <= sequence:
            marks.append(VehicleMarks(first, sequence, vehicle_index.vehicle_marks(vehicles)))
        return marks

    def add(self, frames: Sequence[Frame], marks: Sequence[VehicleMarks], floor: int) -> None:
        """Add frames with their vehicles; keep the marks of messages after the sequence `floor` for later frames."""
        rows = [
            (*msgspec.structs.astuple(frame), vehicle_index.marks_within(marks, frame.first, frame.last))
            for frame in frames
        ]
        later = [msgspec.structs.astuple(each) for each in marks if each.last > floor]
        self._db.executemany("INSERT INTO frames VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self._db.execute("DELETE FROM heard WHERE last <= ?", (floor,))
        self._db.executemany("INSERT OR IGNORE INTO heard VALUES (?, ?, ?)", later)

    def size(self, day: str) -> int:
        """Return how many bytes of this day's file are frames [B]."""
        query = "SELECT coalesce(max(offset + bytes), 0) FROM frames WHERE day = ?"
        return int(self._db.execute(query, (day,)).fetchone()[0])

    def last_at(self) -> int:
        """Return when the newest message in any frame was received [epoch ms]; 0 where there is none."""
        return int(self._db.execute("SELECT coalesce(max(last_at), 0) FROM frames").fetchone()[0])

    def frames_between(self, first_at: int, last_at: int, vehicles: Iterable[str] | None = None) -> Iterator[Frame]:
        """Yield frames within this span [epoch ms] that may hold one of these vehicles (None: any), oldest first."""
        marks = [] if vehicles is None else vehicle_index.wanted_marks(vehicles)
        any_mark = "".join(" OR instr(vehicles, ?)" for _ in marks)
        condition = f" AND (vehicles IS NULL{any_mark})" if marks else ""
        span = "rowid > ? AND last_at >= ? AND first_at <= ?"
        query = f"{_FRAME} WHERE {span}{condition} ORDER BY rowid LIMIT {_PAGE_FRAMES}"
        last_row = 0
        while page := self._db.execute(query, (last_row, first_at, last_at, *marks)).fetchall():
            last_row = page[-1][0]
            yield from (Frame(*row[1:]) for row in page)

    def frame_of(self, sequence: int) -> Frame | None:
        """Return the frame with this message; None where it is in none, or the frame was deleted."""
        row = self._db.execute(f"{_FRAME} WHERE first <= ? ORDER BY first DESC LIMIT 1", (sequence,)).fetchone()
        frame = Frame(*row[1:]) if row else None
        return frame if frame and frame.last >= sequence else None

    def runs(self) -> list[Run]:
        """Return which messages the frames hold, in order; a run ends at a gap or with its day."""
        return [Run(*row) for row in self._db.execute(_RUNS)]

    def delete_before(self, day: str) -> None:
        """Remove the frames of the days before `day` (YYYY-MM-DD)."""
        self._db.execute("DELETE FROM frames WHERE day < ?", (day,))
