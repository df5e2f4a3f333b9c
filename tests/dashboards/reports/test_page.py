"""A report in a real Chromium: quiet, complete, sortable, narrow, dark, on paper, and for a screen reader.

Pictures of every page land in `.cache/screenshots/`, to be looked at.
"""

import io
from collections.abc import Iterator
from datetime import UTC, date
from pathlib import Path

import polars as pl
import pytest
from playwright.sync_api import Browser, Page, expect
from pypdf import PdfReader

from analytics.battery_health import reasons
from dashboards.reports.contents import Column, Report, Section, Table
from dashboards.reports.files import content
from dashboards.reports.make import open_data, report
from dashboards.reports.page import page
from dashboards.reports.period import Period
from logger.display.formats import Formats
from logger.settings.display import Display
from logger.settings.schema import ReportKind, Settings
from logger.stores import open_lake
from tests.dashboards.reports.conftest import DAYS, end_of, settings_in
from tests.helpers.accessibility import serious_findings
from tests.helpers.browser import opened

pytestmark = pytest.mark.xdist_group("reports-in-chromium")
PICTURES = Path(__file__).parents[3] / ".cache" / "screenshots"
KINDS: tuple[ReportKind, ...] = ("consumption", "battery-health", "calibration", "fleet")
LOOKS = {"light": (1280, False), "dark": (1280, True), "telephone": (360, False), "telephone-dark": (360, True)}
LONG = 450  # rows of a table
_CONTRAST = """() => {
  const light = (colour) => {
    const parts = colour.match(/[\\d.]+/g).slice(0, 3).map((each) => each / 255);
    const [r, g, b] = parts.map((each) => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const back = light(getComputedStyle(document.body).backgroundColor);
  const ratio = (each) => (Math.max(back, each) + 0.05) / (Math.min(back, each) + 0.05);
  return [...document.querySelectorAll(".chart svg text")].map((text) => ratio(light(getComputedStyle(text).fill)));
}"""
_CUT = """() => [...document.querySelectorAll("table, .chart svg, .figure")]
  .filter((each) => each.getClientRects().length && each.getBoundingClientRect().right > document.body.clientWidth + 1)
  .map((each) => each.closest("section").id)"""


class Pages:
    """Reports of the fleet as files."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._settings, self._folder = settings, folder

    def report(self, kind: ReportKind) -> tuple[Report, Formats]:
        data = open_data(open_lake(self._settings), self._settings, now=end_of(DAYS))
        return report(kind, data), data.formats

    def address(self, kind: ReportKind) -> str:
        file = self._folder / f"{kind}.html"
        if not file.exists():
            file.write_bytes(content(*self.report(kind), ".html"))
        return file.as_uri()


@pytest.fixture(scope="module")
def pages(fleet: Settings, tmp_path_factory: pytest.TempPathFactory) -> Pages:
    return Pages(fleet, tmp_path_factory.mktemp("pages"))


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_page_is_quiet_fits_its_window_and_can_be_read(
    browser: Browser, pages: Pages, kind: ReportKind, look: str
) -> None:
    width, dark = LOOKS[look]
    with opened(browser, pages.address(kind), width, dark=dark) as watched:
        page = watched.page
        PICTURES.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=PICTURES / f"{kind}-{look}.png", full_page=True)
        assert watched.troubles == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert min(page.evaluate(_CONTRAST), default=21) >= 4.5, "texts of charts stand out from the page"
        assert serious_findings(page) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_chart_has_a_mark_for_each_row(browser: Browser, pages: Pages, kind: ReportKind) -> None:
    with opened(browser, pages.address(kind)) as watched:
        charts = watched.page.locator(".chart")
        assert charts.count() == sum(len(section.charts) for section in pages.report(kind)[0].sections)
        for chart in charts.all():
            marks = chart.locator('svg[data-size="wide"] .data_marks > *')
            assert marks.count() == int(chart.get_attribute("data-marks") or 0) > 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_has_every_row(browser: Browser, pages: Pages, kind: ReportKind) -> None:
    with opened(browser, pages.address(kind)) as watched:
        for table in pages.report(kind)[0].tables:
            rows = watched.page.locator(f'[data-table="{table.name}"] tbody tr')
            assert rows.count() == table.rows.height


@pytest.fixture(scope="module")
def long_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with a table of many rows, one of them of a name with line breaks and tags."""
    folder = tmp_path_factory.mktemp("long")
    names = [f"V{number:03}" for number in range(LONG - 1)] + ["a</tr>\n<tr><td>b"]
    rows = pl.DataFrame({"label": names, "distance_m": [float(each) for each in range(LONG)]})
    table = Table("by_vehicle", (Column("label"), Column("distance_m", "m")), rows)
    day = date(2026, 10, 1)
    found = Report("fleet", Period(day, day), LONG, end_of(1), (Section("todo", tables=(table,)),), (day, day))
    (folder / "long.html").write_text(page(found, Formats(Display(), "EUR", UTC)), encoding="utf-8")
    return folder / "long.html"


@pytest.mark.parametrize("script", [True, False])
def test_a_long_table_has_every_row_soon_after_it_is_open(browser: Browser, long_page: Path, script: bool) -> None:
    with opened(browser, long_page.as_uri(), script=script) as watched:
        rows = watched.page.locator("main tbody tr:visible")
        expect(rows).to_have_count(LONG)
        names = rows.locator("td:first-child").all_text_contents()
        assert (names[0], names[-2], names[-1]) == ("V000", f"V{LONG - 2:03}", "a</tr>\n<tr><td>b")


def test_a_long_table_is_sorted_and_filtered_as_a_whole_at_once(browser: Browser, long_page: Path) -> None:
    with opened(browser, long_page.as_uri()) as watched:
        first = watched.page.evaluate("""() => {
          document.querySelectorAll("th button")[1].click();
          return document.querySelector("tbody td").textContent;
        }""")
        assert first == "a</tr>\n<tr><td>b"
        watched.page.get_by_label("Filter").fill(f"V{LONG - 2:03}")
        assert watched.page.locator("tbody tr:visible").count() == 1


def test_a_browser_prints_every_row_of_a_long_table(browser: Browser, long_page: Path) -> None:
    with opened(browser, long_page.as_uri()) as watched:
        printed = PdfReader(io.BytesIO(watched.page.pdf(prefer_css_page_size=True)))
        text = " ".join(each.extract_text() for each in printed.pages)
    assert [name for name in (f"V{number:03}" for number in range(LONG - 1)) if name not in text] == []


@pytest.fixture
def vehicles(browser: Browser, pages: Pages) -> Iterator[Page]:
    """The page of consumption."""
    with opened(browser, pages.address("consumption")) as watched:
        yield watched.page


def column(page: Page, number: int) -> list[str]:
    rows = page.locator('[data-table="by_vehicle"] tbody tr:not([hidden])')
    return [row.locator("td").nth(number).inner_text() for row in rows.all()]


def test_a_head_sorts_its_table_by_mouse_and_by_keyboard(vehicles: Page) -> None:
    button = vehicles.locator('[data-table="by_vehicle"]').get_by_role("button", name="Distance")
    cells = vehicles.locator('[data-table="by_vehicle"] th[aria-sort]:not([aria-sort="none"])')
    button.click()
    assert cells.get_attribute("aria-sort") == "descending", "most comes first where there are numbers"
    most = [float(each.replace(",", "")) for each in column(vehicles, 3)]
    assert most == sorted(most, reverse=True)
    button.press("Enter")
    assert [float(each.replace(",", "")) for each in column(vehicles, 3)] == most[::-1]
    assert cells.get_attribute("aria-sort") == "ascending"


def test_words_sort_as_the_language_does(vehicles: Page) -> None:
    vehicles.locator('[data-table="by_vehicle"]').get_by_role("button", name="Vehicle").click()
    assert column(vehicles, 0) == ["Ann's moped", "V2", "V3", "V4"]


def test_a_filter_keeps_rows_that_hold_every_word_and_counts_them(vehicles: Page) -> None:
    part = vehicles.locator('[data-table="by_vehicle"]')
    part.get_by_label("Filter").fill("scooter v4")
    assert column(vehicles, 0) == ["V4"]
    assert part.locator("output").inner_text() == "rows: 1"
    part.get_by_label("Filter").fill("")
    assert len(column(vehicles, 0)) == 4


def test_the_keyboard_reaches_every_table(vehicles: Page) -> None:
    reached = set()
    for _ in range(120):
        vehicles.keyboard.press("Tab")
        reached.add(vehicles.evaluate("document.activeElement.closest('[data-table]')?.dataset.table"))
    assert reached - {None} == set(
        vehicles.locator("[data-table]").evaluate_all("(all) => all.map((each) => each.dataset.table)")
    )


def test_without_script_everything_can_be_read(browser: Browser, pages: Pages) -> None:
    with opened(browser, pages.address("fleet"), script=False) as watched:
        assert watched.page.locator("#todo tbody tr").count() == 3
        assert watched.page.locator(".figure").first.is_visible()


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_cut_on_paper(browser: Browser, pages: Pages, kind: ReportKind) -> None:
    a4_px = round((297 - 24) / 25.4 * 96)
    with opened(browser, pages.address(kind), a4_px) as watched:
        watched.page.emulate_media(media="print")
        assert watched.page.evaluate(_CUT) == []
        assert watched.page.locator(".tools:visible, nav:visible").count() == 0


def test_both_engines_print_the_same_figures(browser: Browser, pages: Pages) -> None:
    found, formats = pages.report("fleet")
    with opened(browser, pages.address("fleet")) as watched:
        printed = {"Chromium": watched.page.pdf(prefer_css_page_size=True), "ours": content(found, formats, ".pdf")}
    for engine, pdf in printed.items():
        pages_of = PdfReader(io.BytesIO(pdf)).pages
        text = " ".join(page.extract_text() for page in pages_of).replace("\N{NO-BREAK SPACE}", " ")
        missing = [
            each.name
            for each in found.figures
            if formats.value(each.value, each.unit).replace("\N{NO-BREAK SPACE}", " ") not in text
        ]
        assert missing == [], engine
        assert {round(float(page.mediabox.width)) for page in pages_of} == {842}, f"{engine}: A4, the long side across"


def test_a_german_page_says_in_german_why_there_is_no_figure(browser: Browser, fleet: Settings, tmp_path: Path) -> None:
    german = settings_in(fleet.data_dir.parent, '[display]\nlocale = "de"\n')
    with opened(browser, Pages(german, tmp_path).address("battery-health")) as watched:
        rows = watched.page.locator('[data-table="methods"] tbody').inner_text()
        assert "Spannung und Strom sind nicht vom selben Augenblick" in rows
        assert "Datenblatt des Modells: 1440 Wh" in watched.page.locator('[data-table="verdicts"] tbody').inner_text()
        assert reasons.SKEWED not in rows


def test_a_german_page_has_german_words_and_signs(browser: Browser, fleet: Settings, tmp_path: Path) -> None:
    german = settings_in(fleet.data_dir.parent, '[display]\nlocale = "de"\n')
    with opened(browser, Pages(german, tmp_path).address("consumption"), 360) as watched:
        assert watched.page.locator("html").get_attribute("lang") == "de"
        assert watched.page.get_by_role("heading", name="Auf einen Blick").is_visible()
        assert watched.page.evaluate("document.documentElement.scrollWidth") <= 360
        assert serious_findings(watched.page) == []
