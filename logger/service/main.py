"""The children that the supervisor starts: a receiver (HTTP → spool), and a feeder (spool → sink) for each sink.

Each gets its settings through a pipe that stays open: when that ends, the supervisor is gone, and the child ends too.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable

from logger.errors import LoggerError
from logger.service.child import Stop, receive_settings, set_up_logging
from logger.service.feeder import run_feeder
from logger.service.receiver import run_receiver

log = logging.getLogger(__name__)


def _child(role: str, words: list[str]) -> None:
    set_up_logging(" ".join([role, *words]) if role == "feeder" else role, debug=bool(os.environ.get("VOLTRAIL_DEBUG")))
    settings = receive_settings()
    if role == "receiver":
        with asyncio.Runner(loop_factory=_loop()) as runner:
            runner.run(run_receiver(settings, socket.socket(fileno=int(words[0]))))
    else:
        run_feeder(settings, words[0], Stop(signal.SIGTERM))


def _loop() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop
    except ImportError:  # there is none for Windows
        return asyncio.new_event_loop
    return uvloop.new_event_loop


def main() -> None:
    """Run `receiver HANDLE` or `feeder SINK`; only the supervisor starts this."""
    try:
        _child(sys.argv[1], sys.argv[2:])
    except LoggerError as error:
        log.error("%s", error)
        sys.exit(1)


if __name__ == "__main__":
    main()
