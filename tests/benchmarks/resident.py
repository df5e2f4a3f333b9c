"""What a process holds in memory, by what the kernel says of it."""

from pathlib import Path


def resident_mib(process: int | str = "self") -> float:
    """Now."""
    return _told("VmRSS", process)


def peak_mib(process: int | str = "self") -> float:
    """At most, of this program alone: `ru_maxrss` begins with what the process that started it held."""
    return _told("VmHWM", process)


def _told(word: str, process: int | str) -> float:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{word}:"))
