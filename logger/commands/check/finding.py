"""Finding: what was looked at, how it stands, what is wrong there and what to do."""

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

Level = Literal["ok", "warning", "error"]


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at; `remedy` is empty where nothing is to do."""

    about: str
    level: Level
    text: str
    remedy: str = ""


def ok(about: str, text: str) -> Finding:
    """All is well."""
    return Finding(about, "ok", text)


def warning(about: str, text: str, remedy: str) -> Finding:
    """It works, or may work; somebody should know."""
    return Finding(about, "warning", plain(text), plain(remedy))


def error(about: str, text: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(about, "error", plain(text), plain(remedy))


def plain(text: object) -> str:
    """In one line."""
    return " ".join(str(text).split())


def lines(findings: Sequence[Finding]) -> Iterator[str]:
    """The findings for people, and what they come to."""
    width = max(len(each.about) for each in findings) + 2
    for each in findings:
        yield f"{each.level:<9}{each.about:<{width}}{each.text}"
        if each.remedy:
            yield f"{'':<9}{'':<{width}}-> {each.remedy}"
    errors, warnings = (sum(each.level == level for each in findings) for level in ("error", "warning"))
    yield ""
    yield f"{count(errors, 'error')}, {count(warnings, 'warning')}, {len(findings)} things looked at"


def count(number: int, word: str) -> str:
    """So many of them, for people."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """A span of time for people."""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
