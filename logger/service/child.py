"""What every child of the supervisor does first: log lines, settings out of the pipe, and an end when it closes."""

import logging
import os
import queue
import signal
import sys
import threading

from logger.errors import ConfigError
from logger.settings.load import decode_settings
from logger.settings.schema import Settings


class Stop:
    """Whether one of these signals came. No `threading.Event`: a `set` in the handler can wait for its own `wait`."""

    def __init__(self, *numbers: signal.Signals) -> None:
        self._asked: queue.SimpleQueue[None] = queue.SimpleQueue()  # its `put` is safe in a signal handler
        for number in numbers:
            signal.signal(number, lambda *_: self._asked.put(None))

    def wait(self, seconds: float) -> bool:
        """Wait so long, or until asked to stop; whether that is so."""
        try:
            self._asked.get(timeout=seconds)
        except queue.Empty:
            return False
        self._asked.put(None)
        return True


def set_up_logging(name: str, *, debug: bool) -> None:
    """Lines on stderr: when, how bad, which process, what."""
    logging.basicConfig(
        level=logging.DEBUG if debug else logging.INFO,
        format=f"%(asctime)s %(levelname)s {name}: %(message)s",
        stream=sys.stderr,
    )
    for chatty in ("uvicorn", "asyncio", "httpx", "httpcore"):  # httpx has a line for each question
        logging.getLogger(chatty).setLevel(logging.WARNING)


def receive_settings() -> Settings:
    """The settings from the pipe; from then on, a thread waits for its end."""
    data = b""
    while not data.endswith(b"\n"):
        part = os.read(0, 65536)
        if not part:
            raise ConfigError("this process is started by `voltrail run`, not by hand")
        data += part
    threading.Thread(target=_watch_parent, daemon=True).start()
    return decode_settings(data)


def _watch_parent() -> None:
    while os.read(0, 65536):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
