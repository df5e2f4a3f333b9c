"""Read JSON answers into columns of texts, named by the value's path in the document, such as `data.odometer`.

Answers are polled, a few a second; each is read by itself.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import polars as pl

from logger.decode.form_bodies import PROBLEM

ROW = "_row"


def read_texts(bodies: Sequence[bytes], names: Sequence[str]) -> pl.DataFrame:
    """Return a row per body: a String column per name (null where the body lacks it), and `_problem`.

    `_problem` is why the body is unreadable, null where it is readable.
    """
    rows = [_read_one(body, names) for body in bodies]
    return pl.DataFrame(rows, schema={**dict.fromkeys(names, pl.String), PROBLEM: pl.String}, orient="row")


def read_elements(bodies: Sequence[bytes], array: str, names: Sequence[str]) -> pl.DataFrame:
    """Return a row per element of the array at this path: `_row`, its body's number, and a text per name below it."""
    rows = [[number, *(_text(_value(element, name)) for name in names)] for number, element in _elements(bodies, array)]
    return pl.DataFrame(rows, schema={ROW: pl.UInt32, **dict.fromkeys(names, pl.String)}, orient="row")


def _elements(bodies: Sequence[bytes], array: str) -> Iterator[tuple[int, Any]]:
    for number, body in enumerate(bodies):
        try:
            elements = _value(msgspec.json.decode(body), array)
        except (msgspec.DecodeError, RecursionError):
            continue
        if isinstance(elements, list):
            yield from ((number, element) for element in elements)


def _read_one(body: bytes, names: Sequence[str]) -> list[str | None]:
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return [*[None] * len(names), f"not JSON: {error}"]
    if not isinstance(document, dict):
        return [*[None] * len(names), "not a JSON object"]
    return [*(_text(_value(document, name)) for name in names), None]


def _value(document: Any, path: str) -> Any:
    """The value at this path, None where there is none."""
    for key in path.split("."):
        if not isinstance(document, dict):
            return None
        document = document.get(key)
    return document


def _text(value: Any) -> str | None:
    """The value as the vendor writes it in forms; None for an object or a list."""
    if value is None or isinstance(value, dict | list):
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)
