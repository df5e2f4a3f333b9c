"""Ways to make a folder refuse writes, and to end that.

A small tmpfs where this user may mount one (root). Otherwise, and in every environment for comparison, a limit on the
size of files, or a file in the place of a folder.
"""

import resource
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

SMALL = 64 << 20


class Disk(Protocol):
    """A folder whose disk can refuse writes."""

    folder: Path

    def refuse(self, writers: Sequence[int]) -> None:
        """Refuse all writes from now on, at least by these processes."""

    def accept(self, writers: Sequence[int]) -> None:
        """Accept writes again."""


class Full:
    """A tmpfs without a free byte."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def refuse(self, writers: Sequence[int]) -> None:
        """Fill it."""
        block = bytes(1 << 16)
        with (self.folder / "filler").open("wb", buffering=0) as file:
            while len(block):
                try:
                    file.write(block)
                except OSError:
                    block = block[: len(block) // 2]

    def accept(self, writers: Sequence[int]) -> None:
        """Free it."""
        (self.folder / "filler").unlink()


class ReadOnly:
    """A tmpfs that is mounted read-only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def refuse(self, writers: Sequence[int]) -> None:
        """Mount it read-only, as soon as no file is open for writing."""
        for _ in range(1000):
            if _mount("-o", "remount,ro", str(self.folder)):
                return
        raise AssertionError(f"{self.folder} is always in use")

    def accept(self, writers: Sequence[int]) -> None:
        """Mount it for writing."""
        assert _mount("-o", "remount,rw", str(self.folder))


class Limited:
    """A limit of 0 bytes on the files of the writers: for them the disk is full."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def refuse(self, writers: Sequence[int]) -> None:
        """Set the limit."""
        for writer in writers:
            _, hard = resource.prlimit(writer, resource.RLIMIT_FSIZE)
            resource.prlimit(writer, resource.RLIMIT_FSIZE, (0, hard))

    def accept(self, writers: Sequence[int]) -> None:
        """Lift it."""
        for writer in writers:
            _, hard = resource.prlimit(writer, resource.RLIMIT_FSIZE)
            resource.prlimit(writer, resource.RLIMIT_FSIZE, (hard, hard))


class Replaced:
    """A file in the place of every folder in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def refuse(self, writers: Sequence[int]) -> None:
        """Move the folders away."""
        for folder in [each for each in self.folder.iterdir() if each.is_dir()]:
            folder.rename(folder.with_suffix(".away"))
            folder.touch()

    def accept(self, writers: Sequence[int]) -> None:
        """Move them back."""
        for folder in self.folder.glob("*.away"):
            folder.with_suffix("").unlink()
            folder.rename(folder.with_suffix(""))


@contextmanager
def disk(folder: Path, kind: type[Full | ReadOnly | Limited | Replaced]) -> Iterator[Disk]:
    """This kind of disk at `folder`; where no tmpfs can be mounted, another kind that refuses as well."""
    folder.mkdir()
    mounted = kind in (Full, ReadOnly) and _mount("-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", str(folder))
    if kind in (Full, ReadOnly) and not mounted:
        kind = Limited if kind is Full else Replaced
    try:
        yield kind(folder)
    finally:
        if mounted:
            subprocess.run(["umount", str(folder)], check=True)


def _mount(*words: str) -> bool:
    try:
        return subprocess.run(["mount", *words], capture_output=True, check=False).returncode == 0
    except OSError:
        return False
