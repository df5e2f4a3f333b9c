"""Situations of real fleets, analysed together: each must come out as a careful person would say it was."""

import json
import zipfile
from pathlib import Path

import pytest

from tests.cases.reports.checks import Tables
from tests.cases.reports.every import SITUATIONS
from tests.cases.reports.fleet import Fleet
from tests.cases.reports.names import ESCAPE, FORMULA
from tests.helpers.command_line import voltrail, voltrail_on_terminal


@pytest.mark.xdist_group("situations")
@pytest.mark.parametrize("name", SITUATIONS)
def test_a_situation_comes_out_as_it_was(reported: dict[str, Tables], name: str) -> None:
    assert list(SITUATIONS[name].failures(reported[name])) == [], SITUATIONS[name].says


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a fleet whose names are hostile."""
    folder = tmp_path_factory.mktemp("names")
    Fleet(folder, [SITUATIONS["names_that_break_things"]]).analyse()
    (folder / "voltrail.toml").write_text(f'[collector]\ndata_dir = "{folder}"\n')
    return folder


def test_no_name_becomes_a_formula_of_a_spreadsheet(named: Path) -> None:
    done = voltrail(named, "export", "trips", "--format", "xlsx", "--out", "trips.xlsx")
    assert (done.returncode, done.stderr) == (0, "")
    parts = zipfile.ZipFile(named / "trips.xlsx")
    assert "<f>" not in parts.read("xl/worksheets/sheet1.xml").decode()
    assert FORMULA.partition("|")[0] in parts.read("xl/sharedStrings.xml").decode()


def test_no_name_speaks_to_the_terminal(named: Path) -> None:
    code, shown = voltrail_on_terminal(named, "status")
    assert (code, ESCAPE[:9] in shown, "two\nlines" in shown) == (0, False, False)


def test_a_name_like_a_path_is_found_by_itself(named: Path) -> None:
    done = voltrail(named, "status", "--vehicle", "depot/7", "--json")
    assert [each["vehicle"] for each in json.loads(done.stdout)["vehicles"]] == ["depot/7"], done.stderr
