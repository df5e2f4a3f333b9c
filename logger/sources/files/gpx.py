"""GPX, the exchange format of GPS tracks: its points as rows (topografix.com/GPX/1/1)."""

from collections.abc import Iterable, Iterator
from typing import Any, cast
from xml.etree.ElementTree import Element, ParseError, XMLPullParser

import polars as pl

from logger.errors import ConfigError

COLUMNS = ("time", "lat", "lon", "ele", "speed", "course", "hdop", "sat")
_ROWS = 50_000
_Row = tuple[str | None, ...]


def read_gpx(blocks: Iterable[bytes]) -> Iterator[pl.DataFrame]:
    """Yield the points of all tracks, those without a time left out, in the columns `COLUMNS`, as texts.

    Speed and course may stand in the point itself (GPX 1.0) or in its extensions. Raises `ConfigError`.
    """
    rows: list[_Row] = []
    for point in _points(blocks):
        rows.append(point)
        if len(rows) >= _ROWS:
            yield _frame(rows)
            rows = []
    yield _frame(rows)


def _points(blocks: Iterable[bytes]) -> Iterator[_Row]:
    parser: XMLPullParser[Any] = XMLPullParser(["end"])
    try:
        for block in blocks:
            parser.feed(block)
            for _, element in cast("Iterator[tuple[str, Element]]", parser.read_events()):
                yield from _point(element)
    except ParseError as error:
        raise ConfigError(f"not readable as GPX: {error}; is the file whole?") from error


def _point(element: Element) -> Iterator[_Row]:
    if _name(element) != "trkpt":
        return
    values = {_name(each): (each.text or "").strip() for each in element.iter()}
    values |= {"lat": element.get("lat", ""), "lon": element.get("lon", "")}
    if values.get("time"):
        yield tuple(values.get(name) or None for name in COLUMNS)
    element.clear()


def _name(element: Element) -> str:
    """The name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def _frame(rows: list[_Row]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String()), orient="row")
