"""Whether the settings can be read; and where they cannot as a whole, which of their parts can."""

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

_APART = ("sources", "models", "vehicles")  # tables that do not say where things lie
_MEND = "mend it there, then check again"


class Loaded(msgspec.Struct, frozen=True):
    """What of the settings holds; `placed` tells whether `[collector]` and `[sinks]` do."""

    settings: Settings
    placed: bool
    findings: list[Finding]


def read_parts(path: Path | None, environment: Mapping[str, str]) -> Loaded:
    """Read the settings, or the embedded default where `path` is None; never raises for what they say."""
    if path is None:
        missing = warning(
            "settings",
            "there is no voltrail.toml here: the embedded default holds",
            "write one with `voltrail init`, or name yours with --config",
        )
        return Loaded(load_settings(None), True, [missing])
    try:
        settings = load_settings(path, environment)
    except ConfigError as failure:
        return _in_parts(path, environment, failure)
    return Loaded(settings, True, [ok("settings", f"{path} can be read"), *_accounts(settings)])


def _accounts(settings: Settings) -> list[Finding]:
    if settings.sources:
        return []
    what = "there is no account to collect from"
    return [warning("settings", what, "fill in [[sources]]: `voltrail init` shows how")]


def _in_parts(path: Path, environment: Mapping[str, str], failure: ConfigError) -> Loaded:
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Loaded(Settings(), False, [error("settings", str(failure), _MEND)])
    sound: dict[str, Any] = {}
    placed, findings = True, []
    for name, part in _parts(raw):
        try:
            settings_from_tables({name: part}, path, environment)
        except ConfigError as wrong:
            findings.append(error("settings", str(wrong), _MEND))
            placed = placed and name in _APART
        else:
            sound[name] = [*sound.get(name, []), *part] if name == "sources" else part
    try:
        settings = settings_from_tables(sound, path, environment)
    except ConfigError as wrong:  # parts that each hold, and do not go together
        return Loaded(Settings(), False, [*findings, error("settings", str(wrong), _MEND)])
    return Loaded(settings, placed, findings)


def _parts(raw: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The tables one by one, and each account by itself."""
    for name, table in raw.items():
        if name == "sources" and isinstance(table, list):
            yield from ((name, [account]) for account in table)
        else:
            yield name, table


def check_time_zones() -> Iterator[Finding]:
    """Whether there is time zone data."""
    known = len(zoneinfo.available_timezones())
    if known:
        yield ok("time zones", f"{known} are known")
    else:
        yield error(
            "time zones",
            "this machine has no time zone data: local days cannot be told",
            "install the package tzdata: pip install tzdata, or the system's own",
        )
