"""What every child of the supervisor does first: set up its log, read the settings, watch for the supervisor's end."""

import logging
import os
import queue
import signal
import sys
import threading

from logger.errors import ConfigError
from logger.printable import PrintableFormatter
from logger.settings.load import decode_settings
from logger.settings.schema import Settings


class Stop:
    """Remembers whether one of these signals came. No `threading.Event`: its `set` in a handler can block `wait`."""

    def __init__(self, *numbers: signal.Signals) -> None:
        self._signals: queue.SimpleQueue[None] = queue.SimpleQueue()  # its `put` is safe in a signal handler
        for number in numbers:
            signal.signal(number, lambda *_: self._signals.put(None))
        take_sigterm()

    def wait(self, seconds: float) -> bool:
        """Wait so long, or until a signal; return whether one came."""
        try:
            self._signals.get(timeout=seconds)
        except queue.Empty:
            return False
        self._signals.put(None)
        return True


def take_sigterm() -> None:
    """Take SIGTERM from now on, one that has come since this process began included."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def set_up_logging(name: str, *, debug: bool) -> None:
    """Log to stderr: time, level, process, message."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(PrintableFormatter(f"%(asctime)s %(levelname)s {name}: %(message)s"))
    logging.basicConfig(level=logging.DEBUG if debug else logging.INFO, handlers=[handler])
    for chatty in ("uvicorn", "asyncio", "httpx", "httpcore"):  # httpx logs a line for each request
        logging.getLogger(chatty).setLevel(logging.WARNING)


def receive_settings() -> Settings:
    """Read the settings from standard input; from then on, a thread ends this process when that closes."""
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
