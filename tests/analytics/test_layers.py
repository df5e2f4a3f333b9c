"""Rooms of `analytics/` stand in one order: each imports what stands above it, and nothing below."""

from pathlib import Path

import pytest

from tests.test_layers import imported, module_name, modules, room

ROOMS = (
    "schemas",
    "frames",
    "digests",
    "observations",
    "trips",
    "stays",
    "charging",
    "battery_health",
    "energy",
    "timeline",
    "fleet",
    "engine",
)
FILES = [path for path in modules("analytics") if room(module_name(path))]


def rooms_imported(path: Path) -> set[str]:
    """Rooms of the names that this file imports; `from analytics import frames` counts as that of `frames`."""
    return {room(name) for name in imported(path) if name.startswith("analytics.")}


def test_every_room_has_its_place_in_the_order() -> None:
    assert {room(module_name(path)) for path in FILES} == set(ROOMS)


@pytest.mark.parametrize("of", ROOMS)
def test_a_room_imports_only_rooms_above_it(of: str) -> None:
    granted = {*ROOMS[: ROOMS.index(of) + 1]}
    upward = {module_name(path): rooms_imported(path) - granted for path in FILES if room(module_name(path)) == of}
    assert {module: names for module, names in upward.items() if names} == {}


def test_no_two_rooms_import_each_other() -> None:
    graph = {of: set[str]() for of in ROOMS}
    for path in FILES:
        graph[room(module_name(path))] |= rooms_imported(path) - {room(module_name(path))}
    assert [(one, other) for one, names in graph.items() for other in names if one in graph[other]] == []


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_a_file_has_at_most_300_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 300
