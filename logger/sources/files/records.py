"""Lines of a text as records with their numbers, without blank lines; a quoted cell may hold line ends."""

from collections.abc import Iterable, Iterator

import msgspec

_MOST_LINES = 50  # of one record; a quote that is not closed by then is a character like any other


class Records(msgspec.Struct):
    """Records one after the other, and the number of the line at which each begins, from 1 on."""

    lines: list[bytes]
    numbers: list[int]

    def part(self, start: int, stop: int | None = None) -> "Records":
        """Return those from index `start` up to `stop`."""
        return Records(self.lines[start:stop], self.numbers[start:stop])

    def only(self, kept: list[bool]) -> "Records":
        """Return those for which `kept` holds."""
        pairs = [pair for pair, keep in zip(zip(self.lines, self.numbers, strict=True), kept, strict=True) if keep]
        return Records([line for line, _ in pairs], [number for _, number in pairs])


def read_records(blocks: Iterable[bytes], quote: bytes = b'"') -> Iterator[Records]:
    """Yield the records of each block of text; `quote` is empty where quotes are plain text."""
    rest, number = b"", 1
    for block in blocks:
        text = rest + block
        lines = text.split(b"\n")
        present = quote if quote and quote in text else b""
        rest = _open_end(lines, present)
        found = _number(lines, number, present, has_cr=b"\r\n" in text)
        number += len(lines)
        if found.lines:
            yield found
    if rest.strip():
        yield _number(rest.split(b"\n"), number, quote, has_cr=True)


def _open_end(lines: list[bytes], quote: bytes) -> bytes:
    """Take the last line, which may go on in the next block, off these lines, with all of a record that is open."""
    tail = [lines.pop()]
    for back in range(1, min(_MOST_LINES, len(lines)) + 1):
        if _opens(lines[-back], quote) and not _closes(lines[len(lines) - back + 1 :], quote):
            tail = [*lines[-back:], *tail]
            del lines[-back:]
            break
    return b"\n".join(tail)


def _closes(lines: list[bytes], quote: bytes) -> bool:
    return bool(quote) and any(line.count(quote) % 2 for line in lines)


def _opens(line: bytes, quote: bytes) -> bool:
    """Whether a quoted cell begins in this line and does not end in it."""
    return bool(quote) and line.count(quote) % 2 == 1 and _begins_quoted(line, quote)


def _begins_quoted(line: bytes, quote: bytes) -> bool:
    """Whether some cell of the line begins with a quote; one within a cell, as in `12" wheel`, is a character."""
    return line.lstrip().startswith(quote) or any(sign + quote in line for sign in (b",", b";", b"\t", b"|", b" "))


def _number(lines: list[bytes], first: int, quote: bytes, *, has_cr: bool) -> Records:
    if quote and any(_opens(line, quote) for line in lines if quote in line):
        return _join_lines(lines, first, quote)
    if has_cr:
        lines = [line.removesuffix(b"\r") for line in lines]
    numbers = range(first, first + len(lines))
    if all(lines):
        return Records(lines, list(numbers))
    kept = [(line, number) for line, number in zip(lines, numbers, strict=True) if line.strip()]
    return Records([line for line, _ in kept], [number for _, number in kept])


def _join_lines(lines: list[bytes], first: int, quote: bytes) -> Records:
    """The records of lines of which some open a quoted cell that a later one closes."""
    records, at = Records([], []), 0
    while at < len(lines):
        size = _lines_of_record(lines, at, quote)
        record = b"\n".join(lines[at : at + size]).removesuffix(b"\r")
        if record.strip():
            records.lines.append(record)
            records.numbers.append(first + at)
        at += size
    return records


def _lines_of_record(lines: list[bytes], at: int, quote: bytes) -> int:
    if not _opens(lines[at], quote):
        return 1
    following = range(at + 1, min(len(lines), at + _MOST_LINES))
    return next((other - at + 1 for other in following if lines[other].count(quote) % 2), 1)
