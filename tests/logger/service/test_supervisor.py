"""Ctrl-C goes to a terminal's whole group: children leave it to the supervisor, from their first instruction on."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from logger.service.supervisor import interrupts_blocked


@pytest.fixture
def heard() -> Iterator[list[int]]:
    told: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: told.append(number))
    yield told
    signal.signal(signal.SIGINT, before)


def test_a_child_that_only_begins_is_deaf_to_ctrl_c() -> None:
    with interrupts_blocked():
        child = subprocess.Popen([sys.executable, "-c", "import sys; sys.exit(len(sys.stdin.read()))"], stdin=-1)
    child.send_signal(signal.SIGINT)
    child.communicate(b"abc", timeout=60)
    assert child.returncode == 3


def test_a_ctrl_c_meanwhile_is_not_lost(heard: list[int]) -> None:
    with interrupts_blocked():
        os.kill(os.getpid(), signal.SIGINT)
    assert heard == [signal.SIGINT]
