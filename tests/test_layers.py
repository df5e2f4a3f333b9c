"""Imports go one way: what each room of `logger/` may import of ours, and nothing that is not used."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("logger", "analytics", "dashboards")
WORDS = {"errors", "envelope", "mapping", "signals", "suggest", "tables"}
GRANTS: dict[str, set[str]] = {  # a room's own modules always count as granted
    "errors": set(),
    "suggest": set(),
    "atomic": set(),
    "locks": set(),
    "retry_after": set(),
    "printable": set(),
    "envelope": set(),
    "mapping": set(),
    "times": {"errors"},
    "signals": {"errors", "suggest"},
    "columns": set(),
    "derived_tables": {"columns", "signals"},
    "tables": {"columns", "derived_tables", "errors", "signals", "suggest"},
    "process_state": {"atomic"},
    "settings": {"errors", "printable", "signals", "suggest"},
    "display": {"settings"},
    "sources": {"atomic", "locks", "retry_after", "settings", "times", *WORDS},  # the first two: tokens on disk
    "spool": {"atomic", "envelope", "errors", "settings"},
    "receive": {"envelope", "errors", "sources", "spool"},
    "poll": {"atomic", "envelope", "errors", "locks", "settings", "sources", "spool"},
    "decode": {"envelope", "errors", "mapping", "signals", "tables", "times"},
    "stores": {"atomic", "errors", "retry_after", "settings", "suggest", "tables"},
    "deliver": {
        "atomic", "decode", "envelope", "errors", "process_state", "settings", "sources", "spool", "stores", "tables",
    },
    # What needs somebody is read from a store; nothing else of the logger's way is needed to tell it
    "notify": {"atomic", "errors", "settings", "stores"},
    "live": {"display", "errors", "process_state", "settings", "sources", "spool", "stores"},  # it only reads
    "service": {
        "deliver", "display", "envelope", "errors", "live", "locks", "notify", "poll", "printable", "process_state",
        "receive", "settings", "sources", "spool",
    },
}  # fmt: skip
GRANTS["commands"] = {*GRANTS} - {"columns", "derived_tables", "display", "retry_after", "signals"}
GRANTS["simulator"] = {"envelope", "errors", "process_state", "settings", "sources", "spool", "stores", "tables"}
LIGHT = ("service.supervisor", "service.main", "service.receiver")  # processes that start without polars
HEAVY = {"polars", "deltalake", "influxdb_client"}


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def module_name(path: Path) -> str:
    """The name by which it is imported."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(module: str) -> str:
    """The first name below its package: `sources` for `logger.sources.segway.api`."""
    return module.split(".")[1] if "." in module else ""


def imported(path: Path, *, at_import: bool = False) -> Iterator[str]:
    """Dotted names that this file imports; with `at_import` only those at its top."""
    tree = ast.parse(path.read_text())
    for node in tree.body if at_import else ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def rooms_imported(of: str) -> set[str]:
    """The other rooms that the modules of this room import."""
    paths = [path for path in modules("logger") if room(module_name(path)) == of]
    names = {name for path in paths for name in imported(path) if name.startswith("logger.")}
    return {room(name) for name in names} - {of}


@pytest.mark.parametrize("of", sorted({room(module_name(path)) for path in modules("logger")} - {""}))
def test_a_room_imports_what_it_is_granted_and_is_granted_what_it_imports(of: str) -> None:
    assert of in GRANTS, f"logger/{of} is new: give it a line in GRANTS"
    assert rooms_imported(of) == GRANTS[of]


def test_no_room_imports_one_that_imports_it() -> None:
    rank = {name: at for at, name in enumerate(GRANTS)}
    upward = [(of, name) for of, names in GRANTS.items() for name in names if rank[name] >= rank[of]]
    assert upward == [], "a room stands below all that it imports"


def test_no_two_modules_import_each_other() -> None:
    known = {module_name(path): set(imported(path)) for path in modules("logger") + modules("analytics")}
    graph = {name: {other for other in known if other != name and uses(names, other)} for name, names in known.items()}
    while free := [name for name, names in graph.items() if not names]:
        graph = {name: names - set(free) for name, names in graph.items() if name not in free}
    assert graph == {}, "these import each other in a circle"


def uses(names: set[str], module: str) -> bool:
    return module in names or any(name.rpartition(".")[0] == module for name in names)


def test_packages_import_one_way() -> None:
    above = {"logger": ("analytics", "dashboards", "voltrail"), "analytics": ("dashboards", "voltrail")}
    above["dashboards"] = ("voltrail",)
    for package in PACKAGES:
        for path in modules(package):
            assert not any(name.startswith(above[package]) for name in imported(path)), path


def test_nothing_is_imported_by_a_name_in_a_string() -> None:
    names = {module_name(path) for package in ("analytics", "dashboards") for path in modules(package)}
    for path in modules("logger"):
        texts = {node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)}
        assert not texts & {*names, "importlib", "import_module", "__import__"}, path
        assert not any(name.startswith("importlib.import") for name in imported(path)), path


def test_simulated_vehicles_are_used_by_the_front_door_and_by_tests_alone() -> None:
    for package in PACKAGES:
        for path in modules(package):
            if room(module_name(path)) != "simulator":
                assert not any(name.startswith("logger.simulator") for name in imported(path)), path


@pytest.mark.parametrize("module", LIGHT)
def test_the_receiver_starts_without_polars(module: str) -> None:
    seen, waiting = set[str](), {f"logger.{module}"}
    while waiting:
        name = waiting.pop()
        seen.add(name)
        path = ROOT / name.replace(".", "/")
        file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if not file.is_file():
            continue
        names = set(imported(file, at_import=True))
        assert not {each for each in names if each.split(".")[0] in HEAVY}, name
        ours = {each for each in names if each.startswith("logger.")}
        waiting |= {*ours, *(each.rpartition(".")[0] for each in ours)} - seen
