"""`make screenshots`: pictures of reports and of the live page, from a demo of its own.

All of them land in `.cache/screenshots/demo/`, those of the README in `docs/reports/`.
"""

import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page

from logger.display.formats import Formats
from logger.settings.load import load_settings
from logger.settings.schema import Display, Settings
from tests.helpers.browser import opened, running_browser
from tests.helpers.command_line import voltrail
from tests.helpers.live_page import TOKEN, served

ROOT = Path(__file__).parents[3]
FOLDER, DOCS = ROOT / ".cache" / "screenshots" / "demo", ROOT / "docs" / "reports"
_KINDS = ("consumption", "battery-health", "calibration", "fleet")
_SIZE = ("--vehicles", "12", "--days", "7", "--seed", "5", "--providers", "all")


def make(folder: Path) -> None:
    """Run the demo, write every report, and photograph each as people see it."""
    demo = folder / "demo"
    _run(folder, "demo", *_SIZE, "--out", str(demo), "--no-open")
    for kind in _KINDS:
        _run(folder, "report", kind, "--config", str(demo / "voltrail.toml"), "--out", str(demo / f"{kind}.html"))
    (demo / "report.html").replace(demo / "fleet.html")  # with what was found beside the truth
    for place in (FOLDER, DOCS):
        place.mkdir(parents=True, exist_ok=True)
    with running_browser() as browser:
        _photograph_reports(browser, demo)
        _photograph_live(browser, load_settings(demo / "voltrail.toml"))


def _run(folder: Path, *words: str) -> None:
    done = voltrail(folder, *words)
    assert done.returncode == 0, f"voltrail {' '.join(words)}: {done.stderr[-2000:]}"


def _photograph_reports(browser: Browser, demo: Path) -> None:
    for kind in _KINDS:
        for look, width, dark in (("light", 1280, False), ("dark", 1280, True), ("telephone", 360, False)):
            with opened(browser, (demo / f"{kind}.html").as_uri(), width, dark=dark) as watched:
                watched.page.screenshot(path=FOLDER / f"{kind}-{look}.png", full_page=True)
    with opened(browser, (demo / "fleet.html").as_uri()) as watched:
        watched.page.screenshot(path=DOCS / "fleet.png")
    with opened(browser, (demo / "consumption.html").as_uri()) as watched:
        _scroll_to(watched.page, "by_vehicle")
        watched.page.screenshot(path=DOCS / "consumption.png")


def _scroll_to(page: Page, section: str) -> None:
    page.locator(f"#{section}").evaluate("(each) => each.scrollIntoView()")


def _photograph_live(browser: Browser, settings: Settings) -> None:
    with served(settings, Formats(Display(), settings.tariffs.currency)) as address:
        for look, width in (("light", 1280), ("telephone", 360)):
            with opened(browser, address, width, allowed=address) as watched:
                watched.page.get_by_label("Token").fill(TOKEN)
                watched.page.get_by_role("button").click()
                watched.page.locator("#vehicles tbody tr").first.wait_for()
                watched.page.screenshot(path=FOLDER / f"live-{look}.png", full_page=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        make(Path(temporary))
    print(FOLDER)
