"""Where commands write data: files and pipes get it as it is, a terminal gets no control that data holds."""

import io
import json
import sys
from codecs import getincrementaldecoder
from pathlib import Path
from typing import Any, BinaryIO, cast

from logger.errors import ConfigError
from logger.printable import printable


def data_file(out: Path | None, *, is_text: bool = True) -> Path | BinaryIO:
    """Return where a command writes its data: `out`, else stdout, which as a terminal gets text without controls.

    Raises `ConfigError` for other data than text on a terminal.
    """
    if out is not None:
        return out
    if not sys.stdout.isatty():
        return sys.stdout.buffer
    if not is_text:
        raise ConfigError("this is no text for a terminal: name a file with --out FILE")
    return cast(BinaryIO, _TerminalText(sys.stdout.buffer))


def harmless_json(text: str) -> str:
    """Return the same JSON, each unprintable character as an escape; JSON asks for that below U+0020 only."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in text)


class _TerminalText(io.RawIOBase):
    """Text for a terminal, with controls as escapes: it holds what vehicles and people wrote."""

    def __init__(self, terminal: BinaryIO) -> None:
        self._terminal, self._decoder = terminal, getincrementaldecoder("utf-8")("backslashreplace")

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        """Write these bytes, which may end within a character."""
        text = self._decoder.decode(bytes(data))
        self._terminal.write("\n".join(map(printable, text.split("\n"))).encode())
        self._terminal.flush()
        return len(data)
