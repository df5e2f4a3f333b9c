"""`voltrail sources`: the fields that each account reports, what they become, and what it does not report."""

from collections.abc import Iterator
from importlib.resources import files

import msgspec

from logger.errors import ConfigError
from logger.mapping import Field
from logger.settings.schema import Settings
from logger.sources import accounts


class FieldLine(msgspec.Struct, frozen=True):
    """One field of one message, and the column that it becomes."""

    source: str
    message: str
    field: str
    table: str
    signal: str
    unit: str


def list_fields(settings: Settings) -> list[FieldLine]:
    """Every field of every message of every account. Raises `ConfigError` where there is no account."""
    if not settings.sources:
        raise ConfigError("there is no source in the settings: `voltrail init` writes settings with one")
    return [
        FieldLine(name, message, _path(field, rows.each), rows.table, field.to, field.unit)
        for name, account in accounts(settings).items()
        for message, shape in account.shapes.items()
        for rows in shape.rows
        for field in rows.fields
    ]


def limits(settings: Settings) -> dict[str, str]:
    """What each account does not report, from the document of its source."""
    return {name: _limits(account.provider) for name, account in accounts(settings).items()}


def lines(settings: Settings) -> Iterator[str]:
    """Both of them as lines of text."""
    yield f"{'source':<12}{'message':<16}{'field':<40}{'table':<10}{'signal':<20}unit"
    for each in list_fields(settings):
        made = f"{each.table:<10}{each.signal:<20}{each.unit}".rstrip()
        yield f"{each.source:<12}{each.message:<16}{each.field:<40}{made}"
    for name, text in limits(settings).items():
        yield f"\n{name} cannot tell:\n{text}"


def _path(field: Field, each: str) -> str:
    return f"{each}[].{field.path}" if each else field.path


def _limits(provider: str) -> str:
    document = (files("logger.sources") / provider / "README.md").read_text(encoding="utf-8")
    return document.partition("## What it cannot tell\n")[2].partition("\n## ")[0].strip()
