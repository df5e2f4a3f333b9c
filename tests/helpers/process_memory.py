"""The memory of a process, as the kernel counts it."""

from pathlib import Path


def resident_mib(process: int | str = "self") -> float:
    """Return the resident memory of this process now [MiB]."""
    return _status_mib("VmRSS", process)


def peak_mib(process: int | str = "self") -> float:
    """Return the peak of the resident memory of this program [MiB].

    `ru_maxrss` would be wrong: it begins with the memory of the process that started this one.
    """
    return _status_mib("VmHWM", process)


def _status_mib(name: str, process: int | str) -> float:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))
