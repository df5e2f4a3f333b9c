"""`voltrail sources`: the fields that each account reports, as signals, and what its vendor does not report."""

from collections.abc import Iterator
from importlib.resources import files

import msgspec

from logger.commands.output import Block, Styled, table_of
from logger.errors import ConfigError
from logger.mapping import Field
from logger.settings.schema import Settings
from logger.sources import accounts


class FieldLine(msgspec.Struct, frozen=True):
    """One field of one message, and the table and signal that it becomes."""

    source: str
    message: str
    field: str
    table: str
    signal: str
    unit: str


class Capabilities(msgspec.Struct, frozen=True):
    """The fields of all accounts; `limits` is by account what its vendor does not report."""

    fields: list[FieldLine]
    limits: dict[str, str]


def list_capabilities(settings: Settings) -> Capabilities:
    """Return the fields and limits of each account. Raises `ConfigError` where there is no account."""
    if not settings.sources:
        raise ConfigError("there is no source in the settings: `voltrail init` writes settings with one")
    known = accounts(settings)
    lines = [
        FieldLine(name, message, _path(field, rows.each), rows.table, field.to, field.unit)
        for name, account in known.items()
        for message, shape in account.shapes.items()
        for rows in shape.rows
        for field in rows.fields
    ]
    return Capabilities(lines, {name: _limits(account.provider) for name, account in known.items()})


def _path(field: Field, each: str) -> str:
    return f"{each}[].{field.path}" if each else field.path


def _limits(provider: str) -> str:
    document = (files("logger.sources") / provider / "README.md").read_text(encoding="utf-8")
    return document.partition("## What it cannot tell\n")[2].partition("\n## ")[0].strip()


def view(capabilities: Capabilities) -> Iterator[Block]:
    """Yield the fields and limits for people."""
    yield table_of(capabilities.fields, FieldLine.__struct_fields__)
    for name, text in capabilities.limits.items():
        yield ""
        yield Styled(f"{name} cannot tell:", "bold")
        yield from text.split("\n")
