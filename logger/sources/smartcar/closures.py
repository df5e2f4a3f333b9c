"""Smartcar: doors, windows and lids, which it lists one by one; a signal says whether any of them is open."""

from collections.abc import Mapping, Sequence
from typing import Any

from logger.sources.smartcar.documents import Element

_LISTS = ("closure-doors", "closure-windows", "closure-sunroof")
_V2_LISTS = ("doors", "windows", "sunroof", "chargingPort")
_V2_STORAGE = ("front", "rear")
_OPEN: Mapping[Any, bool] = {"OPEN": True, "CLOSED": False, "LOCKED": False, "UNLOCKED": False}  # UNKNOWN is none


def add_openings(part: dict[str, Any]) -> None:
    """Whether any element of a list of version 4 is open; null where none of them says."""
    for name in _LISTS:
        values = part.pop(f"{name}.values", None)
        if isinstance(values, list):
            part[f"{name}.isOpen"] = _any([each.isOpen for each in values if each.__class__ is Element])


def add_doors(part: dict[str, Any]) -> None:
    """The same of version 2, which has a word for each; its storage is in front or at the rear."""
    for name in _V2_LISTS:
        if f"/security.{name}" in part:
            part[f"/security.{name}"] = _any(_words(part[f"/security.{name}"]))
    storage = part.get("/security.storage")
    for place in _V2_STORAGE if isinstance(storage, list) else ():
        part[f"/security.{place}"] = _any(_words(storage, place))


def _words(found: Any, place: str = "") -> list[bool | None]:
    elements = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    return [_OPEN.get(str(each.get("status"))) for each in elements if place in ("", each.get("type"))]


def _any(opened: Sequence[Any]) -> bool | None:
    """Whether one is open; None where it may be one of which nothing is known."""
    if any(each is True for each in opened):
        return True
    return False if opened and all(each is False for each in opened) else None
