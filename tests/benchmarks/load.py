"""The load generator: a process of its own that holds requests ready and sends them on command."""

import itertools
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from subprocess import PIPE, Popen

import msgspec

from logger.simulator.demo.sender import send
from tests.benchmarks.messages import requests


class Job(msgspec.Struct, frozen=True):
    """Send this number of requests to a port, at a steady rate or (0) as fast as answers come."""

    port: int
    count: int
    per_second: float = 0
    connections: int = 64


class JobResult(msgspec.Struct, frozen=True):
    """Answers a second, time from due to answered [ms], and the sender's share of a core."""

    per_second: float
    p50_ms: float
    p99_ms: float
    cpu: float


class LoadProcess:
    """The sending process, as its parent controls it."""

    def __init__(self, process: "Popen[bytes]") -> None:
        self._process = process

    def send(self, job: Job) -> JobResult:
        """Do this job. Raises `EOFError` if the process ended; the reason is on its stderr."""
        jobs, results = self._process.stdin, self._process.stdout
        assert jobs is not None
        assert results is not None
        jobs.write(msgspec.json.encode(job) + b"\n")
        jobs.flush()
        line = results.readline()
        if not line:
            raise EOFError("the sender ended")
        return msgspec.json.decode(line, type=JobResult)


@contextmanager
def load(ready: int) -> Iterator[LoadProcess]:
    """Run a sender that holds `ready` requests; for a larger job it makes the others while it sends."""
    with Popen([sys.executable, "-m", __name__, str(ready)], stdin=PIPE, stdout=PIPE) as process:
        yield LoadProcess(process)  # the end of its input ends it


def _do(job: Job, ready: list[bytes]) -> JobResult:
    more: Iterable[bytes] = itertools.islice(requests(), len(ready), job.count) if job.count > len(ready) else ()
    chosen = itertools.chain(ready[: job.count], more)
    began, cpu = time.perf_counter(), time.process_time()
    answers = list(send(("127.0.0.1", job.port), chosen, job.connections, job.per_second))
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    errors = [answer.status for answer in answers if answer.status != 200]
    if errors or len(answers) != job.count:
        counts = f"{len(answers)} answers to {job.count} requests, {len(errors)} of them not 200"
        raise RuntimeError(f"{counts}: {errors[:3]}")
    times_ms = sorted(answer.seconds * 1000 for answer in answers)
    p50_ms, p99_ms = times_ms[len(times_ms) // 2], times_ms[len(times_ms) * 99 // 100]
    return JobResult(job.count / seconds, p50_ms, p99_ms, cpu / seconds)


def main() -> None:
    """`python -m tests.benchmarks.load READY`: read a job a line, write its result as a line."""
    ready = list(itertools.islice(requests(), int(sys.argv[1])))
    for line in sys.stdin.buffer:
        result = _do(msgspec.json.decode(line, type=Job), ready)
        sys.stdout.buffer.write(msgspec.json.encode(result) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
