"""How long a vehicle waits for its 200 at 5,000 pushes a second, with all processes of `voltrail run` at work."""

from pathlib import Path

from logger.simulator.demo.collector import Collector
from tests.benchmarks.figures import Figure
from tests.benchmarks.load import Job, load
from tests.benchmarks.servers import receiver

_RUNS = 3
_PER_SECOND = 5_000
_PUSHES = 50_000


def figures(folder: Path) -> list[Figure]:
    """Measure from due to answered; the time that a push waits for a free connection counts."""
    with load(_PUSHES) as sender:
        with receiver(folder / "receiver") as server:
            alone = [sender.send(Job(server.port, _PUSHES, _PER_SECOND)) for _ in range(_RUNS)]
        with Collector(folder / "run", [], 'unknown_vehicles = "accept"\n') as collector:
            whole = [sender.send(Job(collector.address[1], _PUSHES, _PER_SECOND)) for _ in range(_RUNS)]
    at = f"answered at {_PER_SECOND:,} pushes/s"
    return [
        Figure(f"{at}, 99th percentile", [result.p99_ms for result in alone], "ms", "less", bar=20),
        Figure(f"{at}, 99th percentile, feeder at work", [result.p99_ms for result in whole], "ms", "less", bar=20),
        Figure(f"{at}, median, feeder at work", [result.p50_ms for result in whole], "ms", "less"),
    ]
