"""Whether the disks of data folder and lake can be written to, and have room for what may come."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from logger.commands.check.finding import Finding, error, ok, warning
from logger.commands.output import format_size
from logger.settings.schema import Settings

_PROBE_BYTES = 8192  # a page of the spool
_REMEDIES = {
    errno.ENOSPC: "free space on that disk, or move the folder to another",
    errno.EDQUOT: "free space on that disk, or move the folder to another",
    errno.EACCES: "give the folder to the user that runs voltrail, or check as that user",
    errno.EPERM: "give the folder to the user that runs voltrail, or check as that user",
    errno.EROFS: "mount that disk for writing, or move the folder to another",
    errno.ENOTDIR: "a file stands where a folder should be: move it away, or name another folder",
}
_OWN_FILES = ("spool.db*", "*.lock", "replaced-times.db*", "*.json")


def check_disks(settings: Settings) -> Iterator[Finding]:
    """Write a small file to each folder for real. Nothing stays behind."""
    yield _writable("data folder", settings.data_dir)
    yield from _foreign_files(settings.data_dir)
    lake = settings.sinks.lake.path
    if "://" in lake:
        yield ok("lake", f"{lake} is an object store: no test file was written there")
    else:
        yield _writable("lake folder", Path(lake))
    yield _free_space(settings)


def _writable(about: str, folder: Path) -> Finding:
    existing = _nearest_existing(folder)
    try:
        with tempfile.TemporaryFile(dir=existing, prefix=".voltrail-check-") as file:
            file.write(bytes(_PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as failure:
        remedy = _REMEDIES.get(failure.errno or 0, "see to that disk, or name another folder")
        return error(about, f"{folder} cannot be written to: {failure.strerror or failure}", remedy)
    return ok(
        about, f"{folder} takes what is written" if existing == folder else f"{folder} is not there yet, and can be"
    )


def _foreign_files(folder: Path) -> Iterator[Finding]:
    """Yield an error for files that a command of another user left in the data folder."""
    files = sorted(file for pattern in _OWN_FILES for file in folder.glob(pattern) if not os.access(file, os.W_OK))
    if files:
        yield error(
            "data folder",
            f"this user may not write {files[0]}" + (f" and {len(files) - 1} more" if files[1:] else ""),
            "give the files to the user that runs voltrail (chown), or check as that user",
        )


def _free_space(settings: Settings) -> Finding:
    spool = settings.data_dir / "spool.db"
    free_bytes = shutil.disk_usage(_nearest_existing(settings.data_dir)).free
    spool_bytes = spool.stat().st_size if spool.is_file() else 0
    growth_bytes = max(0, settings.collector.max_bytes - spool_bytes)
    text = f"{format_size(free_bytes)} are free, and the spool may take another {format_size(growth_bytes)}"
    if free_bytes < growth_bytes:
        return warning("free space", text, "free some, or lower max_bytes in [collector]: a full disk takes no pushes")
    return ok("free space", text)


def _nearest_existing(folder: Path) -> Path:
    """Return the folder, or the nearest parent that exists."""
    return next(path for path in (folder, *folder.parents) if path.exists())
