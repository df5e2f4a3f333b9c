"""Text from outside as text that a terminal only displays: control characters become visible escapes."""

import logging
from typing import Any


def printable(text: str) -> str:
    r"""Return the text with each unprintable character as an escape, such as `\x1b` for ESC and `\u202e` for U+202E.

    The rule is that of `repr`: control and format characters, lone surrogates, and every separator but the space.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


class PrintableFormatter(logging.Formatter):
    """Formats log records so that a name from outside cannot begin a line of its own or control a terminal."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the record's line."""
        return printable(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:
        """Return the lines of a traceback."""
        return "\n".join(map(printable, super().formatException(ei).split("\n")))
