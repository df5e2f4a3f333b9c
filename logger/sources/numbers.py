"""Numbers in documents of vendors, who write some of them as texts."""

from typing import Any


def number(value: Any) -> float | None:
    """The value as a number, also where it is the text of one; None for anything else."""
    kind = value.__class__
    if kind is not int and kind is not float and kind is not str:
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if found - found == 0 else None  # neither infinite nor no number
