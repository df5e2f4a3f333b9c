"""The shape of the code: few rooms, short files, short functions; what grows over it is to be split."""

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOGGER = ROOT / "logger"
LONGER = {"logger/signals.py", "logger/tables.py", "logger/derived_tables.py", "logger/sources/segway/messages.py"}
FILES = [ROOT / "voltrail.py", *sorted(LOGGER.rglob("*.py"))]
Function = ast.FunctionDef | ast.AsyncFunctionDef


def lines_of_body(function: Function) -> int:
    """The lines of its body, without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return 0 if not body else (body[-1].end_lineno or 0) - body[0].lineno + 1


def functions() -> Iterator[tuple[str, int]]:
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, Function):
                yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", lines_of_body(node)


def test_the_root_of_the_logger_shows_it_at_a_glance() -> None:
    assert len(list(LOGGER.glob("*.py"))) <= 15
    rooms = {path.parent for path in LOGGER.rglob("*.py")} - {LOGGER}
    vendors = {room for room in rooms if room.parent == LOGGER / "sources"}  # a folder each
    assert len(rooms - vendors) <= 22


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_has_at_most_300_lines_but_for_tables_of_words(path: Path) -> None:
    if str(path.relative_to(ROOT)) not in LONGER:
        assert len(path.read_text().splitlines()) <= 300


def test_functions_are_short() -> None:
    lengths = sorted(lines for _, lines in functions())
    assert statistics.median(lengths) <= 6
    assert lengths[int(0.9 * len(lengths))] <= 15
