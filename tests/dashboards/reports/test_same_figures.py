"""The same figure everywhere: what page, PDF, sheet and CSV say is what the tables add up to."""

import csv
import io
import re
from pathlib import Path

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from dashboards.reports.contents import Figure, Report
from dashboards.reports.files import content
from dashboards.reports.make import open_data, report
from logger.display.formats import Formats
from logger.settings.schema import ReportKind, Settings
from logger.stores import open_lake
from tests.dashboards.reports.conftest import DAYS, NAMES, end_of, settings_in
from tests.dashboards.reports.made import TRIPS_A_DAY, made

KINDS: tuple[ReportKind, ...] = ("consumption", "battery-health", "calibration", "fleet")


def made_report(settings: Settings, kind: ReportKind) -> tuple[Report, Formats]:
    data = open_data(open_lake(settings), settings, now=end_of(DAYS))
    return report(kind, data), data.formats


@pytest.fixture(params=KINDS)
def shown(request: pytest.FixtureRequest, fleet: Settings) -> tuple[Report, Formats]:
    return made_report(fleet, request.param)


def test_the_headline_of_consumption_is_what_the_tables_add_up_to(fleet: Settings) -> None:
    found, _ = made_report(fleet, "consumption")
    figures, rows = {each.name: each for each in found.figures}, made(NAMES, DAYS)
    days, charges = rows["consumption"], rows["charges"]
    km = float(days["distance_m"].sum()) / 1000
    assert figures["distance_m"].value == pytest.approx(days["distance_m"].sum())
    assert figures["distance_m"].share == pytest.approx(2 / 3 / 1.25), "two of three trips are observed"
    assert figures["driven_wh"].value == pytest.approx(days["driven_wh"].sum())
    assert figures["driven_wh"].low == pytest.approx(days["driven_low_wh"].sum())
    assert figures["wh_per_km"].value == pytest.approx(float(days["driven_wh"].sum()) / km)
    assert figures["gross_wh_per_km"].value == pytest.approx(1.1 * float(days["driven_wh"].sum()) / km)
    assert figures["cost"].value == pytest.approx(charges["cost"].sum())
    assert figures["co2_g"].value == pytest.approx(float(charges["energy_wh"].sum()) / 0.9 / 1000 * 380)
    assert figures["trips"].value == TRIPS_A_DAY * DAYS * len(NAMES)


def test_every_table_of_consumption_adds_up_to_the_headline(fleet: Settings) -> None:
    found, _ = made_report(fleet, "consumption")
    distance_m = next(each.value for each in found.figures if each.name == "distance_m")
    tables = {table.name: table for table in found.tables}
    for name in ("by_day", "by_week", "by_month", "by_vehicle", "by_model"):
        assert tables[name].rows["distance_m"].sum() == pytest.approx(distance_m), name


def test_the_page_states_every_figure(shown: tuple[Report, Formats]) -> None:
    found, formats = shown
    html = content(found, formats, ".html").decode()
    stated = dict(re.findall(r'data-figure="(\w+)">.*?<data value="([^"]+)">', _figures_known(html), re.S))
    known = {each.name: each.value for each in found.figures if each.value is not None}
    assert {name: float(value) for name, value in stated.items()} == known
    for each in found.figures:
        assert f">{formats.value(each.value, each.unit)}</data>" in html or each.value is None


def _figures_known(html: str) -> str:
    """The page without figures that have no value, so that none takes the value of its neighbour."""
    return re.sub(
        r'<div class="figure"[^>]*>\s*<dt>[^<]*</dt>\s*<dd class="none">.*?</dd>\s*</div>', "", html, flags=re.S
    )


def test_the_csv_states_every_figure_in_the_units_of_the_tables(shown: tuple[Report, Formats]) -> None:
    found, formats = shown
    rows = list(csv.DictReader(io.StringIO(content(found, formats, ".csv").decode())))
    values = {(row["row"], row["column"]): row["value"] for row in rows if row["table"] == "figures"}
    for each in found.figures:
        for name in ("value", "low", "high", "share"):
            expected = getattr(each, name)
            assert values.get((each.name, name)) == (None if expected is None else str(expected))
        assert (each.name, "remark") in values or each.value is not None, "no figure, and no reason"


def test_the_sheet_states_every_figure_in_the_units_that_are_shown(shown: tuple[Report, Formats]) -> None:
    found, formats = shown
    cells = load_workbook(io.BytesIO(content(found, formats, ".xlsx")))["figures"]
    rows = [tuple(cell.value for cell in row) for row in cells.iter_rows(min_row=3)]
    assert len(rows) == len(list(found.figures))
    for row, each in zip(rows, found.figures, strict=True):
        assert row[0] == formats.texts(f"figure.{each.name}")
        assert row[2] == (None if each.value is None else pytest.approx(in_unit(each, formats)))


def in_unit(figure: Figure, formats: Formats) -> float:
    assert figure.value is not None
    return formats.unit(figure.unit).converted(figure.value)


def test_the_sheet_has_every_row_of_every_table(shown: tuple[Report, Formats]) -> None:
    found, formats = shown
    book = load_workbook(io.BytesIO(content(found, formats, ".xlsx")))
    rows = {name: list(book[name].iter_rows(min_row=2, values_only=True)) for name in book.sheetnames[1:]}
    heights = {name: sum(any(cell is not None for cell in row) for row in each) for name, each in rows.items()}
    assert heights == {table.name: table.rows.height for table in found.tables}


def test_the_pdf_states_every_figure(fleet: Settings) -> None:
    found, formats = made_report(fleet, "fleet")
    pages = PdfReader(io.BytesIO(content(found, formats, ".pdf"))).pages
    text = " ".join(page.extract_text() for page in pages).replace("\N{NO-BREAK SPACE}", " ")
    for each in found.figures:
        assert formats.value(each.value, each.unit).replace("\N{NO-BREAK SPACE}", " ") in text


def test_imperial_units_change_what_is_shown_and_not_what_is_stored(fleet: Settings) -> None:
    miles = settings_in(open_folder(fleet), '[display]\nunits = "imperial"\nlocale = "de"\n')
    (metric, plain), (found, formats) = made_report(fleet, "consumption"), made_report(miles, "consumption")
    assert list(found.figures) == list(metric.figures)
    km, mi = (in_unit(next(iter(metric.figures)), each) for each in (plain, formats))
    assert mi == pytest.approx(km / 1.609344)
    assert f"{formats.number(418_000, 'm')} mi" == "259,7 mi"


def open_folder(settings: Settings) -> Path:
    return settings.data_dir.parent
