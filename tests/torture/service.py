"""A `voltrail run` to be mistreated, in a process group of its own: one SIGKILL ends all of it at the same moment."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from logger.settings.load import load_settings
from logger.settings.schema import Settings
from logger.simulator.demo.collector import PLATFORM, PREFIX, SECRET, SOURCE, free_port
from logger.simulator.demo.sender import get
from logger.stores.lake.lake import Lake
from tests.helpers.waiting import wait_until
from tests.torture.push_client import HOST

PHASES = ("append", "decode", "lake commit", "compaction")
ROLES = ("receiver", "feeder")
START_S, STOP_S = 30.0, 120.0


class Log:
    """The stderr of a process group, line by line, to the end of its pipe."""

    def __init__(self, pipe: BinaryIO, copy: Path) -> None:
        self.lines: list[str] = []
        self._new_line = threading.Condition()
        self._pipe, self._copy = pipe, copy
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with self._copy.open("ab") as copy:
            for line in self._pipe:
                copy.write(line)
                with self._new_line:
                    self.lines.append(line.decode(errors="replace").rstrip())
                    self._new_line.notify_all()

    def wait(self, word: str, seconds: float = 30.0) -> str:
        """Return the next line with this word; fail if none comes within this time."""
        with self._new_line:
            seen, end = len(self.lines), time.monotonic() + seconds
            while True:
                for line in self.lines[seen:]:
                    if word in line:
                        return line
                seen = len(self.lines)
                remaining_s = end - time.monotonic()
                assert self._new_line.wait(remaining_s), f"not within {seconds:.0f} s: a line with {word!r}"

    def read_to_end(self) -> list[str]:
        """Return all lines, once no process has the pipe open any more."""
        self._thread.join(30)
        assert not self._thread.is_alive(), "a process still has the log open"
        self._pipe.close()
        return self.lines

    def in_phase(self, phase: str) -> bool:
        """Return whether this phase had begun and not ended at the last line."""
        for line in reversed(self.lines):
            if f": {phase} begins" in line or f": {phase} ends" in line:
                return " begins" in line
        return False

    def faults(self) -> list[str]:
        """Return the lines that are faults under any mistreatment."""
        return [line for line in self.lines if "Traceback" in line or "failed: " in line or "never retrieved" in line]


class Service:
    """One `voltrail run` in a folder, started and ended as often as wanted; nothing runs after the block's end."""

    def __init__(self, folder: Path, collector: str = "", lake: str = "", source: str = "", debug: bool = True) -> None:
        """`collector`, `lake` and `source` are further lines of those tables of the settings."""
        self.folder = folder
        self.port = free_port()
        self._settings_file = folder / "voltrail.toml"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "secret").write_text(SECRET)
        self._settings_file.write_text(
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

    # ---- start and end ---------------------------------------------------------------------------------------------

    @property
    def runs(self) -> bool:
        """Whether it was started, and neither killed nor stopped."""
        return self._process is not None

    def start(self) -> None:
        """Start it and wait until it is ready."""
        self.launch()
        wait_until(self._is_ready, "the service is ready", START_S)

    def launch(self) -> None:
        """Start it without waiting."""
        command = [sys.executable, "-m", "voltrail", "run", "--config", str(self._settings_file), *self._debug]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
        )
        assert self._process.stderr is not None
        self.log = Log(self._process.stderr, self.folder / "run.log")  # type: ignore[arg-type]

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, "\n".join(["voltrail run ended", *self.log.lines[-20:]])
        try:
            return self.get("/readyz")[0] == 200
        except OSError:
            return False

    def kill(self) -> Log:
        """Send SIGKILL to the whole group at once; return its log."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None
        self.log.read_to_end()
        return self.log

    def stop(self, number: signal.Signals = signal.SIGTERM, *, whole_group: bool = False) -> int:
        """Send this signal to the supervisor or to the whole group; return the exit code once all have ended."""
        assert self._process is not None
        os.killpg(self._process.pid, number) if whole_group else self._process.send_signal(number)
        code = self._process.wait(STOP_S)
        self._process = None
        self.log.read_to_end()
        return code

    # ---- its data and pages ----------------------------------------------------------------------------------------

    @property
    def settings(self) -> Settings:
        """The settings as the service reads them."""
        return load_settings(self._settings_file)

    def lake(self) -> Lake:
        """Return the lake, for reading."""
        return Lake(self.settings.sinks.lake.path)

    def get(self, path: str) -> tuple[int, str]:
        """Return status and text of one of its pages."""
        status, text = get((HOST, self.port), path)
        return status, text.decode()

    def metric(self, name: str) -> float:
        """Return the value of this name on `/metrics`."""
        for line in self.get("/metrics")[1].splitlines():
            if line.startswith(f"{name} "):
                return float(line.rpartition(" ")[2])
        raise AssertionError(f"/metrics has no {name}")

    def quantile(self, histogram: str, share: float) -> float:
        """Return the upper bound of the bin of a histogram on `/metrics` below which this share of all values lies."""
        bins = [line for line in self.get("/metrics")[1].splitlines() if line.startswith(f"{histogram}_bucket")]
        counts = [float(line.rpartition(" ")[2]) for line in bins]
        bin_ = next(line for line, count in zip(bins, counts, strict=True) if count >= share * counts[-1])
        return float(bin_.partition('le="')[2].partition('"')[0])

    def spool_depth(self, sink: str = "lake") -> int:
        """Return how many messages wait for this sink, by `/metrics`."""
        return int(self.metric(f'voltrail_spool_depth{{sink="{sink}"}}'))

    # ---- its processes ---------------------------------------------------------------------------------------------

    @property
    def supervisor(self) -> int:
        """The process id of the supervisor."""
        assert self._process is not None
        return self._process.pid

    def children(self) -> dict[str, int]:
        """Return the process ids of the running children by role; `feeder` is the lake's."""
        path = Path(f"/proc/{self.supervisor}/task/{self.supervisor}/children")
        children: dict[str, int] = {}
        for child in path.read_text().split():
            try:
                words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if len(words) > 2 and words[-3].decode() in ROLES:
                role, sink = words[-3].decode(), words[-2].decode()
                children[f"feeder {sink}" if role == "feeder" and sink != "lake" else role] = int(child)
        return children
