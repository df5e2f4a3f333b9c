"""Picks the values that a vendor's tables and steps read out of a document of many more, by their paths in it."""

from collections.abc import Iterable, Mapping
from typing import Any

Tree = dict[str, Any]  # a member's name → its full path, or the tree of what is picked below it


def tree_of(paths: Iterable[str]) -> Tree:
    """The tree of these paths, such as `a.b`. Of a path and one below it, the one below is left out."""
    tree: Tree = {}
    for path in sorted(paths, key=len):
        *parents, name = path.split(".")
        place: Any = tree
        for parent in parents:
            place = place.setdefault(parent, {}) if place.__class__ is dict else None
        if place.__class__ is dict:
            place.setdefault(name, path)
    return tree


def pick(tree: Tree, document: Mapping[str, Any]) -> dict[str, Any]:
    """The values at these paths that are there, by path; lists and objects are left aside."""
    values: dict[str, Any] = {}
    _pick(tree, document, values)
    return values


def _pick(tree: Tree, document: Mapping[str, Any], values: dict[str, Any]) -> None:
    for name, below in tree.items():
        value = document.get(name)
        if value is None or value.__class__ is list:
            continue
        if value.__class__ is dict:
            if below.__class__ is dict:
                _pick(below, value, values)
        elif below.__class__ is str:
            values[below] = value
