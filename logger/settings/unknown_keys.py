"""Compare settings with the structs; an unknown key, or word, is an error that names the nearest one."""

import types
import typing
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from logger.errors import UnknownName
from logger.suggest import nearest


def plain_error(error: msgspec.ValidationError) -> str:
    """Return where a value of the wrong type is, in words of the settings, and what is wrong with it."""
    text = str(error)
    problem, _, where = text.partition(" - at `$.")
    return f"{where.rstrip('`')}: {problem}" if where else problem


def check_keys(raw: object, kind: Any, where: str = "") -> None:
    """Compare the keys and words of `raw`, as TOML has it, with those of type `kind`. Raises `UnknownName`."""
    if typing.get_origin(kind) is Annotated:
        kind = typing.get_args(kind)[0]
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    _check_word(raw, kind, where)
    if isinstance(raw, list) and origin is tuple:
        for item in raw:
            check_keys(item, args[0], where)
    elif isinstance(raw, dict) and origin is Mapping:
        for name, item in raw.items():
            check_keys(item, args[1], f'{where}."{name}"')
    elif isinstance(raw, dict) and _is_union(kind):
        kinds = tuple(kind for kind in args if kind is not types.NoneType)
        check_keys(raw, kinds[0] if len(kinds) == 1 else _struct_of_kind(raw, kinds, where), where)
    elif isinstance(raw, dict) and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        _check_fields(raw, kind, where)


def _check_word(raw: object, kind: Any, where: str) -> None:
    words = _words(kind)
    if words and isinstance(raw, str) and raw not in words:
        raise UnknownName(f"{where}: unknown word {raw!r}{nearest(raw, words)}; there are: {', '.join(words)}")


def _words(kind: Any) -> tuple[str, ...]:
    """Return the words that are all a text may be; none where it may be any text."""
    kinds = [each for each in _alternatives(kind) if each is not types.NoneType]
    if any(typing.get_origin(each) is not Literal for each in kinds):
        return ()
    return tuple(word for each in kinds for word in typing.get_args(each))


def _alternatives(kind: Any) -> tuple[Any, ...]:
    return typing.get_args(kind) if _is_union(kind) else (kind,)


def _is_union(kind: Any) -> bool:
    return typing.get_origin(kind) in (typing.Union, types.UnionType)


def _struct_of_kind(raw: dict[str, Any], kinds: tuple[Any, ...], where: str) -> Any:
    """Return the struct that the key `kind` names."""
    tags = {kind.__struct_config__.tag: kind for kind in kinds}
    word = raw.get("kind", "")
    if word not in tags:
        raise UnknownName(f"{where}: unknown kind {word!r}{nearest(str(word), tags)}; there are: {', '.join(tags)}")
    return tags[word]


def _check_fields(raw: dict[str, Any], kind: type[msgspec.Struct], where: str) -> None:
    fields = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    config = kind.__struct_config__
    for key, value in raw.items():
        if key == config.tag_field:
            if value != config.tag:
                _struct_of_kind(raw, (kind,), where)
        elif key not in fields:
            raise UnknownName(f"unknown key {key!r} in [{where or 'the top level'}]{nearest(key, fields)}")
        else:
            check_keys(value, fields[key], f"{where}.{key}".lstrip("."))
