"""The simulated cloud as a process of its own, controlled by the demo."""

import sys
from collections import Counter
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Self

import msgspec

from logger.errors import LoggerError
from logger.simulator.cloud import cloud
from logger.simulator.cloud.serving import CloudInfo
from logger.simulator.demo.collector import PLATFORM, SECRET
from logger.simulator.demo.sender import get
from logger.sources.segway.api import QUERIES

_QUERIES = {cloud.QUERIES[path]: query for query, path in QUERIES.items()}  # last word of the path: collector's name


class CloudProcess:
    """`python -m logger.simulator.cloud.serving` while the block lasts, for the same vehicles as those that push.

    Its time begins to run after `wait_s`. Raises `LoggerError` if it does not start.
    """

    def __init__(
        self, log: Path, vehicles: int, days: int, seed: int, start_at: int, speed: float, wait_s: float
    ) -> None:
        fleet = {"vehicles": vehicles, "days": days, "seed": seed, "start": start_at, "speed": speed, "wait": wait_s}
        options = {**fleet, "client-id": PLATFORM, "client-secret": SECRET}
        arguments = (f"--{name}={value}" for name, value in options.items())
        self._command = [sys.executable, "-m", "logger.simulator.cloud.serving", *arguments]
        self._log = log

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = Popen(self._command, stdout=PIPE, stderr=log)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self.__exit__()
            raise LoggerError(f"the simulated cloud did not start; see {self._log}")
        self.info = msgspec.json.decode(line, type=CloudInfo)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def requests(self) -> Counter[str]:
        """Return how many requests it received for each query, by the collector's name of the query."""
        host, _, port = self.info.base_url.removeprefix("http://").partition(":")
        calls = msgspec.json.decode(get((host, int(port)), cloud.CALLS)[1])["calls"]
        counts: Counter[str] = Counter()
        for word, _, count in calls:
            counts[_QUERIES.get(word, word)] += count
        return counts
