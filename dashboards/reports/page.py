"""A report as one page: it needs no network, reads on a telephone and on paper, and runs no script but its own."""

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import vl_convert
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from dashboards.reports.contents import DAY, MOMENT, SENTENCES, WORDS, Chart, Column, Figure, Report, Section, Table
from logger.display.formats import NOTHING, Formats

_FOLDER = Path(__file__).parent
_OF_MARKS = re.compile(r' (?:role|aria-[a-z]+)="[^"]*"')
_LONG = 32  # letters of a cell from which on it is wide, so that it is not high
_AT_FIRST = 100  # rows of a table that a page opens with, its script adds the others; paper has no more than these


def page(report: Report, formats: Formats, *, paper: bool = False) -> str:
    """Return the page as HTML; for `paper` without script, and long tables cut with a note that says so."""
    text = formats.texts
    written: str = _template().render(
        report=report, formats=formats, t=text, paper=paper, style=Markup(_read("page.css")),
        script=Markup("" if paper else _read("page.js")), script_hash=_hash(_read("page.js")),
        drawn=lambda chart: _drawn(chart, formats, paper), cell=lambda row, column: cell(row, column, formats),
        first_rows=lambda table: table.rows[:_AT_FIRST], later_rows=lambda table: table.rows[_AT_FIRST:],
        cut=lambda table: _cut(table, formats, paper), bar=bar,
        defined=lambda sections: _definitions(sections, formats), title=title(report, formats),
        period=period(report, formats), prose=prose, NOTHING=NOTHING,
    )  # fmt: skip
    return written


def title(report: Report, formats: Formats) -> str:
    """Return what a report is called."""
    return formats.texts(f"report.{report.kind}")


def period(report: Report, formats: Formats) -> str:
    """Return the days that a report is of."""
    first, last = (formats.day(day) for day in (report.period.first, report.period.last))
    return first if first == last else formats.texts("unit.range", low=first, high=last)


@cache
def _template() -> Any:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html")


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    """Return the digest by which the page's policy allows this script and no other."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def prose(text: str) -> Markup:
    """Return a sentence in which what stands between backticks is code."""
    parts = text.split("`")
    return Markup("").join(Markup("<code>{}</code>" if at % 2 else "{}").format(part) for at, part in enumerate(parts))


# ---- charts ---------------------------------------------------------------------------------------------------------


def _drawn(chart: Chart, formats: Formats, paper: bool) -> Markup:
    """Return the chart as SVG for a wide page, and unless it is for paper for a narrow one as well."""
    sizes = {"wide": chart.wide} if paper else {"wide": chart.wide, "narrow": chart.narrow}
    label = formats.texts(f"chart.{chart.name}")
    return Markup("").join(_svg(spec, size, label, formats) for size, spec in sizes.items())


def _svg(spec: dict[str, Any], size: str, label: str, formats: Formats) -> Markup:
    if formats.locale.language == "de":
        svg = vl_convert.vegalite_to_svg(spec, format_locale="de-DE", time_format_locale="de-DE")
    else:
        svg = vl_convert.vegalite_to_svg(spec)
    tag = Markup('<svg role="img" aria-label="{}" data-size="{}" ').format(label, size)
    plain = _OF_MARKS.sub("", str(svg))  # the chart as a whole has a label, and the table beside it tells the rest
    return Markup(plain.replace("<svg ", tag, 1))  # vl-convert escapes what is in the rows


def bar(figure: Figure) -> Mapping[str, float] | None:
    """Return where an interval lies on a line from 0 to 100: its ends, the value, and the truth where it is known."""
    if figure.value is None or figure.low is None or figure.high is None:
        return None
    values = [each for each in (figure.low, figure.value, figure.high, figure.truth) if each is not None]
    begin, end = min(0.0, *values), max(values) * 1.1
    if not end > begin:
        return None
    places = {"low": figure.low, "value": figure.value, "high": figure.high, "truth": figure.truth}
    return {
        name: round(100 * (value - begin) / (end - begin), 2) for name, value in places.items() if value is not None
    }


# ---- tables ---------------------------------------------------------------------------------------------------------


def _cut(table: Table, formats: Formats, paper: bool) -> str:
    if not paper or table.rows.height <= _AT_FIRST:
        return ""
    return formats.texts("note.cut", shown=_AT_FIRST, all=formats.number(table.rows.height, "1"))


def cell(row: Mapping[str, Any], column: Column, formats: Formats) -> Markup:
    """Return a cell of a table: numbers with what they are sorted by, names set apart from the text around them."""
    value = row[column.name]
    if value is None:
        return Markup('<td class="{}">{}</td>').format("n" if column.is_number else "", NOTHING)
    if column.is_number:
        return _number(float(value), row, column, formats)
    if column.unit in (DAY, MOMENT):
        shown = formats.day(value) if column.unit == DAY else formats.moment(value)
        return Markup('<td class="d" data-v="{}">{}</td>').format(value.isoformat(), shown)
    text = shown_words(value, column, formats) if column.unit in (WORDS, SENTENCES) else value
    long = "long" if len(text) > _LONG else ""
    return Markup('<td class="{}"><bdi>{}</bdi></td>').format(long, text)


def _number(value: float, row: Mapping[str, Any], column: Column, formats: Formats) -> Markup:
    shown = formats.number(value, column.unit)
    ends = formats.interval(row[column.low], row[column.high], column.unit) if column.low else ""
    inner = Markup("{} <small>{}</small>").format(shown, ends) if ends else shown
    return Markup('<td class="n" data-v="{}">{}</td>').format(f"{value:.6g}", inner)


def shown_words(value: str, column: Column, formats: Formats) -> str:
    """Return what stands in a cell for words of the tables, joined by commas, or for their sentences."""
    if column.unit == SENTENCES:
        return formats.texts.sentences(column.group, value)
    return ", ".join(formats.texts.word(column.group, word) for word in value.split(","))


def _definitions(sections: Sequence[Section], formats: Formats) -> list[tuple[str, str]]:
    """Return what the figures and columns of these sections are called that have a definition, and what they mean."""
    text, found = formats.texts, dict[str, str]()
    for group, name in (each for section in sections for each in _terms(section)):
        if text.has(f"meaning.{name}"):
            found.setdefault(name, text(f"{group}.{name}"))
    return [(called, text(f"meaning.{name}")) for name, called in found.items()]


def _terms(section: Section) -> Iterator[tuple[str, str]]:
    yield from (("figure", each.name) for each in section.figures)
    tables = (table for table in section.tables if table.rows.height)
    yield from (("column", column.name) for table in tables for column in table.shown)
