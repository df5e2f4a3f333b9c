"""A battery certificate as a file: what is in it, and how one is read that may be anything."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from logger.errors import ConfigError
from logger.settings.unknown_keys import plain_error
from logger.tables import TABLES

FORMAT, VERSION = "voltrail battery certificate", 1
_MAX_BYTES = 64_000_000  # ten years of a vehicle with seven tables are less than 5 MB
_YEARS = range(1971, 9998)  # that any zone and a month more leave within what a date can say
Moment = Annotated[datetime, Meta(tz=True)]
_Integer = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Row = dict[str, bool | _Integer | float | str]  # as `voltrail export --format ndjson` writes it, without what is null


class Subject(Struct, frozen=True, forbid_unknown_fields=True):
    """The vehicle: `label` is what people call it, `model` is empty where nobody tells it."""

    provider: str
    vehicle: str
    label: str
    model: str


class DayDigest(Struct, frozen=True, forbid_unknown_fields=True):
    """The rows of a table on a UTC day, and the SHA-256 of their canonical form."""

    rows: int
    sha256: str


class TableDigest(Struct, frozen=True, forbid_unknown_fields=True):
    """The rows of a raw table, and its days by their date (YYYY-MM-DD)."""

    rows: int
    first_at: Moment
    last_at: Moment
    days: dict[str, DayDigest]


class Source(Struct, frozen=True, forbid_unknown_fields=True):
    """Where rows are from, and how they came: `push`, `poll` or `import`."""

    provider: str
    via: str


class Inputs(Struct, frozen=True, forbid_unknown_fields=True):
    """The raw rows that all figures follow from; `sha256` is of the digests of all days of all tables.

    `received_until` is the latest receipt of a row.
    """

    sha256: str
    first_at: Moment
    last_at: Moment
    received_until: Moment
    sources: list[Source]
    tables: dict[str, TableDigest]


class Verdict(Struct, frozen=True, forbid_unknown_fields=True):
    """What the battery holds [Wh] with its 95 % interval, as of a day; or, `insufficient`, why nobody knows."""

    verdict: str
    reason: str = ""
    as_of: str = ""
    capacity_wh: float | None = None
    capacity_low_wh: float | None = None
    capacity_high_wh: float | None = None


class Certificate(Struct, frozen=True, forbid_unknown_fields=True):
    """All of the file. `settings` are those that figures of this vehicle follow from.

    `model_figures` are rows of `calibration`: what the fleet's vehicles tell of the model, which verdicts follow from.
    """

    format: str
    version: int
    made_at: Moment
    voltrail: str
    rules: str
    vehicle: Subject
    settings: dict[str, Any]
    verdict: Verdict
    battery_health: list[Row]
    stints: list[Row]
    model_figures: list[Row]
    inputs: Inputs


class _Head(Struct, frozen=True):
    format: Any = None
    version: Any = None
    voltrail: Any = None


def encode(certificate: Certificate) -> bytes:
    """Return the bytes of the file."""
    return msgspec.json.format(msgspec.json.encode(certificate), indent=1) + b"\n"


def read_certificate(path: Path) -> Certificate:
    """Return the certificate in this file. Raises `ConfigError`, which says what is wrong with it."""
    data = _read(path)
    try:
        _check_head(path, msgspec.json.decode(data, type=_Head))
        certificate = msgspec.json.decode(data, type=Certificate)
        json.loads(data, object_pairs_hook=_check_names)
        _check_content(certificate)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path} is no certificate, or was changed: {plain_error(error)}") from error
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        advice = "copy it again, or write a new one with `voltrail certify VEHICLE --out FILE.json`"
        raise ConfigError(f"{path} is no JSON file, or only a part of one ({error}): {advice}") from error
    return certificate


def _read(path: Path) -> bytes:
    """Return the bytes of the file; no more than a certificate can have are read, whatever is there."""
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror or error}") from error
    if len(data) > _MAX_BYTES:
        raise ConfigError(f"{path} is no battery certificate: it is larger than {_MAX_BYTES // 1_000_000} MB")
    return data


def _check_names(pairs: list[tuple[str, object]]) -> None:
    """Raise `ValidationError` for a name that is there twice: a person may read the first, a program the last."""
    if twice := _duplicates(name for name, _ in pairs):
        raise msgspec.ValidationError(f"{twice[0]!r} is there twice")


def _duplicates(names: Iterable[Any]) -> list[Any]:
    return [name for name, number in Counter(names).items() if number > 1]


def _check_head(path: Path, head: _Head) -> None:
    if head.format != FORMAT:
        raise ConfigError(f"{path} is no battery certificate: `voltrail certify VEHICLE --out FILE.json` writes one")
    if head.version != VERSION:
        raise ConfigError(
            f"{path} is a certificate of format version {head.version}, and this voltrail reads version {VERSION}:"
            f" verify it with voltrail {head.voltrail}, which made it"
        )


def _check_content(certificate: Certificate) -> None:
    """Raise `ValidationError` for what no certificate has: other settings, dates and rows."""
    if names := {"label", "model"} & {*certificate.settings}:
        raise msgspec.ValidationError(f"settings: {min(names)!r} belongs to `vehicle`")
    inputs = certificate.inputs
    spans = [moment for each in inputs.tables.values() for moment in (each.first_at, each.last_at)]
    for moment in (certificate.made_at, inputs.first_at, inputs.last_at, inputs.received_until, *spans):
        _check_year(moment)
    _check_rows("stints", certificate.stints)
    _check_rows("battery_health", certificate.battery_health)
    _check_rows("calibration", certificate.model_figures)


def _check_rows(table_name: str, rows: Sequence[Row]) -> None:
    """Raise `ValidationError` for a row that the table cannot have: time, key or columns are not of it."""
    table = TABLES[table_name]
    for row in rows:
        if odd := [name for name in row if name not in table.columns or name in ("provider", "vehicle")]:
            raise msgspec.ValidationError(f"a row of {table_name} with {odd[0]!r}, which is no column of it")
        _check_times(table_name, row)
        if table_name == "battery_health" and not isinstance(row.get("method"), str):
            raise msgspec.ValidationError("a row of battery_health without its method")
    if twice := _duplicates(tuple(str(row.get(name, "")) for name in table.key) for row in rows):
        raise msgspec.ValidationError(f"{table_name} has two rows of {' '.join(filter(None, twice[0]))}")


def _check_times(table_name: str, row: Row) -> None:
    for name in {"time", "finished_at"} & {"time", *row}:
        try:
            moment = datetime.fromisoformat(str(row.get(name)))
            right = row_time(moment) == row.get(name)
        except (ValueError, OverflowError):
            right = False
        if not right:
            raise msgspec.ValidationError(f"a row of {table_name} without its time: {name} is {row.get(name)!r}")
        _check_year(moment)


def _check_year(moment: datetime) -> None:
    if moment.year not in _YEARS:
        raise msgspec.ValidationError(f"a time of the year {moment.year}")


def row_time(moment: datetime) -> str:
    """Return a moment as rows have it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
