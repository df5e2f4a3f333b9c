"""The nearest known name to one that nobody knows, for errors that help."""

import difflib
from collections.abc import Mapping


def nearest(name: str, known: Mapping[str, object] | tuple[str, ...]) -> str:
    """A hint such as "; did you mean 'soc_pct'?", or nothing where no known name is near."""
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    if not near:
        return ""
    best = next((each for each in near if each.startswith(name)), near[0])  # of several, the one that starts so
    return f"; did you mean {best!r}?"
