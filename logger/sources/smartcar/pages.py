"""Smartcar: lists in several pages, and a single answer in the form of a batch (smartcar.com/docs)."""

import math
from collections.abc import Iterator
from typing import Any

import msgspec

from logger.errors import Retry
from logger.sources.http import Answer

_NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def wrapped(path: str, answer: Answer) -> bytes:
    """The answer of one path as a batch holds it, its bytes untouched."""
    head = msgspec.json.encode({"path": path, "code": answer.status, "headers": answer.kept})
    return b'{"responses":[' + head[:-1] + b',"body":' + answer.body + b"}]}"


def page_count(body: bytes) -> int:
    """How many pages there are by this one; 0 where it is no page."""
    try:
        document = msgspec.json.decode(body)
    except _NOT_JSON:
        return 0
    if not isinstance(document, dict) or not isinstance(document.get("data"), list):
        return 0
    meta = document.get("meta")
    total, size = (meta.get(name) if isinstance(meta, dict) else None for name in ("totalCount", "pageSize"))
    if not isinstance(total, int) or not isinstance(size, int) or size < 1:
        return 1
    return max(1, math.ceil(total / size))


def connected_vehicles(name: str, body: bytes) -> list[str]:
    """The ids of the vehicles in a list of vehicles (version 2) or of connections. Raises `Retry`."""
    try:
        document = msgspec.json.decode(body)
    except _NOT_JSON as error:
        raise Retry(f"{name}: the cloud's list of vehicles cannot be read: {error}", after=60) from error
    if isinstance(document, dict) and isinstance(document.get("vehicles"), list):
        return [each for each in document["vehicles"] if isinstance(each, str)]
    return list(dict.fromkeys(_ids(document)))


def _ids(value: Any) -> Iterator[str]:
    """Every `vehicleId` below this value, and the id of everything that is called `vehicle`."""
    if isinstance(value, list):
        for each in value:
            yield from _ids(each)
    elif isinstance(value, dict):
        for key, below in value.items():
            if key == "vehicleId" and isinstance(below, str):
                yield below
            elif key == "vehicle" and isinstance(below, dict):
                data = below.get("data", below)
                found = data.get("id") if isinstance(data, dict) else None
                yield from [found] if isinstance(found, str) else _ids(below)
            else:
                yield from _ids(below)
