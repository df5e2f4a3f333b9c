"""`voltrail report` from the command line: files of every kind, and errors in one line."""

from pathlib import Path

import pytest

from logger.stores import open_lake
from tests.dashboards.reports import made
from tests.dashboards.reports.conftest import SETTINGS, settings_in
from tests.helpers.command_line import voltrail

WRONG = {
    "a kind that there is not": (["fleets"], "'fleets' is not one of"),
    "a period that is none": (["fleet", "--period", "May"], "--period 'May' is no period"),
    "a file that is no report": (
        ["fleet", "--out", "fleet.docx"],
        "a report is no .docx: end it in .html, .pdf, .csv, .xlsx",
    ),
    "a vehicle that is not stored": (["fleet", "--vehicle", "V9"], "nothing is stored of vehicle 'V9'"),
    "nothing to compare": (
        ["calibration", "--compare", "2026-10"],
        "--compare: calibration speaks of how things stand",
    ),
    "a folder that is not there": (["calibration", "--out", "no/where.html"], "cannot write no/where.html"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with settings, and a lake with two vehicles and three days."""
    folder = tmp_path_factory.mktemp("report")
    (folder / "voltrail.toml").write_text(SETTINGS)
    made.fill(open_lake(settings_in(folder)), ["V1", "V2"], 3)
    return folder


def test_a_page_goes_to_stdout_or_to_a_file(folder: Path) -> None:
    shown = voltrail(folder, "report", "consumption", "--period", "2026-10", "--compare", "2026-10-01")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith("<!doctype html>")
    assert "Both periods" in shown.stdout
    written = voltrail(folder, "report", "consumption", "--vehicle", "Ann's moped", "--out", "one.pdf")
    assert (written.returncode, written.stdout, written.stderr) == (0, "", "")
    assert (folder / "one.pdf").read_bytes().startswith(b"%PDF")


def test_a_period_without_data_says_where_data_are(folder: Path) -> None:
    shown = voltrail(folder, "report", "fleet", "--period", "2025")
    assert "Data reach from Oct 1, 2026 to Oct 3, 2026: name a period with --period." in shown.stdout


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_use_is_one_line_that_says_what_is_wrong(folder: Path, wrong: str) -> None:
    words, text = WRONG[wrong]
    done = voltrail(folder, "report", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert text in done.stderr
    assert len(done.stderr.splitlines()) == 1
