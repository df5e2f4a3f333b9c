"""Work in a new process: its seconds and its memory, which no work before has touched."""

import subprocess
import sys
import time
from collections.abc import Callable

import msgspec

from tests.helpers.process_memory import peak_mib, resident_mib


class ProcessResult(msgspec.Struct, frozen=True):
    """Seconds of the work, the process's memory before it and at its peak, and the size of its frame [MiB]."""

    seconds: float
    before_mib: float
    peak_mib: float
    frame_mib: float = 0


def run_module(name: str, *arguments: str) -> ProcessResult:
    """Return what `report` writes in a process of this module."""
    command = [sys.executable, "-m", name, *arguments]
    return msgspec.json.decode(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout, type=ProcessResult)


def report(work: Callable[[], float]) -> None:
    """Do this work, which returns the size of its frame [MiB] or 0, and write the result."""
    before_mib, began = resident_mib(), time.perf_counter()
    frame_mib = work()
    result = ProcessResult(time.perf_counter() - began, before_mib, peak_mib(), frame_mib)
    sys.stdout.buffer.write(msgspec.json.encode(result))
