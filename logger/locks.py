"""File locks of processes: of the service, and of those that write to a sink. Each ends with its process.

A command that writes to a sink holds the sink's request lock and waits for its feeder lock. A feeder that finds the
request lock held releases the feeder lock, and takes it again when no request is left.
"""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def exclusive_lock(path: Path, *, wait: bool = False) -> Iterator[bool]:
    """Hold this lock file and yield True, or yield False where another process holds it; with `wait`, wait for it.

    The kernel releases the lock when the process ends, however that happens.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True


def is_locked(path: Path) -> bool:
    """Return whether a process holds this lock file; False where there is none, or none that this user may read."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def run_lock(folder: Path) -> Path:
    """Return the lock file that `voltrail run` holds as long as it uses this data folder."""
    return folder / "run.lock"


def feeder_lock(folder: Path, sink: str = "lake") -> Path:
    """Return the lock file that the process which writes to this sink holds."""
    return folder / f"feeder-{sink}.lock"


@contextmanager
def take_over(folder: Path, sink: str = "lake") -> Iterator[None]:
    """Be the only writer of this sink: wait until its feeder has released it, and keep the feeder out meanwhile."""
    with exclusive_lock(_request_lock(folder, sink), wait=True), exclusive_lock(feeder_lock(folder, sink), wait=True):
        yield


def is_requested(folder: Path, sink: str = "lake") -> bool:
    """Return whether a command writes to this sink or waits to; False where the disk cannot be read."""
    return is_locked(_request_lock(folder, sink))


@contextmanager
def scratch_folder(folder: Path) -> Iterator[Path]:
    """Yield the path of a folder for temporary files, removed at the end. Only the lake's writer may use it."""
    clear_scratch(folder)
    try:
        yield _scratch_path(folder)
    finally:
        clear_scratch(folder)


def clear_scratch(folder: Path) -> None:
    """Remove temporary files that a killed process left. Only the lake's writer may do so."""
    shutil.rmtree(_scratch_path(folder), ignore_errors=True)


def _request_lock(folder: Path, sink: str) -> Path:
    return folder / f"asked-{sink}.lock"  # the name of 0.1: processes of both versions must see one another's lock


def _scratch_path(folder: Path) -> Path:
    return folder / "replay"
