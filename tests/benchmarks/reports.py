"""Reports of 1,000 vehicles and a year: how long they take, how large they are, how fast a browser shows them."""

import time
from pathlib import Path

from playwright.sync_api import Browser

from logger.stores import open_lake
from tests.benchmarks.figures import Figure
from tests.dashboards.reports import made
from tests.dashboards.reports.conftest import SETTINGS, settings_in
from tests.helpers.browser import opened, running_browser
from tests.helpers.command_line import voltrail

_VEHICLES, _DAYS = 1_000, 365
_PERIOD = "2026-10..2027-09"
_KINDS = ("consumption", "fleet", "battery-health")
_OPENED = 3
_DRAWN = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def figures(folder: Path) -> list[Figure]:
    """Write each report by a process of its own, and open it in Chromium."""
    (folder / "voltrail.toml").write_text(SETTINGS)
    made.fill(open_lake(settings_in(folder)), [f"V{number}" for number in range(_VEHICLES)], _DAYS)
    with running_browser() as browser:
        return [figure for kind in _KINDS for figure in _of_kind(folder, kind, browser)]


def _of_kind(folder: Path, kind: str, browser: Browser) -> list[Figure]:
    file, began = folder / f"{kind}.html", time.monotonic()
    done = voltrail(folder, "report", kind, "--period", _PERIOD, "--out", str(file))
    seconds = time.monotonic() - began
    assert done.returncode == 0, done.stderr
    shown = [_seconds_to_open(browser, file) for _ in range(_OPENED)]
    name = f"report of {kind}, {_VEHICLES:,} vehicles, a year"
    return [
        Figure(f"{name}: written", [seconds], "s", "less", bar=15),
        Figure(f"{name}: file", [file.stat().st_size / 1e6], "MB", "less", bar=5),
        Figure(f"{name}: opened", shown, "s", "less", bar=2),
    ]


def _seconds_to_open(browser: Browser, file: Path) -> float:
    began = time.monotonic()
    with opened(browser, file.as_uri()) as watched:
        watched.page.evaluate(_DRAWN)
        return time.monotonic() - began
