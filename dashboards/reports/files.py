"""A report as a file: a page, a page on paper, a workbook with a sheet for each table, or plain rows."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from functools import partial
from typing import Any

import polars as pl
import xlsxwriter  # type: ignore[import-untyped]

from dashboards.reports.contents import DAY, MOMENT, SENTENCES, TEXT, WORDS, Column, Figure, Report, Table
from dashboards.reports.page import page, period, shown_words, title
from logger.display.formats import Formats
from logger.display.units import Unit
from logger.errors import ConfigError

# A sheet takes a text that begins so for a formula; the last four are wide signs of Chinese and Japanese
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_FIGURE_HEAD = ("figure", "unit", "value", "low", "high", "remark")
_SHEET_NAME = 31  # letters, at most
_MOST_FITTED = 2000  # rows of a sheet whose columns are made as wide as their cells
_ROW_HEAD = ("section", "table", "row", "column", "unit", "value")


def content(report: Report, formats: Formats, suffix: str) -> bytes:
    """Return the report as the kind of file that has this suffix. Raises `ConfigError` for an unknown one."""
    if suffix not in WRITERS:
        raise ConfigError(f"--out: a report is no {suffix or 'file without suffix'}: end it in {', '.join(WRITERS)}")
    return WRITERS[suffix](report, formats)


def _html(report: Report, formats: Formats) -> bytes:
    return page(report, formats).encode()


def _pdf(report: Report, formats: Formats) -> bytes:
    try:
        from weasyprint import HTML
    except OSError as error:  # the libraries of the system that it draws text with
        raise ConfigError(
            f"a PDF needs the library Pango (Debian: libpango-1.0-0, libpangoft2-1.0-0): {error}"
        ) from error
    return bytes(HTML(string=page(report, formats, paper=True), url_fetcher=_no_fetching).write_pdf())


def _no_fetching(url: str) -> dict[str, Any]:
    raise ValueError(f"a report fetches nothing, and not {url}")


# ---- rows -----------------------------------------------------------------------------------------------------------


def _csv(report: Report, formats: Formats) -> bytes:
    """One row for each value, so that one form holds every table; in the units of the tables, as columns are named."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(_ROW_HEAD)
    for row in _csv_rows(report, formats):
        if row[-1] is not None:
            writer.writerow([_harmless(each) for each in row])
    return file.getvalue().encode()


def _csv_rows(report: Report, formats: Formats) -> Iterator[tuple[Any, ...]]:
    for section in report.sections:
        for each in section.figures:
            remark = formats.texts(f"reason.{each.reason}") if each.reason else None
            values = {
                "value": each.value,
                "low": each.low,
                "high": each.high,
                "share": each.share,
                "truth": each.truth,
                "remark": remark,
            }
            unit = _stored_unit(each.unit, formats)
            yield from ((section.name, "figures", each.name, name, unit, value) for name, value in values.items())
        for table in section.tables:
            yield from ((section.name, *row) for row in _table_rows(table, formats))


def _table_rows(table: Table, formats: Formats) -> Iterator[tuple[Any, ...]]:
    units = {name: _stored_unit(column.unit, formats) for column in table.columns for name in _names(column)}
    for number, row in enumerate(sheet(table, formats, convert=False).iter_rows(named=True), 1):
        yield from ((table.name, number, name, units[name], value) for name, value in row.items())


def _stored_unit(unit: str, formats: Formats) -> str:
    kinds = {**dict.fromkeys((TEXT, DAY, MOMENT, WORDS, SENTENCES, "number"), ""), "share": "1", "months": "1"}
    return formats.unit(unit).sign if unit == "money" else kinds.get(unit, unit)


def _harmless(value: object) -> object:
    """Return a text so that no sheet takes it for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_SIGNS) else value


# ---- a workbook -----------------------------------------------------------------------------------------------------


def _xlsx(report: Report, formats: Formats) -> bytes:
    file = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": True}
    with xlsxwriter.Workbook(file, options) as workbook:
        _write_figures(workbook, report, formats)
        for table in report.tables:
            frame = sheet(table, formats, convert=True).rename(_heads(table, formats))
            frame.write_excel(
                workbook, table.name[:_SHEET_NAME], autofit=frame.height < _MOST_FITTED, freeze_panes=(1, 0)
            )
    return file.getvalue()


def _write_figures(workbook: Any, report: Report, formats: Formats) -> None:
    text, first = formats.texts, workbook.add_worksheet("figures")
    first.write_row(0, 0, (title(report, formats), period(report, formats)))
    first.write_row(1, 0, [text(f"sheet.{name}") for name in _FIGURE_HEAD])
    for number, figure in enumerate(report.figures, 2):
        first.write_row(number, 0, _figure_cells(figure, formats))
    first.autofit()


def _figure_cells(figure: Figure, formats: Formats) -> tuple[Any, ...]:
    unit, text = formats.unit(figure.unit), formats.texts
    ends = (None if each is None else unit.converted(each) for each in (figure.value, figure.low, figure.high))
    remark = text(f"reason.{figure.reason}") if figure.reason else ""
    if figure.share is not None:
        remark = text(f"share.{figure.share_of}", share=formats.value(figure.share, "share"))
    return text(f"figure.{figure.name}"), unit.sign, *ends, remark


def _heads(table: Table, formats: Formats) -> dict[str, str]:
    """The words above each column, with the unit; those that end an interval say which end."""
    return {name: _head(column, name, formats) for column in table.columns for name in _names(column)}


def _head(column: Column, name: str, formats: Formats) -> str:
    sign = formats.unit(column.unit).sign if column.is_number else ""
    end = {column.low: "low", column.high: "high"}.get(name, "") if name != column.name else ""
    label = " ".join(filter(None, (formats.texts(f"column.{column.name}"), end and formats.texts(f"sheet.{end}"))))
    return f"{label} ({sign})" if sign else label


# ---- values ---------------------------------------------------------------------------------------------------------


def sheet(table: Table, formats: Formats, *, convert: bool) -> pl.DataFrame:
    """Return the rows of a table, numbers beside the ends of their intervals; `convert`: in units that are shown."""
    return table.rows.select(each for column in table.columns for each in _expressions(column, formats, convert))


def _names(column: Column) -> list[str]:
    return [name for name in (column.name, column.low, column.high) if name]


def _expressions(column: Column, formats: Formats, convert: bool) -> Iterator[pl.Expr]:
    values = pl.col(column.name)
    if column.is_number:
        unit = formats.unit(column.unit) if convert else Unit("")
        yield from (pl.col(name).cast(pl.Float64) * unit.scale + unit.offset for name in _names(column))
    elif column.unit in (DAY, MOMENT):
        yield values.map_elements(partial(_iso, formats), return_dtype=pl.String())
    elif column.unit in (WORDS, SENTENCES) and convert:
        yield values.map_elements(partial(shown_words, column=column, formats=formats), return_dtype=pl.String())
    else:
        yield values.cast(pl.String)


def _iso(formats: Formats, moment: date) -> str:
    return formats.local(moment).isoformat(" ", "minutes") if isinstance(moment, datetime) else moment.isoformat()


WRITERS: Mapping[str, Callable[[Report, Formats], bytes]] = {".html": _html, ".pdf": _pdf, ".csv": _csv, ".xlsx": _xlsx}
