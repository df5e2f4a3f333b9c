"""Whose turn it is to write to the lake: the feeder's, until somebody asks for it. Locks, which end with their process.

Who wants the lake holds `replay.lock` and waits for `feeder.lock`; a feeder that sees the first let go of the second,
and takes it again once nobody asks any more.
"""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def sole(path: Path, *, wait: bool = False) -> Iterator[bool]:
    """Hold this lock file; yields whether it was free. The kernel lets go of it however the process ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True


def feeding(folder: Path) -> Path:
    """The lock of whoever writes to the lake."""
    return folder / "feeder.lock"


@contextmanager
def taken_over(folder: Path) -> Iterator[Path]:
    """Hold the lake alone, once whoever writes to it has let go; yields an empty folder for what is under way."""
    with sole(_asking(folder), wait=True), sole(feeding(folder), wait=True):
        clear(folder)
        try:
            yield _scratch(folder)
        finally:
            clear(folder)


def clear(folder: Path) -> None:
    """Remove what a kill left of somebody's work; for whoever holds the lake."""
    shutil.rmtree(_scratch(folder), ignore_errors=True)


def asked(folder: Path) -> bool:
    """Whether somebody holds the lake alone, or waits to. A disk that refuses has nobody ask."""
    try:
        with _asking(folder).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _asking(folder: Path) -> Path:
    return folder / "replay.lock"


def _scratch(folder: Path) -> Path:
    return folder / "replay"
