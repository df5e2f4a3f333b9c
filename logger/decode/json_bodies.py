"""JSON answers into columns of texts: a value's place in the document, by dots, names its column.

Answers are polled, a few a second; each is read by itself.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import polars as pl

from logger.decode.form_bodies import PROBLEM

ROW = "_row"


def read_texts(bodies: Sequence[bytes], names: Sequence[str]) -> pl.DataFrame:
    """One row a body, one String column a name (null where the body lacks it), and `_problem`: why it is unreadable."""
    rows = [_read(body, names) for body in bodies]
    return pl.DataFrame(rows, schema={**dict.fromkeys(names, pl.String), PROBLEM: pl.String}, orient="row")


def read_elements(bodies: Sequence[bytes], array: str, names: Sequence[str]) -> pl.DataFrame:
    """One row for each element of the array at this place: `_row` is its body's number, `names` are read below it."""
    rows = [[number, *(_text(_at(element, name)) for name in names)] for number, element in _elements(bodies, array)]
    return pl.DataFrame(rows, schema={ROW: pl.UInt32, **dict.fromkeys(names, pl.String)}, orient="row")


def _elements(bodies: Sequence[bytes], array: str) -> Iterator[tuple[int, Any]]:
    for number, body in enumerate(bodies):
        try:
            found = _at(msgspec.json.decode(body), array)
        except (msgspec.DecodeError, RecursionError):
            continue
        yield from ((number, element) for element in found) if isinstance(found, list) else ()


def _read(body: bytes, names: Sequence[str]) -> list[str | None]:
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return [*[None] * len(names), f"not JSON: {error}"]
    if not isinstance(document, dict):
        return [*[None] * len(names), "not a JSON object"]
    return [*(_text(_at(document, name)) for name in names), None]


def _at(document: Any, name: str) -> Any:
    for word in name.split("."):
        if not isinstance(document, dict):
            return None
        document = document.get(word)
    return document


def _text(value: Any) -> str | None:
    """As the vendor's forms would have it; an object or a list is no value."""
    if value is None or isinstance(value, dict | list):
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)
