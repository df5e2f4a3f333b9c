"""Whether the settings can be read; and where the file as a whole cannot, which of its tables can."""

import tomllib
import zoneinfo
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from logger.commands.check.finding import Finding, error, ok, warning
from logger.errors import ConfigError
from logger.settings.load import load_settings, settings_from_tables
from logger.settings.schema import Settings

_WITHOUT_PLACES = ("sources", "models", "vehicles")  # tables that do not say where data folder and stores are
_MEND = "mend it there, then check again"


class Loaded(msgspec.Struct, frozen=True):
    """The settings that could be read; `placed` is whether `[collector]` and `[sinks]` are among them."""

    settings: Settings
    placed: bool
    findings: list[Finding]


def read_parts(path: Path | None, environment: Mapping[str, str]) -> Loaded:
    """Read the settings, or the embedded default where `path` is None. What is wrong in them is a finding, no error."""
    if path is None:
        missing = warning(
            "settings",
            "there is no voltrail.toml here: the embedded default is used",
            "write one with `voltrail init`, or name yours with --config",
        )
        return Loaded(load_settings(None), True, [missing])
    try:
        settings = load_settings(path, environment)
    except ConfigError as failure:
        return _read_tables(path, environment, failure)
    return Loaded(settings, True, [ok("settings", f"{path} can be read"), *_accounts(settings)])


def _accounts(settings: Settings) -> list[Finding]:
    if settings.sources:
        return []
    text = "there is no account to collect from"
    return [warning("settings", text, "fill in [[sources]]: `voltrail init` shows how")]


def _read_tables(path: Path, environment: Mapping[str, str], failure: ConfigError) -> Loaded:
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Loaded(Settings(), False, [error("settings", str(failure), _MEND)])
    readable: dict[str, Any] = {}
    placed, findings = True, []
    for name, table in _tables(raw):
        try:
            settings_from_tables({name: table}, path, environment)
        except ConfigError as wrong:
            findings.append(error("settings", str(wrong), _MEND))
            placed = placed and name in _WITHOUT_PLACES
        else:
            readable[name] = [*readable.get(name, []), *table] if name == "sources" else table
    try:
        settings = settings_from_tables(readable, path, environment)
    except ConfigError as wrong:  # tables that are right one by one and contradict each other
        return Loaded(Settings(), False, [*findings, error("settings", str(wrong), _MEND)])
    return Loaded(settings, placed, findings)


def _tables(raw: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield name and content of each table, each account by itself."""
    for name, table in raw.items():
        if name == "sources" and isinstance(table, list):
            yield from ((name, [account]) for account in table)
        else:
            yield name, table


def check_time_zones() -> Iterator[Finding]:
    """Check that this machine has time zone data."""
    zones = len(zoneinfo.available_timezones())
    if zones:
        yield ok("time zones", f"{zones} are known")
    else:
        yield error(
            "time zones",
            "this machine has no time zone data: local days cannot be computed",
            "install the package tzdata: pip install tzdata, or the system's own",
        )
