"""Numbers in documents of vendors, who write some of them as texts."""

from typing import Any

_MOST = 10**18  # beyond any that a vehicle sends, and far from where products overflow


def number(value: Any) -> float | None:
    """The value as a number, also where it is the text of one; None for anything else, such as `1_000`."""
    kind = value.__class__  # by far the most are whole numbers
    if kind is int:
        return value if -_MOST < value < _MOST else None
    if (kind is not float and kind is not str) or (kind is str and "_" in value):
        return None
    try:
        found = float(value)
    except ValueError:
        return None
    return found if -_MOST < found < _MOST else None  # nor is it infinite, or no number
