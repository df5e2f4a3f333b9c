"""How the lines of a text file are parted: separator, quotes, decimal sign and header, found in its first lines."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from logger.errors import ConfigError
from logger.sources.files.options import Dialect

_SEPARATORS = (",", ";", "\t", "|")
_SAMPLE_LINES = 500
_POINT = re.compile(r"-?\d+\.\d+(?:[eE][+-]?\d+)?$")
_COMMA = re.compile(r"-?\d+,\d+$|-?\d{1,3}(?:\.\d{3})+,\d+$")
_THOUSANDS = re.compile(r"-?\d{1,3}(?:,\d{3})+$")
_DATA = re.compile(r"[+-]?\d+(?:[.,]\d+)?$|\d{4}-\d\d-\d\d[T ]\d\d|\\N$")
_SEP_LINE = re.compile(rb"sep=(.)$", re.I)
_SPACES = " \t\ufeff\u00a0"


class Layout(msgspec.Struct, frozen=True):
    """How the cells of a line are parted; `quote` is empty where quotes are plain text. `decimal` is `.` or `,`."""

    separator: str
    quote: str = '"'
    decimal: str = "."

    def cells(self, record: bytes) -> list[str]:
        """The cells of one record."""
        text = record.decode(errors="replace")
        if not self.quote:
            return text.split(self.separator)
        reader = csv.reader(
            (f"{line}\n" for line in text.split("\n")),
            delimiter=self.separator,
            quotechar=self.quote,
            skipinitialspace=True,
        )
        try:
            return next(reader, [])
        except csv.Error:  # a line end within a cell that is not quoted
            return text.split(self.separator)


class Header(msgspec.Struct, frozen=True):
    """The names of the columns as they stand in the file, without blanks at their ends; some may be empty or twice."""

    names: tuple[str, ...]

    @property
    def unique(self) -> tuple[str, ...]:
        """Names to tell all columns apart: the second `soc` is `soc` with a number behind it, as no file has it."""
        seen = Counter[str]()
        names = []
        for name in self.names:
            names.append(f"{name}\0{seen[name]}" if seen[name] else name)
            seen[name] += 1
        return tuple(names)

    def is_twice(self, name: str) -> bool:
        """Whether two columns have this name."""
        return self.names.count(name) > 1


def find_layout(records: Sequence[bytes], given: Dialect) -> tuple[Layout, int]:
    """Return how these first records of a file are parted, and the index of its header. Raises `ConfigError`.

    Comments (`#`) and a spreadsheet's line `sep=;` may stand before the header.
    """
    start, separator = 0, given.separator
    while start < len(records) and (records[start].startswith(b"#") or _SEP_LINE.match(records[start])):
        line = _SEP_LINE.match(records[start])
        separator = separator or (line[1].decode() if line else "")
        start += 1
    sample = records[start : start + _SAMPLE_LINES]
    if not sample:
        raise ConfigError("empty; wanted is CSV with a header line, or Parquet")
    quote = {"": '"', "none": ""}.get(given.quote, given.quote)
    separator = separator or _separator(sample, quote)
    layout = Layout(separator, quote)
    decimal = given.decimal or _decimal((layout.cells(each) for each in sample), separator)
    return msgspec.structs.replace(layout, decimal=decimal), start


def header_of(cells: Iterable[str]) -> Header:
    """Return the header that these cells are. Raises `ConfigError` where they are data."""
    header = Header(tuple(each.strip(_SPACES) for each in cells))
    if sum(1 for name in header.names if _DATA.match(name)) > len(header.names) / 3:
        raise ConfigError(
            f"line 1 holds data ({header.names[0]!r} …), not the names of columns: "
            "name them with --columns A,B,C in the order of the file"
        )
    return header


def _separator(sample: Sequence[bytes], quote: str) -> str:
    """The separator that parts these records into the same number of cells, two or more, most often."""
    return max(_SEPARATORS, key=lambda each: _regularity(sample, Layout(each, quote)))


def _regularity(sample: Sequence[bytes], layout: Layout) -> tuple[float, int]:
    """The share of records with as many cells as the first one, which has two or more; and how many it has."""
    counts = [len(layout.cells(each)) for each in sample]
    if counts[0] < 2:
        return 0.0, 0
    return sum(1 for each in counts if each == counts[0]) / len(counts), counts[0]


def _decimal(rows: Iterable[Sequence[str]], separator: str) -> str:
    """The comma where numbers have one, and none has a point; among commas it may also part thousands."""
    cells = [cell.strip() for row in rows for cell in row]
    comma = [cell for cell in cells if _COMMA.match(cell)]
    if separator == "," and all(_THOUSANDS.match(cell) for cell in comma):
        return "."
    return "," if comma and not any(_POINT.match(cell) and not _is_thousands(cell) for cell in cells) else "."


def _is_thousands(cell: str) -> bool:
    """Whether the point of this number may part thousands: `17.390`."""
    return re.match(r"-?\d{1,3}(?:\.\d{3})+$", cell) is not None
