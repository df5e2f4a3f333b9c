"""Waiting in tests: for a condition, not for a time."""

import threading
import time
from collections.abc import Callable


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 30.0) -> float:
    """Wait until the condition holds; return how long it took [s]. Fails with `what` after this many seconds."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"not within {seconds:.0f} s: {what}"
        threading.Event().wait(0.01)
    return time.monotonic() - began
