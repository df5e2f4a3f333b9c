"""A file as chunks of a table: its columns as they are named there, all cells texts, each row with its line."""

import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import chain

import msgspec
import polars as pl

from logger.errors import ConfigError
from logger.sources.files.binary import Member, check_text, text_blocks
from logger.sources.files.gpx import read_gpx
from logger.sources.files.layout import Header, Layout, find_layout, header_of
from logger.sources.files.options import Dialect
from logger.sources.files.records import Records, read_records

MORE = "\0more"  # the column of what a row has beyond its header
_COPY = re.compile(rb'COPY (?:\w+\.)?"?(\w+)"? \((.*)\) FROM stdin;$')
_COPIED = Layout("\t", "")  # nothing is `\\N` there
_NOTES = (b"#group", b"#datatype", b"#default")  # above each table of InfluxDB's annotated CSV
_PARQUET_ROWS = 100_000
Progress = Callable[[int], None]


class Chunk(msgspec.Struct):
    """Some rows: `rows` has the columns of `header`, texts but for those of a Parquet file, and `MORE` where cells are
    left over. `numbers` and `lines` are the line of each row and its text; `table` is that of a dump of a database.
    """

    header: Header
    rows: pl.DataFrame
    numbers: list[int]
    lines: list[bytes]
    decimal: str = "."
    table: str = ""


def read_chunks(
    member: Member, dialect: Dialect, orders: Sequence[tuple[str, ...]] = (), read: Progress = lambda size: None
) -> Iterator[Chunk]:
    """Yield the rows of a file, chunk by chunk. `read` is told how many bytes were read. Raises `ConfigError`.

    `orders` are the columns of files that do not name them, each of another number.
    """
    if member.kind == "parquet":
        yield from _parquet(member)
        return
    with member.open() as file:
        blocks = text_blocks(file, dialect.encoding, read)
        first = next(blocks, b"")
        blocks = chain([first], blocks)
        check_text(first)
        if _is_gpx(first):
            yield from read_gpx_chunks(blocks)
        else:
            yield from _texts(blocks, dialect, orders)


def _is_gpx(text: bytes) -> bool:
    return b"<gpx" in text[:4000]


def read_gpx_chunks(blocks: Iterable[bytes]) -> Iterator[Chunk]:
    """Yield the points of a GPX track."""
    for rows in read_gpx(blocks):
        numbers = list(range(1, rows.height + 1))
        yield Chunk(Header(tuple(rows.columns)), rows, numbers, [b""] * rows.height)


# ---- Parquet -------------------------------------------------------------------------------------------------------


def _parquet(member: Member) -> Iterator[Chunk]:
    try:
        scanned = pl.scan_parquet(member.path, glob=False)
        height, names = scanned.select(pl.len()).collect().item(), scanned.collect_schema().names()
        for start in range(0, height, _PARQUET_ROWS):
            rows = scanned.slice(start, _PARQUET_ROWS).collect()
            numbers = list(range(start + 1, start + rows.height + 1))
            yield Chunk(Header(tuple(names)), rows, numbers, [])
    except (pl.exceptions.PolarsError, OSError) as error:
        raise ConfigError(f"not readable as a table: {error}; wanted is CSV with a header line, or Parquet") from error


# ---- text ----------------------------------------------------------------------------------------------------------


def _texts(blocks: Iterable[bytes], dialect: Dialect, orders: Sequence[tuple[str, ...]]) -> Iterator[Chunk]:
    batches = read_records(blocks, b"" if dialect.quote == "none" else (dialect.quote or '"').encode())
    first = next(batches, Records([], []))
    if any(_COPY.match(line) for line in first.lines):
        yield from _copy_batches(chain([first], batches))
        return
    layout, start = find_layout(first.lines, dialect)
    header, is_named = _header(layout.cells(first.lines[start]), dialect, orders)
    layout = layout if is_named or layout.separator != "\t" else _COPIED
    mark = header.names[0].encode() or first.lines[start]
    first = first.part(start + is_named)
    for batch in chain([first], batches):
        for part_header, part in _sections(batch, header, layout, mark):
            header = part_header
            if part.lines:
                yield _chunk(part, header, layout)


def _header(cells: Sequence[str], dialect: Dialect, orders: Sequence[tuple[str, ...]]) -> tuple[Header, bool]:
    """The names of the columns, and whether the file's first line holds them."""
    if dialect.columns:
        return Header(dialect.columns), False
    known = next((each for each in orders if len(each) == len(cells)), None)
    if known is not None and not set(cells) & set(known):
        return Header(known), False
    return header_of(cells), True


def _sections(batch: Records, header: Header, layout: Layout, mark: bytes) -> Iterator[tuple[Header, Records]]:
    """Cut records where a header stands between them; one that comes again is left out, as are InfluxDB's notes.

    A header begins with `mark`, as the first one did.
    """
    marks = (mark, b'"' + mark, b" " + mark, *_NOTES)
    text = b"\n" + b"\n".join(batch.lines)
    is_there = any(b"\n" + each in text for each in marks)  # most batches have none, which this says at once
    found = [at for at, line in enumerate(batch.lines) if line.startswith(marks)] if is_there else []
    start = 0
    for at in found:
        names = Header(tuple(each.strip() for each in layout.cells(batch.lines[at])))
        is_note = batch.lines[at].startswith(_NOTES)
        if is_note or _is_header_too(names, header):
            yield header, batch.part(start, at)
            header, start = header if is_note else names, at + 1
    yield header, batch.part(start)


def _is_header_too(names: Header, header: Header) -> bool:
    """Whether these cells are a header like the one before: its first name, and one more of its names."""
    common = set(names.names) & set(header.names)
    return names.names[0] == header.names[0] and len(common) >= min(2, len(set(header.names)))


def _copy_batches(batches: Iterable[Records]) -> Iterator[Chunk]:
    """The tables of a dump of PostgreSQL, each behind its line `COPY table (columns) FROM stdin;`."""
    table, header = "", None
    for batch in batches:
        start = 0
        for at, line in enumerate(batch.lines):
            begins = line.startswith(b"COPY ") and _COPY.match(line)
            if begins or line == b"\\.":
                if header and start < at:
                    yield _chunk(batch.part(start, at), header, _COPIED, table)
                header = _header_of_copy(begins[2]) if begins else None
                table, start = begins[1].decode() if begins else "", at + 1
        if header and start < len(batch.lines):
            yield _chunk(batch.part(start), header, _COPIED, table)


def _header_of_copy(columns: bytes) -> Header:
    return Header(tuple(each.strip().strip('"') for each in columns.decode().split(",")))


def _chunk(records: Records, header: Header, layout: Layout, table: str = "") -> Chunk:
    rows = _rows(records.lines, header, layout)
    is_empty = rows.select(pl.all_horizontal(pl.all().is_null())).to_series()
    if is_empty.any():
        rows, records = rows.filter(~is_empty), records.only((~is_empty).to_list())
    return Chunk(header, rows, records.numbers, records.lines, layout.decimal, table)


def _rows(lines: list[bytes], header: Header, layout: Layout) -> pl.DataFrame:
    """The cells of these records in the columns of the header, and what is left over in `MORE`."""
    names = [*header.unique, MORE]
    quick = _parse_quickly(lines, len(names), layout)
    rows = quick if quick is not None and quick.height == len(lines) else _parse_one_by_one(lines, len(names), layout)
    rows.columns = names
    return rows


def _parse_quickly(lines: list[bytes], width: int, layout: Layout) -> pl.DataFrame | None:
    """The cells by polars; None where it cannot part them, as with a quote within a cell."""
    head = layout.separator.join(map(str, range(width))).encode()
    with closing(io.BytesIO(b"\n".join([head, *lines, b""]))) as text:
        try:
            return pl.read_csv(
                text,
                separator=layout.separator,
                quote_char=layout.quote or None,
                infer_schema=False,
                truncate_ragged_lines=True,
            )
        except pl.exceptions.PolarsError:
            return None


def _parse_one_by_one(lines: list[bytes], width: int, layout: Layout) -> pl.DataFrame:
    rows = [_pad(layout.cells(line), width) for line in lines]
    return pl.DataFrame(rows, schema=dict.fromkeys(map(str, range(width)), pl.String()), orient="row")


def _pad(cells: list[str], width: int) -> list[str | None]:
    whole = [cell or None for cell in cells]
    more = next((cell for cell in whole[width - 1 :] if cell), None)
    return [*whole[: width - 1], *[None] * (width - 1 - len(whole)), more]
