"""Settings against the structs that they become: an unknown key is an error that names the nearest known one."""

import types
import typing
from collections.abc import Mapping
from typing import Any

import msgspec

from logger.errors import UnknownName
from logger.suggest import nearest


def plain_error(error: msgspec.ValidationError) -> str:
    """What a value of the wrong type is, and where, in words of the settings."""
    text = str(error)
    what, _, where = text.partition(" - at `$.")
    return f"{where.rstrip('`')}: {what}" if where else what


def check_keys(raw: object, kind: Any, where: str = "") -> None:
    """Compare the keys of `raw`, as TOML has it, with the fields of `kind`. Raises `UnknownName`."""
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if isinstance(raw, list) and origin is tuple:
        for each in raw:
            check_keys(each, args[0], where)
    elif isinstance(raw, dict) and origin is Mapping:
        for name, each in raw.items():
            check_keys(each, args[1], f'{where}."{name}"')
    elif isinstance(raw, dict) and origin in (typing.Union, types.UnionType):
        kinds = tuple(kind for kind in args if kind is not types.NoneType)
        check_keys(raw, kinds[0] if len(kinds) == 1 else _tagged(raw, kinds, where), where)
    elif isinstance(raw, dict) and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        _known_fields(raw, kind, where)


def _tagged(raw: dict[str, Any], kinds: tuple[Any, ...], where: str) -> Any:
    tags = {kind.__struct_config__.tag: kind for kind in kinds}
    word = raw.get("kind", "")
    if word not in tags:
        raise UnknownName(f"{where}: unknown kind {word!r}{nearest(str(word), tags)}; there are: {', '.join(tags)}")
    return tags[word]


def _known_fields(raw: dict[str, Any], kind: type[msgspec.Struct], where: str) -> None:
    fields = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    tag = kind.__struct_config__.tag_field
    for key, value in raw.items():
        if key == tag:
            if value != kind.__struct_config__.tag:
                _tagged(raw, (kind,), where)
        elif key not in fields:
            raise UnknownName(f"unknown key {key!r} in [{where or 'the top level'}]{nearest(key, fields)}")
        else:
            check_keys(value, fields[key], f"{where}.{key}".lstrip("."))
