"""The sender: a process of its own that holds ready requests and sends them when told to."""

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
    """Send so many requests to this port, at a steady rate or (0) as fast as answers come."""

    port: int
    count: int
    per_second: float = 0
    connections: int = 64


class Sent(msgspec.Struct, frozen=True):
    """What came of a job: answers a second, time from due to answered [ms], the sender's share of a core."""

    per_second: float
    p50_ms: float
    p99_ms: float
    cpu: float


class Load:
    """The sending process, as its parent sees it."""

    def __init__(self, process: "Popen[bytes]") -> None:
        self._process = process

    def send(self, job: Job) -> Sent:
        """Do this. Raises `EOFError` where the sender gave up; it says why on stderr."""
        jobs, results = self._process.stdin, self._process.stdout
        assert jobs is not None
        assert results is not None
        jobs.write(msgspec.json.encode(job) + b"\n")
        jobs.flush()
        line = results.readline()
        if not line:
            raise EOFError("the sender ended")
        return msgspec.json.decode(line, type=Sent)


@contextmanager
def load(ready: int) -> Iterator[Load]:
    """A sender that holds `ready` requests; a job for more makes the others as it goes."""
    with Popen([sys.executable, "-m", __name__, str(ready)], stdin=PIPE, stdout=PIPE) as process:
        yield Load(process)  # the end of its input ends it


def _sent(job: Job, ready: list[bytes]) -> Sent:
    more: Iterable[bytes] = itertools.islice(requests(), len(ready), job.count) if job.count > len(ready) else ()
    chosen = itertools.chain(ready[: job.count], more)
    began, cpu = time.perf_counter(), time.process_time()
    answers = list(send(("127.0.0.1", job.port), chosen, job.connections, job.per_second))
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    odd = [answer.status for answer in answers if answer.status != 200]
    if odd or len(answers) != job.count:
        raise RuntimeError(f"{len(answers)} answers to {job.count} requests, {len(odd)} of them not 200: {odd[:3]}")
    took = sorted(answer.seconds * 1000 for answer in answers)
    return Sent(job.count / seconds, took[len(took) // 2], took[len(took) * 99 // 100], cpu / seconds)


def main() -> None:
    """`python -m tests.benchmarks.load READY`: a job a line in, what came of it a line out."""
    ready = list(itertools.islice(requests(), int(sys.argv[1])))
    for line in sys.stdin.buffer:
        sent = _sent(msgspec.json.decode(line, type=Job), ready)
        sys.stdout.buffer.write(msgspec.json.encode(sent) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
