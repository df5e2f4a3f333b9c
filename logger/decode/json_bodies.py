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
    cells = {name: (list[int](), list[Any]()) for name in names}  # rows and values: most parts have a few of all names
    adding = {name: (rows.append, values.append) for name, (rows, values) in cells.items()}
    for number, body in enumerate(bodies):
        parts, problem = _take_apart(body, step)
        for row, part in enumerate(parts, len(numbers)):
            for name, value in part.items():
                if value is not None and name in adding:
                    add_row, add_value = adding[name]
                    add_row(row)
                    add_value(value)
        numbers += [number] * len(parts)
        problems += [problem] * len(parts)
    texts = _fill(cells, len(numbers))
    return pl.DataFrame([pl.Series(ROW, numbers, pl.UInt32), *texts, pl.Series(PROBLEM, problems, pl.String)])


def _fill(cells: Mapping[str, tuple[list[int], list[Any]]], height: int) -> Iterator[pl.Series]:
    """Yield a column of texts for each name, null where its rows have none."""
    empty = pl.Series([None], dtype=pl.String).new_from_index(0, height)
    for name, (rows, values) in cells.items():
        column = empty.alias(name)
        yield column.scatter(rows, pl.Series(_texts(values), dtype=pl.String)) if rows else column


def _texts(values: Sequence[Any]) -> Sequence[str | None]:
    """The values as a vendor writes them in forms; nearly always, they are all of one kind."""
    kinds = set(map(type, values))
    if kinds == {str}:
        return values
    return list(map(str if kinds <= _NUMBERS else _text, values))


_NUMBERS = frozenset((int, float))


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
