"""A battery certificate as a file: what is in it, and how one is read that may be anything."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from logger.errors import ConfigError
from logger.settings.unknown_keys import plain_error

FORMAT, VERSION = "voltrail battery certificate", 1
Moment = Annotated[datetime, Meta(tz=True)]
Row = dict[str, bool | int | float | str]  # as `voltrail export --format ndjson` writes it, without what is null


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
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror or error}") from error
    try:
        _check_head(path, msgspec.json.decode(data, type=_Head))
        certificate = msgspec.json.decode(data, type=Certificate)
        _check_rows(certificate)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path} is no certificate, or was changed: {plain_error(error)}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        advice = "copy it again, or write a new one with `voltrail certify VEHICLE --out FILE.json`"
        raise ConfigError(f"{path} is no JSON file, or only a part of one ({error}): {advice}") from error
    return certificate


def _check_head(path: Path, head: _Head) -> None:
    if head.format != FORMAT:
        raise ConfigError(f"{path} is no battery certificate: `voltrail certify VEHICLE --out FILE.json` writes one")
    if head.version != VERSION:
        raise ConfigError(
            f"{path} is a certificate of format version {head.version}, and this voltrail reads version {VERSION}:"
            f" verify it with voltrail {head.voltrail}, which made it"
        )


def _check_rows(certificate: Certificate) -> None:
    """Raise `ValidationError` for a row that no table has: without its time or method."""
    for row in (*certificate.stints, *certificate.battery_health, *certificate.model_figures):
        try:
            for name in ("time", "finished_at") if "finished_at" in row else ("time",):
                datetime.fromisoformat(str(row[name]))
        except (KeyError, ValueError) as error:
            raise msgspec.ValidationError(f"a row without its time: {row}") from error
    if any("method" not in row for row in certificate.battery_health):
        raise msgspec.ValidationError("a row of battery_health without its method")


def row_time(moment: datetime) -> str:
    """Return a moment as rows have it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
