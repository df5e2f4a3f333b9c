"""The command line as a process of its own, piped or on a terminal; the one runner of all tests."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path

_TIMEOUT_S = 600.0  # a hang is one; a demo beside other work is none


def voltrail(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `voltrail` with these words in this folder, and no VOLTRAIL_ variable but these."""
    return subprocess.run(
        _command(words),
        cwd=folder,
        env={**_environment(), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=_TIMEOUT_S,
    )


def voltrail_with_input(folder: Path, *words: str, text: str) -> subprocess.CompletedProcess[str]:
    """Run `voltrail` with these words in this folder, and this text at its stdin."""
    return subprocess.run(
        _command(words),
        cwd=folder,
        env=_environment(),
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=_TIMEOUT_S,
    )


def voltrail_on_terminal(
    folder: Path, *words: str, answers: Sequence[str] = (), columns: int = 100, environment: Mapping[str, str] = {}
) -> tuple[int, str]:
    """Run `voltrail` on a terminal, answer its questions; return the exit code and all that the terminal received."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    with subprocess.Popen(
        _command(words),
        cwd=folder,
        env={**_environment(), "TERM": "xterm-256color", **environment},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        shown, pending = "", list(answers)
        while part := _read(ours):
            shown += part
            if pending and shown.endswith(": "):  # the blank comes once what is typed is hidden
                os.write(ours, pending.pop(0).encode() + b"\n")
                shown += "\n"
    os.close(ours)
    return process.returncode, shown.replace("\r\n", "\n")


def _command(words: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "voltrail", *words]


def _environment() -> dict[str, str]:
    hidden = ("VOLTRAIL_", "NO_COLOR", "FORCE_COLOR", "COLUMNS")
    return {name: value for name, value in os.environ.items() if not name.startswith(hidden)}


def _read(terminal: int) -> str:
    assert select.select([terminal], [], [], _TIMEOUT_S)[0], "nothing is shown any more"
    try:
        return os.read(terminal, 65_536).decode(errors="replace")
    except OSError:  # the process at the other end has ended
        return ""
