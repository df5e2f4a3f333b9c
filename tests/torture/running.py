"""A `voltrail run` to be mistreated, in a process group of its own: one SIGKILL ends all of it at the same moment."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from logger.settings.load import load_settings
from logger.settings.schema import Settings
from logger.simulator.demo.collector import PLATFORM, PREFIX, SECRET
from logger.simulator.demo.sender import get
from logger.stores.lake.lake import Lake
from tests.torture.fleet import HOST

SOURCE = "segway"
PHASES = ("append", "decode", "lake commit", "compaction")
ROLES = ("receiver", "feeder")
START_S, STOP_S = 30.0, 120.0
_PORTS = range(20_000, 32_000)  # below the ports that the kernel hands out: a caller must not take ours meanwhile


def until(holds: Callable[[], bool], what: str, seconds: float = 30.0) -> float:
    """Ask again and again until it holds; how long that took [s]. Fails after so many seconds."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, f"not within {seconds:.0f} s: {what}"
        threading.Event().wait(0.01)
    return time.monotonic() - began


class Log:
    """What a process group says on stderr, line by line, as it comes and to the end of its pipe."""

    def __init__(self, pipe: BinaryIO, copy: Path) -> None:
        self.lines: list[str] = []
        self._came = threading.Condition()
        self._pipe, self._copy = pipe, copy
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with self._copy.open("ab") as copy:
            for line in self._pipe:
                copy.write(line)
                with self._came:
                    self.lines.append(line.decode(errors="replace").rstrip())
                    self._came.notify_all()

    def wait(self, word: str, seconds: float = 30.0) -> str:
        """The next line with this word; fails where none comes within so many seconds."""
        with self._came:
            seen, end = len(self.lines), time.monotonic() + seconds
            while True:
                for line in self.lines[seen:]:
                    if word in line:
                        return line
                seen = len(self.lines)
                assert self._came.wait(end - time.monotonic()), f"not within {seconds:.0f} s: a line with {word!r}"

    def rest(self) -> list[str]:
        """All lines, once no process holds the pipe any more."""
        self._thread.join(30)
        assert not self._thread.is_alive(), "somebody still holds the log open"
        self._pipe.close()
        return self.lines

    def running(self, phase: str) -> bool:
        """Whether this phase had begun and not ended at the last line."""
        for line in reversed(self.lines):
            if f": {phase} begins" in line or f": {phase} ends" in line:
                return " begins" in line
        return False

    def faults(self) -> list[str]:
        """Lines that no mistreatment excuses."""
        return [line for line in self.lines if "Traceback" in line or "failed: " in line or "never retrieved" in line]


class Service:
    """One `voltrail run` on a folder, started and ended as often as wanted; the block's end leaves nothing running."""

    def __init__(self, folder: Path, collector: str = "", lake: str = "", source: str = "", debug: bool = True) -> None:
        """`collector`, `lake` and `source` are more lines of those tables of the settings."""
        self.folder = folder
        self.port = free_port()
        self._file = folder / "voltrail.toml"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "secret").write_text(SECRET)
        self._file.write_text(
            f'[collector]\nlisten = "{HOST}:{self.port}"\npath_prefix = "{PREFIX}"\n{collector}\n[sinks.lake]\n{lake}\n'
            f'[[sources]]\nkind = "segway"\nname = "{SOURCE}"\nclient_id = "{PLATFORM}"\n'
            f'client_secret_file = "secret"\nunknown_vehicles = "accept"\n{source}\n'
        )
        self._debug = ("--debug",) if debug else ()
        self._process: subprocess.Popen[bytes] | None = None
        self.log: Log

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._process:
            self.kill()

    @property
    def runs(self) -> bool:
        """Whether it was started, and neither killed nor stopped."""
        return self._process is not None

    @property
    def settings(self) -> Settings:
        """As the service reads them."""
        return load_settings(self._file)

    def lake(self) -> Lake:
        """The lake, for reading."""
        return Lake(self.settings.sinks.lake.path)

    def start(self) -> None:
        """Start it and wait until it is ready."""
        self.launch()
        until(self._ready, "the service is ready", START_S)

    def launch(self) -> None:
        """Start it and wait for nothing."""
        words = [sys.executable, "-m", "voltrail", "run", "--config", str(self._file), *self._debug]
        self._process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
        )
        assert self._process.stderr is not None
        self.log = Log(self._process.stderr, self.folder / "run.log")  # type: ignore[arg-type]

    def _ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, "\n".join(["voltrail run ended", *self.log.lines[-20:]])
        try:
            return self.get("/readyz")[0] == 200
        except OSError:
            return False

    def get(self, path: str) -> tuple[int, str]:
        """Status and text of one of its pages."""
        status, text = get((HOST, self.port), path)
        return status, text.decode()

    def kill(self) -> Log:
        """SIGKILL for the whole group at once; all that it said."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None
        self.log.rest()
        return self.log

    def stop(self, number: signal.Signals = signal.SIGTERM, *, everybody: bool = False) -> int:
        """This signal to the supervisor or to the whole group, and the exit code once all have ended."""
        assert self._process is not None
        os.killpg(self._process.pid, number) if everybody else self._process.send_signal(number)
        code = self._process.wait(STOP_S)
        self._process = None
        self.log.rest()
        return code

    def quantile(self, histogram: str, share: float) -> float:
        """The upper bound of the bin of this histogram on `/metrics` that this share of all lies at or below."""
        bins = [line for line in self.get("/metrics")[1].splitlines() if line.startswith(f"{histogram}_bucket")]
        counts = [float(line.rpartition(" ")[2]) for line in bins]
        found = next(line for line, count in zip(bins, counts, strict=True) if count >= share * counts[-1])
        return float(found.partition('le="')[2].partition('"')[0])

    def waiting(self, sink: str = "lake") -> int:
        """How many messages wait for this sink, as `/metrics` tells."""
        return int(self.metric(f'voltrail_spool_depth{{sink="{sink}"}}'))

    def metric(self, name: str) -> float:
        """The figure of this name on `/metrics`."""
        for line in self.get("/metrics")[1].splitlines():
            if line.startswith(f"{name} "):
                return float(line.rpartition(" ")[2])
        raise AssertionError(f"/metrics does not tell {name}")

    @property
    def supervisor(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    def children(self) -> dict[str, int]:
        """Process ids by role, of those that run now; `feeder` is the lake's."""
        path = Path(f"/proc/{self.supervisor}/task/{self.supervisor}/children")
        found: dict[str, int] = {}
        for child in path.read_text().split():
            try:
                words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if len(words) > 2 and words[-3].decode() in ROLES:
                role, of = words[-3].decode(), words[-2].decode()
                found[f"feeder {of}" if role == "feeder" and of != "lake" else role] = int(child)
        return found


def free_port() -> int:
    """A port that nobody listens on, and that no outgoing connection is given."""
    for step in range(len(_PORTS)):
        port = _PORTS[(os.getpid() * 7 + step) % len(_PORTS)]
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")


def resident_mib(process: int) -> float:
    """Memory of this process that is its own or mapped, in use now [MiB]."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError(f"process {process} says nothing of its memory")
