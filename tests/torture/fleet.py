"""A `voltrail run` to be mistreated, a fleet that pushes to it, and the oracle: the client's own fsynced log.

The service has a process group of its own, so that one SIGKILL ends all of it at the same moment. Every push has a
number, from which all that it says follows: what the lake holds can be told from what it should hold, row by row.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import msgspec
import polars as pl

from logger import config
from logger.config import Settings
from logger.demo.collector import PLATFORM, PREFIX, SECRET
from logger.demo.pushes import request
from logger.demo.sender import get, send
from logger.spool import Spool
from logger.stores.lake import Lake
from logger.tables import RAW

HOST = "127.0.0.1"
SOURCE = "segway"
PHASES = ("append", "decode", "lake commit", "compaction")
ROLES = ("receiver", "feeder")
START_S, STOP_S = 30.0, 120.0
_PORTS = range(20_000, 32_000)  # below the ports that the kernel hands out: a caller must not take ours meanwhile
_VEHICLES, _DAYS = 19, 4  # no divisor of the kinds: every vehicle says everything
_TABLES = {"status": "status", "location": "location", "alert": "event"}
_KINDS = ("status", "location", "status", "alert", "status")


def until(holds: Callable[[], bool], what: str, seconds: float = 30.0) -> float:
    """Ask again and again until it holds; how long that took [s]. Fails after so many seconds."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, f"not within {seconds:.0f} s: {what}"
        threading.Event().wait(0.01)
    return time.monotonic() - began


# ---- pushes --------------------------------------------------------------------------------------------------------


class Push(msgspec.Struct, frozen=True):
    """What the push of this number says, and which row of which table it must become."""

    number: int
    kind: str
    vehicle: str
    at_s: int

    @property
    def row(self) -> tuple[str, str, int, int]:
        """Table, vehicle, time [epoch ms] and the number that is written into a value."""
        return _TABLES[self.kind], self.vehicle, self.at_s * 1000, self.number

    def fields(self) -> dict[str, str]:
        """As the vendor sends them, unsigned and without its vehicle."""
        if self.kind == "location":
            place = {"latitude": f"{self.number / 1e6:.6f}", "longitude": "5.0", "locationStatus": "valid"}
            return {**place, "gpsUtcTime": str(self.at_s)}
        if self.kind == "alert":
            return {"alertStatus": "0", "code": str(self.number), "statusUtcTime": str(self.at_s)}
        percent = str(self.number % 100)
        return {"odometer": str(self.number), "powerPercent": percent, "statusUtcTime": str(self.at_s)}

    def request(self) -> bytes:
        """Signed, ready for the wire."""
        return request(self.vehicle, self.kind, self.fields())


class Story:
    """Pushes by number, spread over closed days, so that every day of every table fills and is compacted again."""

    def __init__(self, days: int = _DAYS) -> None:
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        self._days = days
        self._first_s = int((today - timedelta(days=days)).timestamp())

    def push(self, number: int) -> Push:
        """No two numbers share vehicle and time."""
        slot, vehicle = divmod(number, _VEHICLES)
        second, day = divmod(slot, self._days)
        kind = _KINDS[number % len(_KINDS)]
        return Push(number, kind, f"{860_000_000_000_000 + vehicle:015d}", self._first_s + day * 86_400 + second)


# ---- the client and its oracle -------------------------------------------------------------------------------------


class Oracle:
    """Numbers of pushes that were answered 200; they count from when they are on disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._new: list[int] = []
        self._flushed_at = 0.0
        self.count = 0

    def add(self, number: int) -> None:
        """Note an answer; small groups go to disk together."""
        self._new.append(number)
        if time.monotonic() - self._flushed_at > 0.02:
            self.flush()

    def flush(self) -> None:
        """Put what is noted on disk."""
        with self._path.open("ab") as file:
            file.write(b"".join(b"%d\n" % number for number in self._new))
            file.flush()
            os.fsync(file.fileno())
        self.count += len(self._new)
        self._new.clear()
        self._flushed_at = time.monotonic()

    def numbers(self) -> list[int]:
        """What the file says."""
        return [int(line) for line in self._path.read_bytes().split()]


class Client:
    """Sends pushes by number and notes the answers; what got no answer may be sent again, as the vendor does."""

    def __init__(self, port: int, oracle: Path, story: Story) -> None:
        self._port, self._story = port, story
        self.oracle = Oracle(oracle)
        self.sent: Counter[int] = Counter()
        self.statuses: Counter[int] = Counter()
        self.unanswered: set[int] = set()
        self._next = 1
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def send(self, count: int, again: Iterable[int] = (), connections: int = 32, per_second: float = 0) -> bool:
        """Send these once more and so many new ones; whether the line held. Statuses are in `statuses`."""
        numbers = self._numbers(count, again)
        order: list[int] = []
        requests = (self._made(number, order) for number in numbers)
        try:
            for answer in send((HOST, self._port), requests, connections, per_second):
                self._note(order[answer.place], answer.status)
        except ConnectionError:
            return False
        finally:
            self.oracle.flush()
        return True

    def begin(self, again: Iterable[int] = (), connections: int = 16, per_second: float = 0) -> None:
        """Send new ones in a thread of its own until `halt`, or until the line breaks."""
        self._stop.clear()
        words = (1 << 40, list(again), connections, per_second)
        self._thread = threading.Thread(target=self.send, args=words, daemon=True)
        self._thread.start()

    def halt(self) -> None:
        """Let the thread send nothing new; it is done once all answers are in."""
        self._stop.set()

    def end(self) -> None:
        """Wait until the thread is done."""
        assert self._thread is not None
        self._thread.join(30)
        assert not self._thread.is_alive(), "the client still waits for an answer"

    def _numbers(self, count: int, again: Iterable[int]) -> Iterator[int]:
        yield from again
        for _ in range(count):
            if self._stop.is_set():
                return
            self._next += 1
            yield self._next - 1

    def _made(self, number: int, order: list[int]) -> bytes:
        order.append(number)
        self.sent[number] += 1
        self.unanswered.add(number)
        return self._story.push(number).request()

    def _note(self, number: int, status: int) -> None:
        self.statuses[status] += 1
        if status == 200:
            self.unanswered.discard(number)
            self.oracle.add(number)


# ---- the service ---------------------------------------------------------------------------------------------------


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

    def __init__(self, folder: Path, collector: str = "", lake: str = "") -> None:
        """`collector` and `lake` are more lines of those tables of the settings."""
        self.folder = folder
        self.port = free_port()
        self._file = folder / "voltrail.toml"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "secret").write_text(SECRET)
        self._file.write_text(
            f'[collector]\nlisten = "{HOST}:{self.port}"\npath_prefix = "{PREFIX}"\n{collector}\n[sinks.lake]\n{lake}\n'
            f'[[sources]]\nkind = "segway"\nname = "{SOURCE}"\nclient_id = "{PLATFORM}"\n'
            'client_secret_file = "secret"\nunknown_vehicles = "accept"\n'
        )
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
        return config.load(self._file)

    def lake(self) -> Lake:
        """The lake, for reading."""
        return Lake(self.settings.sinks.lake.path)

    def start(self) -> None:
        """Start it and wait until it is ready."""
        self.launch()
        until(self._ready, "the service is ready", START_S)

    def launch(self) -> None:
        """Start it and wait for nothing."""
        words = [sys.executable, "-m", "voltrail", "run", "--config", str(self._file), "--debug"]
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

    def waiting(self) -> int:
        """How many messages wait for the lake, as `/metrics` tells."""
        return int(self.metric('voltrail_spool_depth{sink="lake"}'))

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
        """Process ids by role, of those that run now."""
        path = Path(f"/proc/{self.supervisor}/task/{self.supervisor}/children")
        found: dict[str, int] = {}
        for child in path.read_text().split():
            try:
                words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            found |= {role: int(child) for role in ROLES if role.encode() in words}
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


def alive(process: int) -> bool:
    """Whether this process still runs; a zombie does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def resident_mib(process: int) -> float:
    """Memory of this process that is its own or mapped, in use now [MiB]."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError(f"process {process} says nothing of its memory")


# ---- the verdict ---------------------------------------------------------------------------------------------------


class Verdict(msgspec.Struct, frozen=True):
    """The lake held against the oracle, by number of push."""

    answered: int
    stored: int
    lost: list[int]
    doubled: list[int]
    delivered_twice: list[int]
    strange: list[tuple[str, str, int, int]]
    quarantined: int
    received: int
    booked: int
    settled: int

    @property
    def whole(self) -> bool:
        """Every push that was answered 200 is there exactly once with its own values, and nothing else is."""
        odd = self.lost or self.doubled or self.delivered_twice or self.strange or self.quarantined
        return not odd and self.booked == self.settled

    def __str__(self) -> str:
        """For people."""
        return "\n".join(
            f"{name:<26}{number:>10,}"
            for name, number in (
                ("pushes answered 200", self.answered),
                ("rows stored", self.stored),
                ("lost", len(self.lost)),
                ("doubled", len(self.doubled)),
                ("delivered twice", len(self.delivered_twice)),
                ("never sent like that", len(self.strange)),
                ("in the spool", self.settled),
                ("in the books on intake", self.booked),
            )
        )

    def check(self) -> None:
        """Fail with figures and a few cases, not with all of them."""
        if not self.whole:
            odd = [each[:5] for each in (self.lost, self.doubled, self.delivered_twice, self.strange)]
            raise AssertionError(f"not whole:\n{self}\n{odd}")


def verdict(service: Service, client: Client, story: Story) -> Verdict:
    """Read the lake as any reader does, and hold it against what the client knows; the service has ended."""
    lake = service.lake()
    rows = [row for name in _TABLES.values() for row in _rows(lake, name)]
    times = Counter(number for *_, number in rows)
    oracle = client.oracle.numbers()
    return Verdict(
        answered=len(oracle),
        stored=len(rows),
        lost=[number for number in oracle if number not in times],
        doubled=[number for number, count in times.items() if count > 1],
        delivered_twice=[sequence for name in _TABLES.values() for sequence in _sequences_twice(lake, name)],
        strange=[row for row in rows if row[3] not in client.sent or row != story.push(row[3]).row],
        quarantined=lake.scan("quarantine").collect().height,
        received=_received(lake),
        booked=booked(lake),
        settled=settled(service),
    )


def booked(lake: Lake) -> int:
    """How many messages the lake tells of: the books on intake, the quarantine and the collector's own heartbeats."""
    return _received(lake) + sum(lake.scan(name).collect().height for name in ("quarantine", "collector"))


def _received(lake: Lake) -> int:
    return int(lake.scan("intake").collect()["received"].sum())


def settled(service: Service) -> int:
    """How many messages the spool ever took; none of them waits any more."""
    spool = Spool(service.settings.data_dir)
    try:
        assert spool.depth("lake") == 0
        return spool.cursor("lake")
    finally:
        spool.close()


def _rows(lake: Lake, name: str) -> list[tuple[str, str, int, int]]:
    number = {
        "status": pl.col("odometer_m").cast(pl.Int64),
        "location": (pl.col("lat_deg") * 1e6).round().cast(pl.Int64),
        "event": pl.col("code").cast(pl.Int64),
    }[name]
    rows = lake.scan(name).select(pl.lit(name), "vehicle", pl.col("time").dt.epoch("ms"), number.alias("number"))
    return list(rows.collect().iter_rows())


def _sequences_twice(lake: Lake, name: str) -> Sequence[int]:
    """Sequences that lie in more than one row of the files, fold or no fold."""
    uris = [file.uri for file in lake.files(name)]
    if not uris:
        return ()
    sequences = pl.scan_parquet(uris, schema={"sequence": RAW[name].schema["sequence"]}, extra_columns="ignore")
    return sequences.filter(pl.col("sequence").is_duplicated()).unique().collect()["sequence"].to_list()
