"""A fleet that pushes, and a client with an fsynced log of the answers, which is the reference for all audits.

Every push has a number, from which its content follows: each row that the lake must have is known.
"""

import os
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from logger.simulator.demo.pushes import request
from logger.simulator.demo.sender import send

HOST = "127.0.0.1"
TABLES = {"status": "status", "location": "location", "alert": "event"}
_VEHICLES, _DAYS = 19, 4  # no divisor of the kinds: every vehicle sends every kind
_KINDS = ("status", "location", "status", "alert", "status")


# ---- pushes --------------------------------------------------------------------------------------------------------


class Push(msgspec.Struct, frozen=True):
    """The content of the push of this number, and the row that it must become."""

    number: int
    kind: str
    vehicle: str
    at_s: int

    @property
    def row(self) -> tuple[str, str, int, int]:
        """Table, vehicle, time [epoch ms] and the number, which is also in a value."""
        return TABLES[self.kind], self.vehicle, self.at_s * 1000, self.number

    def fields(self) -> dict[str, str]:
        """Return the vendor's fields, unsigned and without the vehicle."""
        if self.kind == "location":
            position = {"latitude": f"{self.number / 1e6:.6f}", "longitude": "5.0", "locationStatus": "valid"}
            return {**position, "gpsUtcTime": str(self.at_s)}
        if self.kind == "alert":
            return {"alertStatus": "0", "code": str(self.number), "statusUtcTime": str(self.at_s)}
        percent = str(self.number % 100)
        return {"odometer": str(self.number), "powerPercent": percent, "statusUtcTime": str(self.at_s)}

    def request(self) -> bytes:
        """Return the signed request as bytes to be sent."""
        return request(self.vehicle, self.kind, self.fields())


class PushPlan:
    """Pushes by number, spread over past days, so that every day of every table fills and is compacted again."""

    def __init__(self, days: int = _DAYS) -> None:
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        self._days = days
        self._first_s = int((today - timedelta(days=days)).timestamp())

    def push(self, number: int) -> Push:
        """Return the push of this number; no two numbers share vehicle and time."""
        slot, vehicle = divmod(number, _VEHICLES)
        second, day = divmod(slot, self._days)
        kind = _KINDS[number % len(_KINDS)]
        return Push(number, kind, f"{860_000_000_000_000 + vehicle:015d}", self._first_s + day * 86_400 + second)


# ---- the client and its log ----------------------------------------------------------------------------------------


class AnswerLog:
    """The numbers of pushes that were answered 200; `count` has those that are on disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._new: list[int] = []
        self._flushed_at = 0.0
        self.count = 0

    def add(self, number: int) -> None:
        """Note an answer; small groups are written together."""
        self._new.append(number)
        if time.monotonic() - self._flushed_at > 0.02:
            self.flush()

    def flush(self) -> None:
        """Write the new numbers to disk."""
        with self._path.open("ab") as file:
            file.write(b"".join(b"%d\n" % number for number in self._new))
            file.flush()
            os.fsync(file.fileno())
        self.count += len(self._new)
        self._new.clear()
        self._flushed_at = time.monotonic()

    def numbers(self) -> list[int]:
        """Return the numbers in the file."""
        return [int(line) for line in self._path.read_bytes().split()]


class Client:
    """Sends pushes by number and notes the answers; a push without an answer may be sent again, as the vendor does."""

    def __init__(self, port: int, log: Path, plan: PushPlan) -> None:
        self._port, self._plan = port, plan
        self.answers = AnswerLog(log)
        self.sent: Counter[int] = Counter()
        self.statuses: Counter[int] = Counter()
        self.unanswered: set[int] = set()
        self._next = 1
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def send(self, count: int, again: Iterable[int] = (), connections: int = 32, per_second: float = 0) -> bool:
        """Send these pushes again and this number of new ones; return whether the connections stayed open."""
        order: list[int] = []
        requests = (self._request(number, order) for number in self._numbers(count, again))
        try:
            for answer in send((HOST, self._port), requests, connections, per_second):
                self._note(order[answer.number], answer.status)
        except ConnectionError:
            return False
        finally:
            self.answers.flush()
        return True

    def begin(self, again: Iterable[int] = (), connections: int = 16, per_second: float = 0) -> None:
        """Send new pushes in a thread of its own until `halt`, or until a connection breaks."""
        self._stop.clear()
        arguments = (1 << 40, list(again), connections, per_second)
        self._thread = threading.Thread(target=self.send, args=arguments, daemon=True)
        self._thread.start()

    def halt(self) -> None:
        """Let the thread send no new push; it ends once all answers have come."""
        self._stop.set()

    def join(self) -> None:
        """Wait until the thread has ended."""
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

    def _request(self, number: int, order: list[int]) -> bytes:
        order.append(number)
        self.sent[number] += 1
        self.unanswered.add(number)
        return self._plan.push(number).request()

    def _note(self, number: int, status: int) -> None:
        self.statuses[status] += 1
        if status == 200:
            self.unanswered.discard(number)
            self.answers.add(number)
