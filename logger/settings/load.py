"""Read `voltrail.toml` into frozen structs; an unknown key is an error that names the nearest known one.

A relative path is relative to the file. A secret comes from a file (`client_secret_file`) or from the
environment (`VOLTRAIL_<SOURCE>_CLIENT_SECRET`, `VOLTRAIL_INFLUX_TOKEN`), never from the settings themselves.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from logger.errors import ConfigError
from logger.settings.schema import Settings
from logger.settings.secrets import environment_variable, fill_secrets
from logger.settings.unknown_keys import check_keys, plain_error
from logger.settings.validation import check_lake_folder, check_settings
from logger.settings.vehicles_csv import add_imported_vehicles, add_vehicles_of_files


def load_settings(path: Path | None, environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings, or the embedded default where `path` is None. Raises `ConfigError`."""
    if path is None:
        return add_imported_vehicles(_resolve_paths(Settings(), Path.cwd()))
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"no text in UTF-8, at byte {error.start}"
        raise ConfigError(f"cannot read {path}: {reason}; `voltrail init` writes a new one") from error
    return parse_settings(text, path, environment)


def parse_settings(text: str, path: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings in this text, as if it were the file at `path`. Raises `ConfigError`."""
    try:
        raw = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    return settings_from_tables(raw, path, environment)


def settings_from_tables(raw: dict[str, Any], path: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings in these tables, as if they were the file at `path`. Raises `ConfigError`."""
    try:
        folder = path.resolve().parent
        settings = add_vehicles_of_files(_convert(raw), folder)
        check_settings(settings)
        settings = add_imported_vehicles(_resolve_paths(settings, folder))
        return _add_secrets(settings, folder, environment)
    except ConfigError as error:
        raise type(error)(f"{path}: {error}") from error


def encode_settings(settings: Settings) -> bytes:
    """Return the settings as bytes for a child process, secrets included: for a pipe, never for a file."""
    return msgspec.json.encode(settings)


def decode_settings(data: bytes) -> Settings:
    """Return the settings that `encode_settings` wrote."""
    return msgspec.json.decode(data, type=Settings)


def _convert(raw: dict[str, Any]) -> Settings:
    check_keys(raw, Settings)
    try:
        return msgspec.convert(raw, Settings)
    except msgspec.ValidationError as error:
        raise ConfigError(plain_error(error)) from error


def _resolve_paths(settings: Settings, folder: Path) -> Settings:
    """Make the paths of data folder and lake absolute; the URL of an object store stays as it is.

    Raises `ConfigError` for a folder that the lake cannot be in.
    """
    data_dir, reports = folder / settings.collector.data_dir, settings.reports
    lake = settings.sinks.lake.path or str(data_dir / "lake")
    if "://" not in lake:
        lake = str(folder / lake)
        check_lake_folder(Path(lake))
    return msgspec.structs.replace(
        settings,
        collector=msgspec.structs.replace(settings.collector, data_dir=str(data_dir)),
        sinks=msgspec.structs.replace(settings.sinks, lake=msgspec.structs.replace(settings.sinks.lake, path=lake)),
        reports=msgspec.structs.replace(reports, folder=str(folder / reports.folder) if reports.folder else ""),
    )


def _add_secrets(settings: Settings, folder: Path, environment: Mapping[str, str]) -> Settings:
    def add(account: Any, keys: tuple[str, ...], where: str, name: str) -> Any:
        return fill_secrets(account, keys, where, name, folder, environment)

    sources = tuple(
        add(source, (*source.identifiers, *source.secrets), f"sources: {source.name}", source.name)
        for source in settings.sources
    )
    influx = settings.sinks.influx
    if influx is not None:
        influx = add(influx, ("password",) if influx.username else ("token",), "sinks.influx", "influx")
    notify = settings.notify
    if notify.targets_file or environment.get(environment_variable("notify", "targets")):
        notify = add(notify, notify.secrets, "notify", "notify")
    reports, live = settings.reports, settings.live
    if reports.targets_file or environment.get(environment_variable("reports", "targets")):
        reports = add(reports, reports.secrets, "reports", "reports")
    if live.listen:
        live = add(live, live.secrets, "live", "live")
    sinks = msgspec.structs.replace(settings.sinks, influx=influx)
    return msgspec.structs.replace(settings, sources=sources, sinks=sinks, notify=notify, reports=reports, live=live)
