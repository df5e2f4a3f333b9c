"""The simulated cloud in a process of its own, as the demo sees it: started, asked what it was asked, stopped."""

import sys
import time
from collections import Counter
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Self

import msgspec

from logger.errors import LoggerError
from logger.simulator.cloud import cloud
from logger.simulator.demo.collector import PLATFORM, SECRET
from logger.simulator.demo.sender import get
from logger.sources.segway.api import QUERIES

_QUERY = {cloud.QUERIES[path]: query for query, path in QUERIES.items()}


class Where(msgspec.Struct, frozen=True):
    """What the cloud says of itself: at `began_at` [epoch s] it is `start_at`, and time runs `speed` times as fast."""

    base_url: str
    start_at: int
    began_at: float
    speed: float

    def due_s(self, at: float) -> float:
        """From now until this simulated moment [epoch s]; 0 where it is past."""
        return max(0.0, self.began_at + (at - self.start_at) / self.speed - time.time())


class Vendor:
    """`python -m logger.simulator.cloud.cloud` while the block lasts; the same seed tells the story that others push.

    Its time begins to run after `wait_s`.
    Raises `LoggerError` where it does not come up.
    """

    def __init__(
        self, log: Path, vehicles: int, days: int, seed: int, start_at: int, speed: float, wait_s: float
    ) -> None:
        told = {"vehicles": vehicles, "days": days, "seed": seed, "start": start_at, "speed": speed}
        who = {"wait": wait_s, "client-id": PLATFORM, "client-secret": SECRET}
        words = (f"--{name}={value}" for name, value in (told | who).items())
        self._words = [sys.executable, "-m", "logger.simulator.cloud.cloud", *words]
        self._log = log

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = Popen(self._words, stdout=PIPE, stderr=log)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self.__exit__()
            raise LoggerError(f"the simulated cloud did not come up; see {self._log}")
        self.where = msgspec.json.decode(line, type=Where)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def calls(self) -> Counter[str]:
        """How often each query was asked of it, by the name that the collector has for it."""
        host, _, port = self.where.base_url.removeprefix("http://").partition(":")
        told = msgspec.json.decode(get((host, int(port)), cloud.CALLS)[1])["calls"]
        counts: Counter[str] = Counter()
        for word, _, count in told:
            counts[_QUERY.get(word, word)] += count
        return counts
