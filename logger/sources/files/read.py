"""Files that people have, as a source: columns mapped to signals, units converted, sliced into envelopes.

The rows of a file reach the stores as every message does, through the spool: an envelope holds a slice of them as
Parquet in columns named as signals. How to use it: `docs/import.md`.
"""

import io
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import polars as pl

from logger.envelope import Envelope
from logger.errors import ConfigError
from logger.sources.files.binary import Member, members
from logger.sources.files.convert import Converter, Part
from logger.sources.files.faults import Fault, Tally
from logger.sources.files.options import ColumnMapping as ColumnMapping
from logger.sources.files.options import Options as Options
from logger.sources.files.options import parse_mapping as parse_mapping
from logger.sources.files.presets import preset
from logger.sources.files.table import Progress, read_chunks

SLICE_ROWS = 20_000


def read_parts(member: Member, options: Options, read: Progress = lambda size: None) -> Iterator[Part]:
    """Yield the rows of a file, chunk by chunk, and those set aside. `read` is told how many bytes were read.

    Raises `ConfigError` for a fault of the file, which names it; the share of rows set aside is for the caller.
    """
    try:
        converter, height, read_rows = Converter(options), 0, 0
        for chunk in read_chunks(member, options.dialect, _orders(options), read):
            height += chunk.rows.height
            part = converter.convert(chunk)
            if part is not None:
                read_rows += part.height
                yield part
        if not height:
            raise ConfigError("no row below the header")
        converter.check(read_rows)
    except ConfigError as error:
        raise ConfigError(f"{member.label}: {error}") from error


def read_file(path: Path, options: Options) -> pl.DataFrame:
    """Return the rows of a file in the columns `provider`, `vehicle`, `time` and signals. Raises `ConfigError`."""
    parts: list[pl.DataFrame] = []
    for member in members(path, options.dialect.compression):
        tally = Tally()
        for part in read_parts(member, options):
            tally.add(part.height, part.faults)
            parts.append(part.rows)
        check(tally, member)
    return pl.concat(parts, how="diagonal")


def check(tally: Tally, member: Member) -> None:
    """Raise `ConfigError`, which names the file, where too many of its rows were set aside."""
    try:
        tally.check()
    except ConfigError as error:
        raise ConfigError(f"{member.label}: {error}") from error


def envelopes(rows: pl.DataFrame) -> Iterator[Envelope]:
    """Yield these rows, slice by slice, as messages for the spool."""
    for part in rows.iter_slices(SLICE_ROWS):
        buffer = io.BytesIO()
        part.write_parquet(buffer, compression="zstd", compression_level=1)  # the archive compresses again
        yield Envelope("import", "rows", _now_ms(), "import", buffer.getvalue())


def aside_envelope(fault: Fault, file: str) -> Envelope:
    """Return a row that was set aside as a message for the spool, which goes into quarantine."""
    body = msgspec.json.encode({"file": file, **msgspec.structs.asdict(fault), "reason": f"{file}: {fault.reason}"})
    return Envelope("import", "aside", _now_ms(), "import", body)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _orders(options: Options) -> tuple[tuple[str, ...], ...]:
    """The columns of files without a header, as the preset knows them."""
    sheets = preset(options.form).sheets if options.form else ()
    return tuple(order for sheet in sheets for order in sheet.orders)
