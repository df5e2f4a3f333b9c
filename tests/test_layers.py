"""Imports go one way; this is all that each module may import of ours."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("logger", "analytics", "dashboards")
_LOW = {"errors", "signals", "model", "fields"}
_SOURCES = {"config", "errors", "fields", "model", "signals"}
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "model": set(),
    "fields": set(),
    "signals": {"errors"},
    "derived": set(),
    "tables": {"derived", "errors", "signals"},
    "units": {"errors", "signals"},
    "settings": set(),
    "config": {"credentials", "errors", "keys", "roster", "rules", "settings"},
    "credentials": {"errors"},
    "rules": {"errors", "settings"},
    "keys": {"errors", "signals"},
    "roster": {"errors", "signals"},
    "template": set(),
    "raw": set(),
    "state": set(),
    "heard": set(),
    "frames": {"heard", "raw"},
    "spool": {"errors", "frames", "model", "raw"},
    "turns": set(),
    "commits": {"errors", "model"},
    "memory": {"errors"},
    "fold": set(),
    "forms": set(),
    "answers": {"forms"},
    "values": {"fields", "signals", "tables"},
    "decoded": {"model", "values"},
    "decode": {*_LOW, "answers", "decoded", "forms", "tables", "values"},
    "continuity": {"tables"},
    "intake": {"decoded", "tables"},
    "sources": {*_SOURCES, "planner", "sources"},
    "sources.segway": _SOURCES,
    "sources.wire": {"errors"},
    "sources.greeting": set(),
    "sources.segway_login": {*_SOURCES, "sources"},
    "sources.segway_cloud": {*_SOURCES, "planner", "sources"},
    "sources.files": {*_SOURCES, "tables", "units"},
    "stores": {"config", "errors", "signals", "stores"},
    "stores.lake": {"errors", "fold", "raw", "stores", "tables"},
    "stores.delta": {"tables"},
    "stores.slices": {"fold", "tables"},
    "stores.files": set(),
    "stores.influx": {"config", "errors", "stores", "tables"},
    "stores.influx.house": {"config", "errors", "stores"},
    "stores.influx.lines": {"tables"},
    "stores.influx.query": {"stores", "tables"},
    "stores.influx.server": {"config", "errors"},
    "metrics": set(),
    "webhook": {"commits", "errors", "metrics", "model", "sources"},
    "feeder": {
        "continuity",
        "decode",
        "decoded",
        "errors",
        "heard",
        "intake",
        "memory",
        "model",
        "spool",
        "state",
        "stores",
        "tables",
    },
    "service": {
        "commits",
        "config",
        "errors",
        "feeder",
        "metrics",
        "model",
        "poller",
        "sinks",
        "sources",
        "spool",
        "state",
        "stores",
        "turns",
        "webhook",
    },
    "supervisor": {"config", "errors", "service", "sources", "state", "turns"},
    "status": {"config", "errors", "service", "state", "stores"},
    "initial": {"config", "errors", "template"},
    "waiting": {"errors", "model"},
    "checking": {"checking", "config", "errors"},
    "checking.finding": set(),
    "checking.settings": {"checking", "config", "errors"},
    "checking.disks": {"checking", "config"},
    "checking.clouds": {"checking", "config", "errors", "sources"},
    "checking.door": {
        "checking",
        "commits",
        "config",
        "errors",
        "metrics",
        "model",
        "service",
        "sources",
        "supervisor",
        "webhook",
    },
    "checking.stores": {"checking", "config", "errors", "state", "stores", "tables", "waiting"},
    "checking.influx": {"checking", "config", "errors", "stores"},
    "checking.voices": {"checking", "config", "errors", "sources", "stores", "tables", "waiting"},
    "budget": set(),
    "circuit": {"errors"},
    "lateness": set(),
    "planner": {"budget", "circuit", "errors", "lateness"},
    "telling": {"config", "errors", "fields", "sources"},
    "poller": {"commits", "errors", "planner", "sources"},
    "asking": {"config", "errors", "model", "service", "sources"},
    "retention": {"decode", "frames", "heard", "spool", "stores", "tables"},
    "replay": {
        "config",
        "continuity",
        "decode",
        "decoded",
        "errors",
        "feeder",
        "heard",
        "intake",
        "memory",
        "model",
        "retention",
        "service",
        "sources",
        "spool",
        "stores",
        "tables",
        "turns",
    },
    "importing": {"config", "service", "sources"},
    "export": {"errors"},
    "copying": {"stores", "tables"},
    "refilling": {"config", "copying", "errors", "service", "stores", "turns"},
    "following": {"copying", "stores", "tables"},
    "housekeeping": {"config", "following", "spool", "stores"},
    "sinks": {"config", "errors", "feeder", "following", "housekeeping", "sources", "spool", "stores"},
    "stores.influx.refused": {"stores", "tables"},
}
LIGHT = (
    "supervisor",
    "service",
    "webhook",
    "commits",
    "spool",
    "raw",
    "frames",
    "heard",
    "turns",
    "metrics",
    "sources",
    "sources.segway",
    "config",
    "state",
)


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def name(path: Path) -> str:
    """The dotted name below its package; a package's own `__init__` has the package's."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[1:-1] if parts[-1] == "__init__" else parts[1:])


def imported(path: Path, *, at_import: bool = False) -> set[str]:
    """Dotted names that this file imports; with `at_import` only those at its top."""
    tree = ast.parse(path.read_text())
    nodes = tree.body if at_import else list(ast.walk(tree))
    found = {
        f"{node.module}.{alias.name}" for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    return found | {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}


def ours(dotted: str) -> tuple[str, str] | None:
    """(package, module below it) of an import of ours; a name inside a module counts as the module."""
    package, _, rest = dotted.partition(".")
    if package not in PACKAGES:
        return None
    while rest and not is_module(package, rest):
        rest = rest.rpartition(".")[0]
    return package, rest


def is_module(package: str, rest: str) -> bool:
    path = ROOT / package / rest.replace(".", "/")
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


@pytest.mark.parametrize("path", modules("logger"), ids=name)
def test_a_module_imports_only_what_its_line_allows(path: Path) -> None:
    own = name(path)
    if own.startswith("demo") or not own:
        return  # simulated vehicles may use anything; who may use them is the next test
    assert own in ALLOWED, f"logger/{own} is new: give it a line in ALLOWED"
    for found in filter(None, map(ours, imported(path))):
        package, module = found
        assert package == "logger", f"{own} imports {package}"
        area = module.partition(".")[0]
        assert module in ALLOWED[own] or area in ALLOWED[own], f"{own} imports {module}"


def test_simulated_vehicles_are_used_by_the_front_door_and_by_tests_alone() -> None:
    for package in PACKAGES:
        for path in modules(package):
            if not name(path).startswith("demo"):
                assert not any("logger.demo" in each for each in imported(path)), path


def test_packages_import_one_way() -> None:
    for path in modules("logger"):
        assert not any(each.startswith(("analytics", "dashboards", "voltrail")) for each in imported(path)), path
    for path in modules("analytics"):
        assert not any(each.startswith(("dashboards", "voltrail")) for each in imported(path)), path
    for path in modules("dashboards"):
        assert not any(each.startswith("voltrail") for each in imported(path)), path


@pytest.mark.parametrize("module", LIGHT)
def test_the_receiver_starts_without_polars(module: str) -> None:
    path = ROOT / "logger" / module.replace(".", "/")
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    heavy = {"polars", "deltalake", *(f"logger.{each}" for each in ("decode", "values", "tables", "stores", "feeder"))}
    assert not {each for each in imported(path, at_import=True) if any(each.startswith(word) for word in heavy)}
