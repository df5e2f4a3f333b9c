"""Finding: what was checked, how serious it is, what is wrong and what to do."""

from typing import Literal

import msgspec

from logger.commands.output import one_line

Level = Literal["ok", "warning", "error"]


class Finding(msgspec.Struct, frozen=True):
    """The result of one check; `remedy` is empty where nothing needs to be done."""

    about: str
    level: Level
    text: str
    remedy: str = ""


def ok(about: str, text: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(about, "ok", text)


def warning(about: str, text: str, remedy: str) -> Finding:
    """Return a finding that it works, or may work, and that somebody should know."""
    return Finding(about, "warning", one_line(text), one_line(remedy))


def error(about: str, text: str, remedy: str) -> Finding:
    """Return a finding that it does not work."""
    return Finding(about, "error", one_line(text), one_line(remedy))
