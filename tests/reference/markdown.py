"""Markdown and plain words, for people who know neither polars nor Python."""

from collections.abc import Iterable, Sequence

TYPES = {
    "bool": "yes/no",
    "float": "number",
    "int": "whole number",
    "enum": "word",
    "text": "text",
    "time": "time (UTC)",
    "words": "list of words",
    "bytes": "bytes",
}
_UNITS = {"1": "", "degC": "°C", "deg": "°", "ug/m3": "µg/m³"}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; a `|` in a cell does not end it."""
    lines = [head, ["---"] * len(head), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def code(*words: str) -> str:
    """Return the words in code type, separated by blanks."""
    return " ".join(f"`{word}`" for word in words)


def unit(word: str) -> str:
    """Return a unit as people write it; nothing for a count."""
    return _UNITS.get(word, word)


def sentence(text: str) -> str:
    """Return the text with a capital letter at its start and a full stop at its end."""
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
