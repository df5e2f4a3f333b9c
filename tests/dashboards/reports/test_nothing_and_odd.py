"""No data, one vehicle, missing tables, huge values, hostile names: a page that says so, and nothing injected."""

import csv
import io
import math
import re
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
import pytest
from playwright.sync_api import Browser

from dashboards.reports.contents import Report
from dashboards.reports.files import content
from dashboards.reports.make import open_data, report
from logger.display.formats import Formats
from logger.errors import ConfigError
from logger.settings.schema import ReportKind, Settings
from logger.stores import open_lake
from logger.tables import shaped
from tests.cases.reports.names import HOSTILE
from tests.dashboards.reports import made
from tests.dashboards.reports.conftest import end_of, settings_in
from tests.helpers.browser import opened

KINDS: tuple[ReportKind, ...] = ("consumption", "battery-health", "calibration", "fleet")
SUFFIXES = (".html", ".csv", ".xlsx", ".pdf")
CONTROLS = "evil\x1b[2J\x00\x07\x9b\r\n"
INJECTED = ("<script>alert(1)</script>", '"><img src=x onerror=alert(2)>', '=HYPERLINK("http://x")', "\u202eevil\u202c")
EVER = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
NAMES = (*INJECTED, CONTROLS, *(name for name in HOSTILE if "/" not in name))


def read(settings: Settings, kind: ReportKind, days: int = 3) -> tuple[Report, Formats]:
    data = open_data(open_lake(settings), settings, now=end_of(days))
    return report(kind, data), data.formats


@pytest.mark.parametrize("kind", KINDS)
def test_without_data_every_figure_is_none_or_a_count_of_nothing_and_has_a_reason(
    kind: ReportKind, tmp_path: Path
) -> None:
    found, formats = read(settings_in(tmp_path), kind)
    assert found.stored is None
    for figure in found.figures:
        assert figure.value in (None, 0.0), figure.name
        assert figure.value is not None or formats.texts(f"reason.{figure.reason}")
    assert "Nothing is stored yet" in content(found, formats, ".html").decode()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_without_data_every_kind_of_file_can_be_written(kind: ReportKind, suffix: str, tmp_path: Path) -> None:
    assert content(*read(settings_in(tmp_path), kind), suffix)


@pytest.mark.parametrize("kind", KINDS)
def test_one_vehicle_of_a_single_day_makes_a_report(kind: ReportKind, tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    made.fill(open_lake(settings), ["V1"], 1)
    found, formats = read(settings, kind)
    assert "Ann&#39;s moped" in content(found, formats, ".html").decode() or kind == "calibration"


@pytest.mark.parametrize("table", sorted(made.made(["V1"], 1)))
def test_any_table_may_be_missing(table: str, tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    made.fill(open_lake(settings), ["V1", "V2"], 3, [name for name in made.made(["V1"], 1) if name != table])
    for kind in KINDS:
        assert content(*read(settings, kind), ".html")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_huge_values_fit_into_every_kind_of_file(suffix: str, tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    made.fill(open_lake(settings), ["V1", "V2"], 3, scale=1e30)
    for kind in KINDS:
        assert content(*read(settings, kind), suffix)


@pytest.mark.parametrize("value", [None, 0.0, -5.0, 1e300, math.inf, math.nan])
def test_whatever_number_stands_in_every_column_there_is_a_report(value: float | None, tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    lake = open_lake(settings)
    for name, rows in made.made(["V1", "V2"], 3).items():
        table = shaped(rows, name)
        numbers = [each for each, dtype in table.schema.items() if dtype == pl.Float64]
        lake.replace(name, table.with_columns(pl.lit(value, pl.Float64).alias(each) for each in numbers), None, *EVER)
    for kind in KINDS:
        page = content(*read(settings, kind), ".html").decode().lower()
        assert ">nan" not in page
        assert ">inf<" not in page
        assert content(*read(settings, kind), ".xlsx")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = settings_in(tmp_path_factory.mktemp("hostile"))
    made.fill(open_lake(settings), NAMES, 2)
    return settings


@pytest.mark.parametrize("kind", KINDS)
def test_no_name_runs_as_script_or_becomes_an_element(
    browser: Browser, hostile: Settings, kind: ReportKind, tmp_path: Path
) -> None:
    file = tmp_path / "report.html"
    file.write_bytes(content(*read(hostile, kind), ".html"))
    with opened(browser, file.as_uri()) as watched:
        assert watched.page.locator("img").count() == 0
        assert watched.page.locator("script").count() == 1
        assert watched.troubles == []
        if kind == "consumption":
            shown = watched.page.locator('[data-table="by_vehicle"] tbody bdi').all_text_contents()
            assert set(INJECTED) <= set(shown), "each name stands there as it is, set apart from the text around it"


def test_no_name_becomes_a_formula_of_a_sheet(hostile: Settings) -> None:
    parts = zipfile.ZipFile(io.BytesIO(content(*read(hostile, "consumption"), ".xlsx")))
    sheets = [parts.read(name).decode() for name in parts.namelist() if "worksheets/sheet" in name]
    assert not any(re.search(r"<f[ >]|<hyperlink", sheet) for sheet in sheets)
    assert "=HYPERLINK(" in parts.read("xl/sharedStrings.xml").decode()


def test_control_characters_of_a_name_leave_a_workbook_that_can_be_read(hostile: Settings) -> None:
    parts = zipfile.ZipFile(io.BytesIO(content(*read(hostile, "consumption"), ".xlsx")))
    texts = [ElementTree.fromstring(parts.read(name)) for name in parts.namelist() if name.endswith(".xml")]
    assert any("evil_x001B_[2J" in "".join(text.itertext()) for text in texts)


def test_no_name_becomes_a_formula_of_the_csv(hostile: Settings) -> None:
    rows = list(csv.reader(io.StringIO(content(*read(hostile, "fleet"), ".csv").decode())))
    cells = [cell for row in rows for cell in row]
    numbers = re.compile(r"-?[\d.]+(e[+-]?\d+)?$")
    assert not [cell for cell in cells if cell[:1] in "=+-@\t\r\n＝＋－＠" and cell and not numbers.match(cell)]
    assert '\'=HYPERLINK("http://x")' in cells


def test_a_vehicle_that_is_not_stored_is_an_error_that_names_it(fleet: Settings) -> None:
    with pytest.raises(ConfigError, match=r"'V9'; `voltrail status` lists"):
        open_data(open_lake(fleet), fleet, vehicles=["V9"])


def test_a_vehicle_may_be_named_by_its_label(fleet: Settings) -> None:
    data = open_data(open_lake(fleet), fleet, vehicles=["Ann's moped"])
    assert report("consumption", data).vehicles == 1
