"""What `check` says of rows that an analysis has set aside because of their date."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from logger.settings.load import load_settings
from logger.stores import open_lake
from logger.tables import shaped
from tests.helpers.check_setup import ONE, OTHER, Setup, only

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
WHAT = "2 rows of status dated 2003-07-01 set aside, years from all others"
REMEDY = "correct their dates in the file and import it again"


def find(setup: Setup, *found: tuple[str, int, str, str]) -> None:
    """Store these episodes as an analysis does: vehicle, hour, code, text."""
    made = [
        {"provider": "p", "vehicle": vehicle, "time": NOON + timedelta(hours=hour), "kind": "pipeline", "code": code}
        | {"system": "clock", "text": text}
        for vehicle, hour, code, text in found
    ]
    lake = open_lake(load_settings(setup.file))
    lake.replace("episodes", shaped(pl.DataFrame(made), "episodes"), None, NOON, NOON + timedelta(days=1))


def test_where_nothing_was_set_aside_all_is_well(tmp_path: Path) -> None:
    setup = Setup(tmp_path)
    find(setup, (ONE, 0, "relocated", "carried 300 m"))
    finding = only(setup.findings(), "dates")
    assert (finding.level, finding.text) == ("ok", "no row is set aside because of its date")


def test_each_vehicle_has_a_line_that_says_what_was_set_aside_and_what_to_do(tmp_path: Path) -> None:
    setup = Setup(tmp_path)
    find(setup, (ONE, 0, "wrong_date", f"{WHAT}; {REMEDY}"), (OTHER, 0, "wrong_date", f"{WHAT}; {REMEDY}"))
    for vehicle in (ONE, OTHER):
        finding = only(setup.findings(), f"dates {vehicle}")
        assert (finding.level, finding.text, finding.remedy) == ("warning", WHAT, REMEDY)


def test_all_that_was_set_aside_of_a_vehicle_is_one_line(tmp_path: Path) -> None:
    setup, later = Setup(tmp_path), WHAT.replace("2003-07-01", "2080-01-01")
    find(setup, (ONE, 0, "wrong_date", f"{WHAT}; {REMEDY}"), (ONE, 9, "wrong_date", f"{later}; {REMEDY}"))
    finding = only(setup.findings(), f"dates {ONE}")
    assert (finding.text, finding.remedy) == (f"{WHAT}, {later}", REMEDY)
