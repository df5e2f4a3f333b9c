"""Whose turn it is to write to a sink: its feeder's, until somebody asks for it. Locks, which end with their process.

Who wants a sink holds its lock of asking and waits for that of feeding; a feeder that sees the first lets go of the
second, and takes it again once nobody asks any more.
"""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def exclusive_lock(path: Path, *, wait: bool = False) -> Iterator[bool]:
    """Hold this lock file; yields whether it was free. The kernel lets go of it however the process ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True


def feeder_lock(folder: Path, sink: str = "lake") -> Path:
    """The lock of whoever writes to this sink."""
    return folder / f"feeder-{sink}.lock"


@contextmanager
def take_over(folder: Path, sink: str = "lake") -> Iterator[None]:
    """Write to this sink alone, once its feeder has let go."""
    with exclusive_lock(_asking(folder, sink), wait=True), exclusive_lock(feeder_lock(folder, sink), wait=True):
        yield


@contextmanager
def scratch_folder(folder: Path) -> Iterator[Path]:
    """An empty folder for what is under way; for whoever holds the lake."""
    clear_scratch(folder)
    try:
        yield _scratch(folder)
    finally:
        clear_scratch(folder)


def clear_scratch(folder: Path) -> None:
    """Remove what a kill left of somebody's work; for whoever holds the lake."""
    shutil.rmtree(_scratch(folder), ignore_errors=True)


def is_requested(folder: Path, sink: str = "lake") -> bool:
    """Whether somebody writes to this sink alone, or waits to. A disk that refuses has nobody ask."""
    try:
        with _asking(folder, sink).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _asking(folder: Path, sink: str) -> Path:
    return folder / f"asked-{sink}.lock"


def _scratch(folder: Path) -> Path:
    return folder / "replay"
