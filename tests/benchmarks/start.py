"""From the start of `voltrail run` to the first 200 of `/readyz`."""

from pathlib import Path

from logger.simulator.demo.collector import Collector
from tests.benchmarks.figures import Figure

_RUNS = 5


def figures(folder: Path) -> list[Figure]:
    """Start it several times, each time on an empty data folder."""
    return [Figure("start to ready", [_seconds(folder / str(run)) for run in range(_RUNS)], "s", "less", bar=1.5)]


def _seconds(folder: Path) -> float:
    with Collector(folder, []) as collector:
        return collector.ready_after_s
