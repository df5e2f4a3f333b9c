"""What a report consists of: figures, tables and charts, computed once; every kind of file is written from these."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import msgspec
import polars as pl

from dashboards.reports.period import Period

TEXT, DAY, MOMENT, WORDS, SENTENCES = "text", "day", "moment", "words", "sentences"  # columns that hold no number


class Figure(msgspec.Struct, frozen=True):
    """A headline figure: its value in a unit of the tables, and its 95 % interval.

    `share` says how much of what it speaks of is observed or known, and `share_of` what that is. `reason` is the text
    that says why there is no value. `truth` is the true value where a simulation knows it.
    """

    name: str
    unit: str
    value: float | None
    low: float | None = None
    high: float | None = None
    share: float | None = None
    share_of: str = ""
    reason: str = ""
    truth: float | None = None


class Column(msgspec.Struct, frozen=True):
    """A column of a table: its unit, or the kind of text in it; `low` and `high` are columns with its interval.

    `group` is the group of texts that name the words, or the sentences, in it.
    """

    name: str
    unit: str = TEXT
    low: str = ""
    high: str = ""
    group: str = ""

    @property
    def is_number(self) -> bool:
        """Whether it holds numbers in a unit."""
        return self.unit not in (TEXT, DAY, MOMENT, WORDS, SENTENCES)


class Table(msgspec.Struct, frozen=True):
    """Rows with their columns in order. `notes` are sentences below it, ready for people."""

    name: str
    columns: tuple[Column, ...]
    rows: pl.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def shown(self) -> tuple[Column, ...]:
        """The columns that hold anything at all."""
        return tuple(each for each in self.columns if self.rows[each.name].null_count() < self.rows.height)


class Chart(msgspec.Struct, frozen=True):
    """A chart as a Vega-Lite specification for a page and for a telephone, with a mark for each of `marks` rows."""

    name: str
    wide: dict[str, Any]
    narrow: dict[str, Any]
    marks: int


class Section(msgspec.Struct, frozen=True):
    """A part of a report. `notes` are sentences, ready for people."""

    name: str
    figures: tuple[Figure, ...] = ()
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()


class Report(msgspec.Struct, frozen=True):
    """A whole report of a period; `vehicles` is how many it speaks of, `made_at` the moment at which it was made.

    `stored` are the first and last day of which anything is stored, None where nothing is.
    """

    kind: str
    period: Period
    vehicles: int
    made_at: datetime
    sections: tuple[Section, ...]
    stored: tuple[date, date] | None = None

    @property
    def figures(self) -> Iterator[Figure]:
        """All figures."""
        for section in self.sections:
            yield from section.figures

    @property
    def tables(self) -> Iterator[Table]:
        """All tables."""
        for section in self.sections:
            yield from section.tables
