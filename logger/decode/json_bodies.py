"""Read JSON documents into columns of texts, named by the value's path in the document, such as `data.odometer`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import polars as pl

from logger.decode.form_bodies import PROBLEM
from logger.mapping import Step

ROW = "_row"
_NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def read_texts(bodies: Sequence[bytes], names: Sequence[str]) -> pl.DataFrame:
    """Return a row per body: `_row`, a String column per name (null where the body lacks it), and `_problem`.

    `_problem` is why the body is unreadable, null where it is readable.
    """
    paths = [tuple(name.split(".")) for name in names]
    rows = [[number, *_read_one(body, paths)] for number, body in enumerate(bodies)]
    return pl.DataFrame(rows, schema=_schema(names), orient="row")


def read_parts(bodies: Sequence[bytes], names: Sequence[str], step: Step) -> pl.DataFrame:
    """Return the same of the parts into which the step takes each document: a row per part, `_row` is its body."""
    numbers, problems = list[int](), list[str | None]()
    texts: dict[str, list[str | None]] = {}
    wanted = frozenset(names)
    for number, body in enumerate(bodies):
        parts, problem = _take_apart(body, step)
        for row, part in enumerate(parts, len(numbers)):
            _add(part, row, wanted, texts)
        numbers += [number] * len(parts)
        problems += [problem] * len(parts)
    for column in texts.values():
        column += [None] * (len(numbers) - len(column))
    schema = {name: kind for name, kind in _schema(names).items() if name in texts or name in (ROW, PROBLEM)}
    frame = pl.DataFrame({ROW: numbers, **texts, PROBLEM: problems}, schema=schema)
    return frame.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in names if name not in texts)


def _add(part: Mapping[str, Any], row: int, names: frozenset[str], texts: dict[str, list[str | None]]) -> None:
    """Add the texts of a part as this row of the columns; a column ends at the last row that has its value."""
    for name, value in part.items():
        if value is None or name not in names:
            continue
        column = texts.get(name)
        if column is None:
            column = texts[name] = []
        if len(column) < row:  # most parts have a few of all names
            column += [None] * (row - len(column))
        kind = value.__class__
        column.append(value if kind is str else str(value) if kind is int or kind is float else _text(value))


def _take_apart(body: bytes, step: Step) -> tuple[list[Mapping[str, Any]], str | None]:
    """The parts of this document; a single empty one, and the reason, where it is not to be stored."""
    try:
        return list(step(body)), None
    except msgspec.ValidationError as error:
        return [{}], f"another form of document: {error}"
    except _NOT_JSON as error:
        return [{}], f"not JSON: {error}"
    except ValueError as error:
        return [{}], str(error)


def _schema(names: Sequence[str]) -> dict[str, pl.DataType]:
    return {ROW: pl.UInt32(), **dict.fromkeys(names, pl.String()), PROBLEM: pl.String()}


def read_elements(bodies: Sequence[bytes], array: str, names: Sequence[str]) -> pl.DataFrame:
    """Return a row per element of the array at this path: `_row`, its body's number, and a text per name below it."""
    paths = [tuple(name.split(".")) for name in names]
    found = _elements(bodies, tuple(array.split(".")))
    rows = [[number, *(_text(_value(element, path)) for path in paths)] for number, element in found]
    return pl.DataFrame(rows, schema={ROW: pl.UInt32, **dict.fromkeys(names, pl.String)}, orient="row")


def _elements(bodies: Sequence[bytes], array: Sequence[str]) -> Iterator[tuple[int, Any]]:
    for number, body in enumerate(bodies):
        try:
            elements = _value(msgspec.json.decode(body), array)
        except _NOT_JSON:
            continue
        if isinstance(elements, list):
            yield from ((number, element) for element in elements)


def _read_one(body: bytes, paths: Sequence[Sequence[str]]) -> list[str | None]:
    try:
        document = msgspec.json.decode(body)
    except _NOT_JSON as error:
        return [*[None] * len(paths), f"not JSON: {error}"]
    if not isinstance(document, dict):
        return [*[None] * len(paths), "not a JSON object"]
    return [*(_text(_value(document, path)) for path in paths), None]


def _value(document: Any, path: Sequence[str]) -> Any:
    """The value at this path, None where there is none."""
    for key in path:
        if not isinstance(document, dict):
            return None
        document = document.get(key)
    return document


def _text(value: Any) -> str | None:
    """The value as the vendor writes it in forms; None for an object or a list."""
    kind = value.__class__  # compared by itself: this is done for every value of every document
    if kind is int or kind is float:
        return str(value)
    if value is None or kind is str:
        return value  # type: ignore[no-any-return]  # it is text or None
    if kind is bool:
        return "true" if value else "false"
    return None
