"""Every key of the settings says what it means, where it is declared."""

import typing
from collections.abc import Iterator
from typing import Any

import msgspec

from logger.settings.schema import STATES, Polling, Settings


def structs_in(kind: Any) -> Iterator[type[msgspec.Struct]]:
    """Every struct that a type is made of, and those below it."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield kind
        for field in msgspec.structs.fields(kind):
            yield from structs_in(field.type)
    for part in typing.get_args(kind):
        yield from structs_in(part)


def has_description(kind: Any) -> bool:
    """Whether a description stands anywhere in a type."""
    metas = [meta for meta in getattr(kind, "__metadata__", ()) if isinstance(meta, msgspec.Meta)]
    return any(meta.description for meta in metas) or any(map(has_description, typing.get_args(kind)))


def test_every_key_has_a_meaning_or_is_a_table_or_a_secret() -> None:
    silent = [
        f"{struct.__name__}.{field.name}"
        for struct in structs_in(Settings)
        for field in msgspec.structs.fields(struct)
        if not has_description(field.type) and not list(structs_in(field.type))
        if f"{field.name}_file" not in struct.__struct_fields__
    ]
    assert silent == []


def test_every_table_says_in_its_first_words_where_it_stands() -> None:
    for struct in structs_in(Settings):
        assert struct is Settings or str(struct.__doc__).startswith("`["), struct.__name__


def test_every_state_of_a_vehicle_has_an_interval() -> None:
    intervals = [name.removesuffix("_s") for name in Polling.__struct_fields__ if name.endswith("_s")]
    assert intervals == list(STATES)
