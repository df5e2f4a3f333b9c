"""`settings.md`: every key of `voltrail.toml` with its type, default and meaning."""

import types
import typing
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec

from logger.settings.schema import AccountSettings, Settings
from logger.settings.secrets import environment_variable
from tests.reference.markdown import code, sentence, table

_INTRODUCTION = """
# Settings

`voltrail init` writes a commented `voltrail.toml` to begin with, `voltrail check` says what is wrong with it. It is
read when a command or the service starts. Everything may be left out but what is *required*.

- A relative path is relative to the file.
- An unknown key is an error that names the nearest known one.
- A secret stands in a file of its own, which a key that ends in `_file` names, or in an environment variable. There
  `NAME` is the account's name in capitals, `-` as `_`.
- A key has its unit as its last word: `every_s` is in seconds. Local times are `HH:MM`.
"""
_HEAD = ("key", "type", "default", "meaning")
_LONG = 1_000_000  # from here on digits are grouped
_PLAIN = {str: "text", int: "whole number", float: "number", bool: "`true` or `false`"}


def text() -> str:
    """Return the page."""
    structs = list(_structs(Settings))
    rows = [(f"[{heading}](#{_anchor(heading)})", sentence(_about(struct)[0])) for heading, struct in structs]
    contents = table(("table", "what it sets"), rows)
    return "\n".join([_INTRODUCTION, contents, "", *(_section(heading, struct) for heading, struct in structs)])


def _structs(struct: type[msgspec.Struct]) -> Iterator[tuple[str, type[msgspec.Struct]]]:
    """Yield every struct below this one that has keys, in the order of the fields, with its heading."""
    for field in msgspec.structs.fields(struct):
        for below in _structs_in(field.type):
            if any(_meaning(each.type) for each in msgspec.structs.fields(below)):
                yield _heading(below), below
            yield from _structs(below)


def _structs_in(kind: Any) -> Iterator[type[msgspec.Struct]]:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield kind
    for part in typing.get_args(kind):
        yield from _structs_in(part)


def _heading(struct: type[msgspec.Struct]) -> str:
    """Return the first words of the docstring: the table in code type, and its kind."""
    return str(struct.__doc__).partition(":")[0]


def _about(struct: type[msgspec.Struct]) -> list[str]:
    """Return the paragraphs of the docstring behind its heading, each in one line."""
    paragraphs = str(struct.__doc__).partition(":")[2].strip().split("\n\n")
    return [" ".join(each.split()) for each in paragraphs]


def _anchor(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    kept = "".join(letter for letter in heading.lower() if letter.isalnum() or letter in " -_")
    return kept.strip().replace(" ", "-")


def _section(heading: str, struct: type[msgspec.Struct]) -> str:
    fields = [field for field in msgspec.structs.fields(struct) if _meaning(field.type)]
    rows = [_row(field, _variable(struct, field.name)) for field in fields]
    about = "\n\n".join(map(sentence, _about(struct)))
    return f"## {heading}\n\n{about}\n\n{table(_HEAD, rows)}\n"


def _variable(struct: type[msgspec.Struct], key: str) -> str:
    """Return the environment variable that may hold what this file would; empty where the key names no such file."""
    keys: tuple[str, ...] = (*getattr(struct, "identifiers", ()), *getattr(struct, "secrets", ()))
    name = "NAME" if issubclass(struct, AccountSettings) else "INFLUX"
    return next((environment_variable(name, each) for each in keys if key == f"{each}_file"), "")


def _row(field: Any, variable: str) -> tuple[str, str, str, str]:
    remark = f"; else the environment variable `{variable}`" if variable else ""
    return code(field.name), _type(field.type), _default(field), sentence(_meaning(field.type) + remark)


def _meaning(kind: Any) -> str:
    """Return the description of a field, wherever in its type it stands."""
    own = [meta.description for meta in getattr(kind, "__metadata__", ()) if isinstance(meta, msgspec.Meta)]
    below = [_meaning(part) for part in typing.get_args(kind)] if not own else []
    return next(filter(None, [*own, *below]), "")


def _type(kind: Any) -> str:
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is Annotated:
        return _type(args[0]) + _bound(kind.__metadata__)
    if origin is Literal:
        return " or ".join(map(code, args)) if len(args) < 3 else "one of " + code(*args)
    if origin in (typing.Union, types.UnionType):
        return ", or ".join(_type(part) for part in args if part is not types.NoneType)
    if origin is tuple:
        return _list(args)
    return _PLAIN[kind]


def _list(args: tuple[Any, ...]) -> str:
    if typing.get_origin(args[0]) is tuple:
        return "list of pairs of numbers"
    words = _type(args[0])
    return "list of texts" if words == "text" else f"list, each {words}"


def _bound(metadata: tuple[Any, ...]) -> str:
    for meta in metadata:
        if meta.gt is not None:
            return f" above {meta.gt}"
        if meta.ge is not None:
            return f" from {meta.ge}" + (f" to {meta.le}" if meta.le is not None else "")
    return ""


def _default(field: Any) -> str:
    if field.required:
        return "required"
    if field.default in (None, "", ()):
        return ""
    return code(_toml(field.default))


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    return f"{value:_}" if isinstance(value, int) and value >= _LONG else str(value)
