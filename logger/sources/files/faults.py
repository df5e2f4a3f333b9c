"""Rows that cannot be right: set aside with their line and the reason; too many of them refuse the file."""

import re
import shlex
from collections.abc import Callable

import msgspec
import polars as pl

from logger.errors import ConfigError
from logger.signals import Signal
from logger.sources.files.row_times import IMPLAUSIBLE, SKIPPED, UNREADABLE, formats_that_fit

MOST = 0.01  # more rows than this share set aside, and the file is not what its options say
_SHOWN = 60
_HOPELESS = 100_000  # as many, and half of what was read: the rest of the file will not mend that


class Fault(msgspec.Struct, frozen=True):
    """A row that is set aside: its `line` in the file, its `text`, and what is wrong with which column.

    `cell` is what the column holds there, `near_ms` the time of the nearest row before it, or behind it [epoch ms].
    """

    line: int
    column: str
    cell: str
    problem: str
    text: str
    near_ms: int = 0

    @property
    def reason(self) -> str:
        """What is wrong, where, in a few words."""
        where = f"column {self.column!r}, line {self.line}" if self.column else f"line {self.line}"
        shown = self.cell if len(self.cell) <= _SHOWN else self.cell[:_SHOWN] + "…"
        return f"{where}: {repr(shown) if shown else 'an empty cell'} {self.problem}"

    @property
    def advice(self) -> str:
        """The option that reads it, ready to paste."""
        if self.problem == UNREADABLE:
            forms = [f"--time-format {shlex.quote(each)}" for each in formats_that_fit(self.cell)]
            return " or ".join(forms) if forms else "see --time-format"
        named = re.fullmatch(r"[-+]?\d[\d.,' ]*\s*([A-Za-z°/]{1,6})", self.cell)
        if self.problem.startswith(_NO_VALUE) and named:
            to = self.problem.removeprefix(_NO_VALUE).strip()
            return f"say that it has a unit with --map {shlex.quote(f'{self.column}={to}:{named[1]}')}"
        word = shlex.quote(self.cell)
        return next((text.format(word=word) for start, text in _ADVICE.items() if self.problem.startswith(start)), "")


_NO_VALUE = "is no value of"
_NO_BOOLEAN = "is no yes or no of"


_ADVICE = {
    _NO_BOOLEAN: "say what it means with --true {word}, --false {word} or --null {word}",
    _NO_VALUE: "if it stands for nothing, add --null {word}",
    SKIPPED.partition("{")[0]: "if the times are UTC, use --tz UTC",
    IMPLAUSIBLE: "if it is in another form, see --time-format, else leave these rows out of the file",
    "is no vehicle": "name it with --vehicle NAME",
    "is a cell more": "see --separator, --quote and --decimal",
}


def no_value(target: Signal) -> str:
    """Return what is wrong with a cell that is no value of this signal."""
    return f"{_NO_BOOLEAN if target.type == 'bool' else _NO_VALUE} {target.name}"


class Faults:
    """Faults of some rows: the first of each row counts."""

    def __init__(self) -> None:
        self._found: dict[int, tuple[str, str, str]] = {}

    def add(self, wrong: pl.Series, column: str, cell: Callable[[int], object], problem: Callable[[int], str]) -> None:
        """Note what is wrong with the rows for which `wrong` holds."""
        for at in wrong.fill_null(False).arg_true():
            self._found.setdefault(at, (column, str(cell(at)), problem(at)))

    @property
    def rows(self) -> list[int]:
        """The indexes of these rows, in their order."""
        return sorted(self._found)

    def of(self, at: int, line: int, text: str, near_ms: int) -> Fault:
        """Return the fault of the row at this index."""
        return Fault(line, *self._found[at], text, near_ms)


class Tally(msgspec.Struct):
    """How many rows of a file were read and set aside, and the first fault."""

    rows: int = 0
    aside: int = 0
    first: Fault | None = None

    def add(self, rows: int, faults: list[Fault]) -> None:
        """Count these rows, those with faults among them. Raises `ConfigError` where it need not be read to its end."""
        self.rows += rows
        self.aside += len(faults)
        self.first = self.first or next(iter(faults), None)
        if self.aside > max(_HOPELESS, self.rows / 2):
            self.check()

    def check(self) -> None:
        """Raise `ConfigError` where too many rows were set aside, with the first of them and what to do."""
        if self.first is None or self.aside <= MOST * self.rows:
            return
        advice = f"; {self.first.advice}" if self.first.advice else ""
        many = f" ({self.aside:,} of {self.rows:,} rows cannot be read)" if self.aside > 1 else ""
        raise ConfigError(f"{self.first.reason}{advice}{many}")
