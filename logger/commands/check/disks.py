"""Whether the disks below data folder and lake take what is written, and have room for what may come."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from logger.commands.check.finding import Finding, error, ok, warning
from logger.settings.schema import Settings

_PROBE_BYTES = 8192  # a page of the spool
_REMEDIES = {
    errno.ENOSPC: "free space on that disk, or let the folder lie on another",
    errno.EDQUOT: "free space on that disk, or let the folder lie on another",
    errno.EACCES: "give the folder to the user that runs voltrail, or check as that user",
    errno.EPERM: "give the folder to the user that runs voltrail, or check as that user",
    errno.EROFS: "mount that disk for writing, or let the folder lie on another",
    errno.ENOTDIR: "a file stands where a folder should be: move it away, or name another folder",
}
_OURS = ("spool.db*", "*.lock", "replaced-times.db*", "*.json")


def check_disks(settings: Settings) -> Iterator[Finding]:
    """What a small file, really written, tells of each folder. Nothing stays behind."""
    yield _written("data folder", settings.data_dir)
    yield from _not_ours(settings.data_dir)
    lake = settings.sinks.lake.path
    if "://" in lake:
        yield ok("lake", f"{lake} is an object store: nothing was written there to try it")
    else:
        yield _written("lake folder", Path(lake))
    yield _room(settings)


def _written(about: str, folder: Path) -> Finding:
    place = _existing(folder)
    try:
        with tempfile.TemporaryFile(dir=place, prefix=".voltrail-check-") as file:
            file.write(bytes(_PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as failure:
        remedy = _REMEDIES.get(failure.errno or 0, "see to that disk, or name another folder")
        return error(about, f"{folder} cannot be written to: {failure.strerror or failure}", remedy)
    return ok(about, f"{folder} takes what is written" if place == folder else f"{folder} is not there yet, and can be")


def _not_ours(folder: Path) -> Iterator[Finding]:
    """Files that a command of another user left in the data folder."""
    found = sorted(file for pattern in _OURS for file in folder.glob(pattern) if not os.access(file, os.W_OK))
    if found:
        yield error(
            "data folder",
            f"this user may not write {found[0]}" + (f" and {len(found) - 1} more" if found[1:] else ""),
            "give the files to the user that runs voltrail (chown), or check as that user",
        )


def _room(settings: Settings) -> Finding:
    spool = settings.data_dir / "spool.db"
    free = shutil.disk_usage(_existing(settings.data_dir)).free
    may_take = max(0, settings.collector.max_bytes - (spool.stat().st_size if spool.is_file() else 0))
    text = f"{_size(free)} are free, and the spool may take another {_size(may_take)}"
    if free < may_take:
        return warning("free space", text, "free some, or lower max_bytes in [collector]: a full disk takes no pushes")
    return ok("free space", text)


def _existing(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    return next(place for place in (folder, *folder.parents) if place.exists())


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:,.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:,.1f} MB"
