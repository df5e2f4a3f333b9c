"""Texts for people: one file for each language, `en.toml` and `de.toml`, with the same keys."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
_VALUE = re.compile(r"\\\{\d\\\}")  # such as {0}, escaped


class Texts:
    """The texts of one language by their key, such as `figure.distance_m`. A key without a text is a `KeyError`."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._texts = read_texts(language)

    def __call__(self, key: str, **values: object) -> str:
        """Return the text of this key, with these values in it."""
        text = self._texts[key]
        return text.format(**values) if values else text

    def word(self, group: str, name: str) -> str:
        """Return what a word of the tables is called, such as a state; the word itself where nobody named it."""
        return self._texts.get(f"{group}.{name}", name)

    def sentences(self, group: str, stored: str) -> str:
        """Return sentences that the tables hold in English, joined by `; `, in this language.

        `group` holds their patterns; a sentence that fits none stays as it is.
        """
        return "; ".join(self._sentence(group, each) for each in stored.split("; "))

    def _sentence(self, group: str, stored: str) -> str:
        for key, pattern in _patterns(group):
            if found := pattern.fullmatch(stored):
                return self._texts[key].format(*found.groups())
        return stored

    def has(self, key: str) -> bool:
        """Return whether there is a text of this key."""
        return key in self._texts


@cache
def read_texts(language: str) -> Mapping[str, str]:
    """Return all texts of a language by their keys."""
    return dict(_flat(tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))))


@cache
def _patterns(group: str) -> list[tuple[str, re.Pattern[str]]]:
    """Return the English sentences of a group as expressions that find the values in them, by their keys."""
    english = {key: text for key, text in read_texts("en").items() if key.startswith(f"{group}.")}
    return [(key, re.compile(_VALUE.sub("(.+)", re.escape(text)))) for key, text in english.items()]


def _flat(table: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, str):
            yield f"{before}{name}", value
        else:
            yield from _flat(value, f"{before}{name}.")
