"""Reads the values at certain paths of a JSON document; all others are skipped while it is parsed, and never built."""

from collections.abc import Iterable
from typing import Any

import msgspec

Other = bool | int | float | str | list[Any] | None  # what may stand where a document should have an object
_Tree = dict[str, Any]  # a member's name → its full path, or the tree of what is picked below it


class Picker:
    """The values at these paths, such as `a.b`. Of a path and one below it, the one below is left out."""

    def __init__(self, paths: Iterable[str]) -> None:
        paths = set(paths)
        self._root, self._empty = _Node(_tree(paths)), dict[str, Any].fromkeys(paths)
        self._decoder = msgspec.json.Decoder(self._root.kind | Other)

    def read(self, document: bytes | msgspec.Raw) -> dict[str, Any]:
        """Return the values by path, None where there is none; a list or an object in place of a value stays.

        Raises `msgspec.DecodeError` for what is no JSON.
        """
        values = self._empty.copy()
        self._root.add(self._decoder.decode(document), values)
        return values


class _Node:
    """An object of the document: the names of its values that are picked, and the objects below it."""

    def __init__(self, tree: _Tree) -> None:
        values = [(member, path) for member, path in tree.items() if isinstance(path, str)]
        objects = [(member, _Node(below)) for member, below in tree.items() if isinstance(below, dict)]
        self.kind: Any = _kind([(member, Any) for member, _ in values] + [(member, at.kind) for member, at in objects])
        self._paths = tuple(path for _, path in values)
        self._below = tuple(enumerate((node for _, node in objects), len(values)))

    def add(self, found: Any, values: dict[str, Any]) -> None:
        """Add the values of this object, if it is one, and of all below it."""
        if found.__class__ is not self.kind:
            return
        cells = msgspec.structs.astuple(found)
        values.update(zip(self._paths, cells, strict=False))  # the objects below come after the values
        for place, node in self._below:
            node.add(cells[place], values)


def _kind(members: Iterable[tuple[str, Any]]) -> Any:
    """A type with these members, each of which may be missing, or be another than it should."""
    numbered = [(f"member_{place}", name, kind) for place, (name, kind) in enumerate(members)]
    fields = [(ours, kind if kind is Any else kind | Other, None) for ours, _, kind in numbered]
    return msgspec.defstruct("Picked", fields, rename={ours: name for ours, name, _ in numbered}, gc=False)


def _tree(paths: Iterable[str]) -> _Tree:
    tree: _Tree = {}
    for path in sorted(paths, key=len):
        *parents, name = path.split(".")
        place: Any = tree
        for parent in parents:
            place = place.setdefault(parent, {}) if isinstance(place, dict) else None
        if isinstance(place, dict):
            place.setdefault(name, path)
    return tree
