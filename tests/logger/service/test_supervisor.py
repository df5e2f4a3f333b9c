"""A terminal sends Ctrl-C to its whole process group: children ignore it, and the supervisor handles it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from logger.service.supervisor import signals_blocked


@pytest.fixture
def received_signals() -> Iterator[list[int]]:
    """The numbers of the interrupts that reached this process."""
    numbers: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: numbers.append(number))
    yield numbers
    signal.signal(signal.SIGINT, before)


def test_a_starting_child_ignores_ctrl_c() -> None:
    with signals_blocked():
        child = subprocess.Popen([sys.executable, "-c", "import sys; sys.exit(len(sys.stdin.read()))"], stdin=-1)
    child.send_signal(signal.SIGINT)
    child.communicate(b"abc", timeout=60)
    assert child.returncode == 3


def test_a_ctrl_c_while_a_child_starts_is_not_lost(received_signals: list[int]) -> None:
    with signals_blocked():
        os.kill(os.getpid(), signal.SIGINT)
    assert received_signals == [signal.SIGINT]
