"""Files that are being imported, as slices on disk: a file is read whole before its first row is stored.

A file has a folder below `imports` of the data folder until its rows are in the lake. `complete.json` is written when
it is read to its end: what a killed import leaves behind is then stored by the next import of the same file, slice by
slice from where it ended.
"""

import hashlib
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import msgspec
import polars as pl

from logger.atomic import fsync, write_file
from logger.envelope import Envelope
from logger.errors import Retry
from logger.sources.files.binary import Member
from logger.sources.files.consistency import Distances, Sizes
from logger.sources.files.convert import Part
from logger.sources.files.faults import Tally
from logger.sources.files.read import Options, aside_envelope, check, envelopes, read_parts

_COMPLETE = "complete.json"
Vehicle = tuple[str, str]  # provider and name


class Summary(msgspec.Struct, frozen=True):
    """What a file holds: its rows, how many of them were set aside and the first reason, its vehicles, and its span.

    `firsts` is the time of the first row of each vehicle [epoch ms]. `notes` say what looks wrong.
    """

    file: str
    rows: int
    aside: int
    reason: str
    vehicles: tuple[Vehicle, ...]
    firsts: tuple[int, ...]
    first: datetime | None
    last: datetime | None
    notes: tuple[str, ...]


class Staged:
    """One file below the folder `imports`; `key` is the same for the same file with the same options."""

    def __init__(self, folder: Path, member: Member, options: Options) -> None:
        self._member, self._options = member, options
        self._folder = folder / "imports" / _key(member, options)

    def read(self, progress: Callable[[str], None]) -> Summary:
        """Put the rows of the file on disk, unless an import before this one did; return what it holds.

        Raises `ConfigError` for a fault of the file, `Retry` where the disk refuses; nothing is left on disk then.
        """
        complete = self._folder / _COMPLETE
        try:
            if complete.exists():
                return msgspec.json.decode(complete.read_bytes(), type=Summary)
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir(parents=True)
            summary = self._write(progress)
            for path in self._folder.iterdir():
                fsync(path)
            write_file(complete, msgspec.json.encode(summary))
        except OSError as error:
            self.remove()
            raise Retry(f"{self._folder}: {error}: is the disk full?") from error
        except BaseException:
            self.remove()
            raise
        return summary

    def slices(self) -> list[Path]:
        """Return the paths of slices that are not in the lake yet, in the order of the file."""
        return sorted(self._folder.glob("*.slice"))

    def messages(self, path: Path) -> list[Envelope]:
        """Return the messages of this slice."""
        return msgspec.msgpack.decode(path.read_bytes(), type=list[Envelope])

    def remove(self) -> None:
        """Remove what is on disk of this file."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _write(self, progress: Callable[[str], None]) -> Summary:
        tally, seen, distances, sizes = Tally(), _Seen(), Distances(), Sizes()
        read = _Progress(self._member, progress)
        for number, part in enumerate(read_parts(self._member, self._options, read.add)):
            tally.add(part.height, part.faults)
            seen.add(part.rows)
            distances.add(part.rows)
            sizes.add(part.rows)
            self._write_part(number, part)
        check(tally, self._member)
        reason = tally.first.reason if tally.first else ""
        return seen.summary(self._member.label, tally, reason, (*distances.notes(), *sizes.notes()))

    def _write_part(self, number: int, part: Part) -> None:
        """Write the rows of a chunk as a file for each slice, and those set aside as one more."""
        aside = [aside_envelope(fault, Path(self._member.label).name) for fault in part.faults]
        groups = [*([each] for each in envelopes(part.rows)), *([aside] if aside else [])]
        for at, messages in enumerate(groups):
            (self._folder / f"{number:08}-{at:05}.slice").write_bytes(msgspec.msgpack.encode(messages))


def _key(member: Member, options: Options) -> str:
    """What tells this file and these options from others: where it is, its size and when it was written."""
    status = member.path.stat()
    parts = (str(member.path.resolve()), member.name, status.st_size, status.st_mtime_ns, repr(options))
    return hashlib.blake2b(repr(parts).encode(), digest_size=8).hexdigest()


class _Progress:
    """Says how much of a file is read."""

    def __init__(self, member: Member, progress: Callable[[str], None]) -> None:
        self._label, self._progress, self._read = member.label, progress, 0
        self._size = member.path.stat().st_size if not member.kind else 0

    def add(self, size: int) -> None:
        self._read += size
        share = f"{self._read / self._size:.0%}" if self._size else f"{self._read / 1e6:,.0f} MB"
        self._progress(f"{self._label}: {share} read")


class _Seen:
    """The vehicles of a file, the time of the first row of each, and the span of all."""

    def __init__(self) -> None:
        self._first: dict[Vehicle, datetime] = {}
        self._last: datetime | None = None

    def add(self, rows: pl.DataFrame) -> None:
        firsts = rows.group_by("provider", "vehicle").agg(
            pl.col("time").min().alias("first"), pl.col("time").max().alias("last")
        )
        for provider, vehicle, first, last in firsts.iter_rows():
            self._first[provider, vehicle] = min(first, self._first.get((provider, vehicle), first))
            self._last = max(last, self._last or last)

    def summary(self, label: str, tally: Tally, reason: str, notes: tuple[str, ...]) -> Summary:
        vehicles = tuple(sorted(self._first))
        firsts = tuple(int(self._first[each].timestamp() * 1000) for each in vehicles)
        first = min(self._first.values(), default=None)
        return Summary(label, tally.rows, tally.aside, reason, vehicles, firsts, first, self._last, notes)
