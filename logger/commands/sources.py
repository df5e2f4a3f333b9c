"""`voltrail sources`: the fields that each account reports, as signals, traits of its vehicles, and its limits."""

from collections.abc import Iterator, Mapping

import msgspec

from logger.commands.output import Block, Styled, table_of
from logger.errors import ConfigError
from logger.mapping import Field
from logger.settings.fleet import Lock
from logger.settings.schema import Settings
from logger.sources import TRAITS, accounts
from logger.sources.contract import Traits
from logger.sources.documents import limits

_UNLOCKED: Mapping[Lock, str] = {
    "use": "Unlocked, a vehicle is used by somebody.",
    "doors": "Unlocked, a vehicle's doors can be opened; nobody need use it.",
}


class FieldLine(msgspec.Struct, frozen=True):
    """One field of one message, and the table and signal that it becomes."""

    source: str
    message: str
    field: str
    table: str
    signal: str
    unit: str


class Capabilities(msgspec.Struct, frozen=True):
    """The fields of all accounts; by account, `traits` of its vehicles and `limits`, what is not reported."""

    fields: list[FieldLine]
    traits: dict[str, Traits]
    limits: dict[str, str]


def list_capabilities(settings: Settings) -> Capabilities:
    """Return the fields and limits of each account. Raises `ConfigError` where there is no account."""
    if not settings.sources:
        raise ConfigError("there is no source in the settings: `voltrail init` writes settings with one")
    known = accounts(settings)
    lines = [
        FieldLine(name, message, field_path(field, rows.each), rows.table, field.to, unit_of(field))
        for name, account in known.items()
        for message, shape in account.shapes.items()
        for rows in shape.rows
        for field in rows.fields
    ]
    providers = {name: account.provider for name, account in known.items()}
    return Capabilities(
        lines,
        {name: TRAITS[provider] for name, provider in providers.items()},
        {name: limits(provider) for name, provider in providers.items()},
    )


def unit_of(field: Field) -> str:
    """Return the vendor's unit; where the message names it, all its spellings."""
    return field.unit or ", ".join(filter(None, field.units))


def field_path(field: Field, each: str) -> str:
    """Return where a field stands in a message, with all its spellings."""
    return "|".join(f"{each}[].{name}" if each else name for name in field.spellings)


def traits_sentences(traits: Traits) -> Iterator[str]:
    """Yield what a source says of all its vehicles."""
    if traits.lock is not None:
        yield _UNLOCKED[traits.lock]
    if traits.swappable is not None:
        yield f"Its packs {'can' if traits.swappable else 'cannot'} be swapped."
    if traits.cadence_s is not None:
        yield f"Parked, it speaks every {traits.cadence_s:g} s."


def view(capabilities: Capabilities) -> Iterator[Block]:
    """Yield the fields, traits and limits for people."""
    yield table_of(capabilities.fields, FieldLine.__struct_fields__)
    for name, traits in capabilities.traits.items():
        if sentences := list(traits_sentences(traits)):
            yield ""
            yield Styled(f"{name}, unless [vehicles] says otherwise:", "bold")
            yield from (f"- {sentence}" for sentence in sentences)
    for name, text in capabilities.limits.items():
        yield ""
        yield Styled(f"{name} cannot tell:", "bold")
        yield from text.split("\n")
