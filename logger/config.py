"""Settings: one TOML file into frozen structs; an unknown key is an error that names the nearest known one.

A relative path is relative to the file. A secret comes from a file (`client_secret_file`) or from the
environment (`VOLTRAIL_<SOURCE>_CLIENT_SECRET`), never from the settings themselves.
"""

import ipaddress
import os
import re
import tomllib
import zoneinfo
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec

from logger import roster
from logger.errors import ConfigError
from logger.keys import known_keys, readable

DEFAULT_FOLDER = "voltrail-data"
BUILT_IN = ("import", "collector", "settings")  # sources that are always there; no account may take their names
_Count = Annotated[int, msgspec.Meta(ge=0)]


class Collector(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[collector]`: where it listens, what it keeps and for how long."""

    listen: str = "127.0.0.1:8080"
    data_dir: str = DEFAULT_FOLDER
    raw_days: _Count = 90
    max_bytes: _Count = 10_000_000_000
    path_prefix: str = ""
    public_url: str = ""
    timezone: str = "UTC"

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of `listen`."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)

    def push_address(self, source: str) -> str:
        """What to register with the vendor of this account, who adds a path of its own."""
        return f"{(self.public_url or 'https://YOUR-HOST').rstrip('/')}{self.path_prefix}/{source}"


class LakeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[sinks.lake]`: a folder or an object-store URL, and how long a day rests before it is compacted [s]."""

    path: str = ""
    compact_after_s: _Count = 600


class InfluxSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[sinks.influx]`: server, bucket (1.x: database), who we are there, and how long rows are kept [d] (0: for ever).

    `retention_days` is that of raw rows, `rollup_retention_days` that of what is made of them. `version` is found.
    """

    url: str
    bucket: str
    org: str = ""
    token_file: str = ""
    token: str = ""
    username: str = ""
    password_file: str = ""
    password: str = ""
    version: Literal["auto", "1", "2", "3"] = "auto"
    retention_days: _Count = 0
    rollup_retention_days: _Count = 0

    def __repr__(self) -> str:
        return f"Influx({self.url!r}, {self.bucket!r})"  # and not the token, wherever this is printed


class Sinks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[sinks]`: where decoded rows go."""

    lake: LakeSettings = LakeSettings()
    influx: InfluxSettings | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The sinks that are set up, each with a cursor of its own in the spool."""
        return ("lake",) if self.influx is None else ("lake", "influx")


class Polling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[sources.poll]`: how often a vehicle is asked in each state [s] (0: never), and the most calls `per` period."""

    riding_s: _Count = 60
    charging_s: _Count = 120
    parked_s: _Count = 900
    offline_s: _Count = 3600
    silent_s: _Count = 1800
    out_of_service_s: _Count = 0
    calls: _Count = 0
    per: Literal["day", "month"] = "day"

    @property
    def every_s(self) -> dict[str, float]:
        """The interval by state; a state that is never asked is left out."""
        states = ("riding", "charging", "parked", "offline", "silent", "out_of_service")
        return {state: float(seconds) for state in states if (seconds := getattr(self, f"{state}_s"))}


class Segway(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="segway"):
    """`[[sources]]` of kind `segway`: one account of the Segway gateway.

    `vehicles_file` is a CSV of more vehicles and what a person calls them. `model` is that of every vehicle without one
    of its own. Without `poll` the cloud is not asked. `clients` limits who may call, by address or network; empty
    admits all. `signature` limits the readings of the vendor's signature rule that are accepted; empty tries all.
    """

    name: str
    client_id: str = ""
    client_id_file: str = ""
    client_secret_file: str = ""
    client_secret: str = ""
    base_url: str = ""
    vehicles: tuple[str, ...] | Literal["all"] = ()
    vehicles_file: str = ""
    unknown_vehicles: Literal["quarantine", "accept"] = "quarantine"
    model: str = "E-moped"
    poll: Polling | None = None
    clients: tuple[str, ...] = ()
    signature: tuple[Literal["decoded", "decoded-no-blanks", "raw", "raw-no-blanks"], ...] = ()

    def __repr__(self) -> str:
        return f"Segway({self.name!r})"  # and not the secret, wherever this is printed


Source = Segway


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[models."NAME"]`: what is known of a model. The scales turn its readings into m and km/h."""

    capacity_wh: float | None = None
    nominal_voltage_v: float | None = None
    wh_per_km: float | None = None
    top_speed_kmh: float | None = None
    odometer_scale: float = 1.0
    speed_scale: float = 1.0


class Vehicle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[vehicles."NUMBER"]`: what a person calls a vehicle; out of service, it is asked no more."""

    label: str | None = None
    model: str | None = None
    group: str | None = None
    plate: str | None = None
    timezone: str | None = None
    in_service: bool = True


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of `voltrail.toml`, paths made absolute and secrets filled in."""

    collector: Collector = Collector()
    sinks: Sinks = Sinks()
    sources: tuple[Source, ...] = ()
    models: Mapping[str, Model] = {}
    vehicles: Mapping[str, Vehicle] = {}

    @property
    def polled(self) -> tuple[Source, ...]:
        """The accounts whose cloud is asked by itself."""
        return tuple(source for source in self.sources if source.poll is not None)

    @property
    def data_dir(self) -> Path:
        """Where spool, day files and notes of the processes lie."""
        return Path(self.collector.data_dir)

    def model(self, name: str) -> Model:
        """What the settings say of this model; the defaults where they say nothing."""
        return self.models.get(name, Model())


def load(path: Path | None, environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings, or the embedded default where `path` is None. Raises `ConfigError`."""
    if path is None:
        return _placed(Settings(), Path.cwd())
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}; `voltrail init` writes a new one") from error
    return read(text, path, environment)


def read(text: str, path: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this text, as if it stood in the file at `path`. Raises `ConfigError`."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    return made(raw, path, environment)


def made(raw: dict[str, Any], path: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of these tables, as if they stood in the file at `path`. Raises `ConfigError`."""
    try:
        folder = path.resolve().parent
        settings = _with_rosters(_converted(raw), folder)
        _check(settings)
        return _with_secrets(_placed(settings, folder), folder, environment)
    except ConfigError as error:
        raise type(error)(f"{path}: {error}") from error


def dump(settings: Settings) -> bytes:
    """The settings as bytes for a child process, secrets included: for a pipe, never for a file."""
    return msgspec.json.encode(settings)


def parse(data: bytes) -> Settings:
    """The settings that `dump` wrote."""
    return msgspec.json.decode(data, type=Settings)


def _converted(raw: dict[str, Any]) -> Settings:
    known_keys(raw, Settings)
    try:
        settings = msgspec.convert(raw, Settings)
    except msgspec.ValidationError as error:
        raise ConfigError(readable(error)) from error
    for source in settings.sources:
        if source.client_secret:
            raise ConfigError(
                f"sources: {source.name}: a secret does not belong in the settings: put it into a file and "
                "name that as `client_secret_file`"
            )
    return settings


def _with_rosters(settings: Settings, folder: Path) -> Settings:
    """The vehicles of each account's file beside those of the settings, which have the last word."""
    named, sources = dict[str, Vehicle](), []
    for source in settings.sources:
        if source.vehicles_file and source.vehicles != "all":
            told = roster.read(folder / source.vehicles_file, Vehicle)
            named |= told
            listed = tuple(dict.fromkeys((*source.vehicles, *told)))
            source = msgspec.structs.replace(source, vehicles=listed)
        sources.append(source)
    return msgspec.structs.replace(settings, sources=tuple(sources), vehicles={**named, **settings.vehicles})


def _check(settings: Settings) -> None:
    _check_collector(settings.collector)
    for number, vehicle in settings.vehicles.items():
        _check_zone(f'vehicles."{number}"', vehicle.timezone or "UTC")
    names = [source.name for source in settings.sources]
    for name in names:
        if not re.fullmatch(r"[A-Za-z0-9_-]+", name) or name in BUILT_IN:
            raise ConfigError(f"sources: the name {name!r} must be letters, digits, - or _, and none of {BUILT_IN}")
        if names.count(name) > 1:
            raise ConfigError(f"sources: the name {name!r} stands twice")
    for source in settings.sources:
        _check_clients(source)
        if source.vehicles == "all":
            raise ConfigError(
                f"sources: {source.name}: Segway does not list its vehicles: write their numbers into `vehicles`, or "
                'set unknown_vehicles = "accept"'
            )


def _check_collector(collector: Collector) -> None:
    if not re.fullmatch(r".+:\d{1,5}", collector.listen) or collector.address[1] > 65535:
        raise ConfigError(f"collector.listen: {collector.listen!r} is not ADDRESS:PORT, such as 127.0.0.1:8080")
    if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*", collector.path_prefix):
        raise ConfigError(f"collector.path_prefix: {collector.path_prefix!r} is not a path such as /a1b2c3")
    if collector.public_url and not _is_host(collector.public_url):
        raise ConfigError(
            f"collector.public_url: {collector.public_url!r} is not https://HOST or https://HOST:PORT: the path "
            "follows from path_prefix and the name of the account"
        )
    _check_zone("collector", collector.timezone)


def _is_host(url: str) -> bool:
    try:
        return bool(re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+/?", url) and urlsplit(url).port != 0)
    except ValueError:  # no port, or no address
        return False


def _check_zone(where: str, name: str) -> None:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigError(
            f"{where}.timezone: no zone {name!r} here: write one such as Europe/Berlin, or install the time zone data "
            "(package tzdata)"
        ) from error


def _check_clients(source: Source) -> None:
    for client in source.clients:
        try:
            ipaddress.ip_network(client)
        except ValueError as error:
            raise ConfigError(f"sources: {source.name}: clients: {error}") from error


def _placed(settings: Settings, folder: Path) -> Settings:
    data_dir = folder / settings.collector.data_dir
    lake = settings.sinks.lake.path or str(data_dir / "lake")
    if "://" not in lake:
        lake = str(folder / lake)
    return msgspec.structs.replace(
        settings,
        collector=msgspec.structs.replace(settings.collector, data_dir=str(data_dir)),
        sinks=Sinks(lake=msgspec.structs.replace(settings.sinks.lake, path=lake)),
    )


def _with_secrets(settings: Settings, folder: Path, environment: Mapping[str, str]) -> Settings:
    return msgspec.structs.replace(
        settings, sources=tuple(_credentials(source, folder, environment) for source in settings.sources)
    )


def _credentials(source: Source, folder: Path, environment: Mapping[str, str]) -> Source:
    found = {}
    for key in ("client_id", "client_secret"):
        found[key] = getattr(source, key) or _credential(source, key, folder, environment)
    return msgspec.structs.replace(source, **found)


def _credential(source: Source, key: str, folder: Path, environment: Mapping[str, str]) -> str:
    variable = f"VOLTRAIL_{source.name}_{key}".upper().replace("-", "_")
    named = getattr(source, f"{key}_file")
    if named:
        try:
            value: str = (folder / named).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"sources: {source.name}: {key}_file: cannot read {folder / named}: {error}") from error
    else:
        value = environment.get(variable, "").strip()
    if not value:
        raise ConfigError(f"sources: {source.name}: no {key}: name a file as `{key}_file`, or set {variable}")
    return value
