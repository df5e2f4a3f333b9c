"""The shape of `dashboards/`: one module a dashboard, one function a panel, short files; and what they import."""

import ast
from pathlib import Path

import pytest

from dashboards.catalogue import PAGES
from tests.test_layers import imported

FOLDER = Path(__file__).parents[2] / "dashboards"
FILES = sorted(FOLDER.rglob("*.py"))
# Dashboards show tables: of the logger they know its columns, settings and errors, and how InfluxDB is written
GRANTED = {"atomic", "columns", "commands", "derived_tables", "errors", "settings", "signals", "stores", "tables"}
# Reports and the live page are processes that the service starts; they have texts and are sent to people
OF_PROCESSES = GRANTED | {"display", "notify", "printable", "service"}
PROCESSES = ("live.py", "reports/")
OF_ANALYTICS = {"analytics.stays.places.placed"}  # the one rule of what a private place hides


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_a_file_has_at_most_300_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 300


@pytest.mark.parametrize("name", PAGES)
def test_every_function_of_a_panel_is_on_its_page_once(name: str) -> None:
    tree = ast.parse((FOLDER / f"{name}.py").read_text())
    panels = {
        each.name
        for each in tree.body
        if isinstance(each, ast.FunctionDef) and ast.unparse(each.returns or ast.Constant("")) == "Panel"
        if not each.name.startswith("_")
    }
    page = next(each for each in tree.body if isinstance(each, ast.FunctionDef) and each.name == "page")
    called = [call.func.id for call in ast.walk(page) if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)]
    assert sorted(each for each in called if each != "Page") == sorted(panels)


def test_dashboards_import_what_they_are_granted() -> None:
    own = [path for path in FILES if not str(path.relative_to(FOLDER)).startswith(PROCESSES)]
    assert rooms_of(own) <= GRANTED
    assert rooms_of(FILES) <= OF_PROCESSES
    names = {name for path in FILES for name in imported(path)} - OF_ANALYTICS
    assert not [name for name in names if name.startswith(("analytics", "logger.simulator"))]


def rooms_of(files: list[Path]) -> set[str]:
    """The rooms of the logger that these files import."""
    names = {name for path in files for name in imported(path)}
    return {name.split(".")[1] for name in names if name.startswith("logger.")}
