"""The supervisor of `voltrail run`: starts a receiver and the feeders, and restarts each that dies.

On schedule it starts an analysis, which analyses what is new and ends. It holds the listening socket, so that callers
queue while a receiver restarts. It hands each child the settings through a pipe and keeps that open: when the pipe
ends, the child knows that the supervisor is gone.
"""

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

import msgspec

from logger.errors import ConfigError
from logger.locks import exclusive_lock, run_lock
from logger.notify.schedule import destinations, open_deliveries
from logger.process_state import read_state
from logger.service.child import Stop
from logger.settings.load import encode_settings
from logger.settings.schema import Collector, Live, Settings
from logger.sources import accounts, clouds
from logger.spool.open import open_spool

log = logging.getLogger(__name__)

_RESTART_S = (0.1, 1.0, 5.0)  # the first restart is at once, a process that dies again and again waits longer
_STEADY_S = 30.0
_STOP_S = {"analysis": 5.0, "reports": 5.0, "live": 5.0, "receiver": 15.0, "feeder": 300.0}
_REPORTS_EVERY_S = 300.0  # how often it is looked whether a report is due
_COMMAND = (sys.executable, "-m", f"{__package__}.main")  # not imported here: it needs a web server
_BACKLOG = 2048


class Commands(msgspec.Struct, frozen=True):
    """What starts the processes above the logger, which get the settings on their standard input.

    `analysis` analyses what is new, `reports` delivers the reports that are due; `live` serves the live page at the
    socket whose handle is its last word.
    """

    analysis: Sequence[str] = ()
    reports: Sequence[str] = ()
    live: Sequence[str] = ()


def run(settings: Settings, commands: Commands, *, debug: bool = False) -> None:
    """Run until SIGTERM or SIGINT, then drain. Raises `ConfigError` where it cannot start."""
    if not settings.sources:
        raise ConfigError("there is no source to collect from: `voltrail init` writes settings with one")
    _check_accounts(settings)
    with exclusive_lock(run_lock(settings.data_dir)) as free:
        if not free:
            raise ConfigError(f"a voltrail is running on {settings.data_dir} already")
        open_spool(settings).close()
        with ExitStack() as sockets:
            listener = sockets.enter_context(listening(settings.collector))
            live = sockets.enter_context(listening(settings.live)) if settings.live.listen else None
            _supervise(settings, listener, live, commands, debug)


def _check_accounts(settings: Settings) -> None:
    """Raise `ConfigError` here, once, for what would end each child again and again."""
    polled = {source.name for source in settings.polled_sources}
    clouds({name: account for name, account in accounts(settings).items() if name in polled})
    if settings.reports.weekly or settings.reports.monthly:
        destinations(settings)


def _supervise(
    settings: Settings, listener: socket.socket, live: socket.socket | None, commands: Commands, debug: bool
) -> None:
    stop = Stop(signal.SIGTERM, signal.SIGINT)
    children: list[Child] = [
        Child("receiver", (*_COMMAND, "receiver", str(listener.fileno())), settings, debug, (listener.fileno(),)),
        *(Child("feeder", (*_COMMAND, "feeder", sink), settings, debug) for sink in settings.sinks.names),
    ]
    if live is not None:
        command = (*commands.live, str(live.fileno()))
        children.insert(0, Child("live", command, settings, debug, (live.fileno(),)))
    for child in children:
        child.start()
    if settings.analytics.every_s:
        children.insert(0, Analysis(commands.analysis, settings, debug))
    if settings.reports.weekly or settings.reports.monthly:
        children.insert(0, Reports(commands.reports, settings, debug))
    while not stop.wait(0.1):
        for child in children:
            child.restart_if_dead()
    log.info("stopping: first the receiver, then what waits in the spool is delivered")
    for child in children:
        child.stop()


@contextmanager
def signals_blocked() -> Iterator[None]:
    """Let a process that is started here hold signals back from its first instruction on; we get ours afterwards.

    A terminal sends Ctrl-C to the whole group, and a child that has only begun its imports would die of it. SIGTERM
    reaches a child once it is ready for it: see `child.take_sigterm`.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Child:
    """A child process, restarted when it dies: what it is (`role`), and the command that starts it."""

    def __init__(
        self, role: str, command: Sequence[str], settings: Settings, debug: bool, handles: tuple[int, ...] = ()
    ) -> None:
        self._role, self._command = role, command
        self._settings, self._handles, self._debug = settings, handles, debug
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._deaths = 0
        self._restart_at = 0.0

    def start(self) -> None:
        """Start the process and hand it the settings."""
        environment = {**os.environ, "VOLTRAIL_DEBUG": "1" if self._debug else ""}
        with signals_blocked():
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, pass_fds=self._handles, env=environment
            )
        self._started_at = time.monotonic()
        pipe = self._process.stdin
        assert pipe is not None
        try:
            pipe.write(encode_settings(self._settings) + b"\n")
            pipe.flush()
        except BrokenPipeError:
            log.error("the %s ended at its start", self._role)

    def restart_if_dead(self) -> None:
        """Start it again if it has died; after each death in a row it waits a little longer."""
        process = self._process
        if process is None or process.poll() is None:
            return
        now = time.monotonic()
        if not self._restart_at:
            self._deaths = 0 if now - self._started_at > _STEADY_S else self._deaths
            wait_s = _RESTART_S[min(self._deaths, len(_RESTART_S) - 1)]
            self._deaths += 1
            self._restart_at = now + wait_s
            log.error("the %s ended with %s; again in %.1f s", self._role, process.returncode, wait_s)
        elif now >= self._restart_at:
            self._restart_at = 0.0
            self._close_pipe()
            self.start()

    def stop(self) -> None:
        """Ask it to finish, and kill it if it takes too long."""
        process = self._process
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_S[self._role])
        except subprocess.TimeoutExpired:
            log.error("the %s did not finish within %.0f s and is ended", self._role, _STOP_S[self._role])
            process.kill()
            process.wait()
        self._close_pipe()

    def _close_pipe(self) -> None:
        if self._process and self._process.stdin:
            try:
                self._process.stdin.close()
            except BrokenPipeError:
                pass


class Analysis(Child):
    """The analysis, started on schedule; if it dies, the next one does its work."""

    def __init__(self, command: Sequence[str], settings: Settings, debug: bool) -> None:
        super().__init__("analysis", command, settings, debug)
        last = read_state(settings.data_dir, "analysis").get("at")
        last_at = datetime.fromisoformat(last).timestamp() if last else time.time()
        self._next_at = last_at + settings.analytics.every_s

    def restart_if_dead(self) -> None:
        """Start it if it is due and the last one has ended."""
        has_ended = self._process is None or self._process.poll() is not None
        if has_ended and time.time() >= self._next_at:
            self._close_pipe()
            self._next_at = time.time() + self._settings.analytics.every_s
            self.start()


class Reports(Child):
    """The process that delivers reports, started when one is due; what fails is tried again later."""

    def __init__(self, command: Sequence[str], settings: Settings, debug: bool) -> None:
        super().__init__("reports", command, settings, debug)
        self._next_at = 0.0

    def restart_if_dead(self) -> None:
        """Start it if a report is due and the last one has ended."""
        has_ended = self._process is None or self._process.poll() is not None
        if not has_ended or time.monotonic() < self._next_at:
            return
        self._next_at = time.monotonic() + _REPORTS_EVERY_S
        if self._is_due():
            self._close_pipe()
            self.start()

    def _is_due(self) -> bool:
        try:
            return any(open_deliveries(self._settings, datetime.now(UTC)))
        except ConfigError as error:
            log.error("%s", error)
            self._next_at = time.monotonic() + 12 * _REPORTS_EVERY_S
            return False


@contextmanager
def listening(listens: Collector | Live) -> Iterator[socket.socket]:
    """The socket of `listen`, open while the block lasts. Raises `ConfigError` where that fails."""
    host, port = listens.address
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise ConfigError(f"cannot listen on {listens.listen}: {error.strerror or error}") from error
    with listener:
        listener.set_inheritable(True)
        yield listener
