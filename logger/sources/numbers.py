"""Numbers in documents of vendors, who write some of them as texts."""

from typing import Any


def number(value: Any) -> float | None:
    """The value as a number, also where it is the text of one; None for anything else."""
    kind = value.__class__  # by far the most are whole numbers
    if kind is int:
        return value  # type: ignore[no-any-return]
    if kind is not float and kind is not str:
        return None
    try:
        found = float(value)
    except ValueError:
        return None
    return found if found - found == 0 else None  # neither infinite nor no number
