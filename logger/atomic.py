"""Files that are whole or not there: written beside, flushed to disk, then renamed into place."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def atomic_file(path: Path, *, durable: bool = True, mode: int = 0o666) -> Iterator[BinaryIO]:
    """A file to write to, which takes the place of `path` when the block ends well; else `path` is as it was.

    It survives a loss of power if it is `durable`, which costs two waits for the disk. `mode` says who may read it.
    Raises `OSError`.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.part")  # no other writer's
    try:
        with open(part, "wb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            yield file
            file.flush()
            if durable:
                os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    if durable:
        fsync(path.parent)


def write_file(path: Path, data: bytes, *, durable: bool = True, mode: int = 0o666) -> None:
    """Put these bytes in place of what `path` holds. Raises `OSError`."""
    with atomic_file(path, durable=durable, mode=mode) as file:
        file.write(data)


def fsync(path: Path) -> None:
    """Wait until this file, or the names in this folder, are on disk. Raises `OSError`."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
