"""The known name nearest to an unknown one, for errors that help."""

import difflib
from collections.abc import Collection


def nearest(name: str, known: Collection[str]) -> str:
    """Return a hint such as "; did you mean 'soc_pct'?", or nothing where no known name is near."""
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    if not near:
        return ""
    best = next((each for each in near if each.startswith(name)), near[0])  # of several, one that starts with the name
    return f"; did you mean {best!r}?"
