"""From the spool, decoded, into the lake: messages a second on one core."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from logger.spool.open import open_spool
from tests.benchmarks.figures import Figure
from tests.benchmarks.messages import envelopes, fill_spool, settings

DRAIN = "drained, one core"
_RUNS = 5
_VEHICLES, _DAYS = 500, 1  # some 355,000 messages


def figures(folder: Path) -> list[Figure]:
    """Drain the same day of a fleet several times, each time by a new process into a new lake."""
    spool = open_spool(settings(folder / "filled"))
    fill_spool(spool, envelopes(_VEHICLES, _DAYS))
    spool.close()
    return [Figure(DRAIN, [_drain(folder) for _ in range(_RUNS)], "messages/s", bar=60_000, aim=150_000)]


def _drain(folder: Path) -> float:
    """Return the messages a second of a process with one polars thread."""
    shutil.copytree(folder / "filled", folder / "draining")
    command = [sys.executable, "-m", __name__, str(folder / "draining")]
    done = subprocess.run(command, env={**os.environ, "POLARS_MAX_THREADS": "1"}, stdout=subprocess.PIPE, check=True)
    shutil.rmtree(folder / "draining")
    return float(done.stdout)


def _per_second(folder: Path) -> float:
    from logger.deliver.feeder import Feeder
    from logger.sources import accounts
    from logger.stores import open_lake

    ours = settings(folder)
    spool = open_spool(ours)
    feeder = Feeder(spool, open_lake(ours, spool.log_id), accounts(ours), folder)
    count = spool.depth("lake")
    began = time.perf_counter()
    feeder.drain(or_raise=True)
    seconds = time.perf_counter() - began
    assert open_lake(ours).scan("quarantine").collect().is_empty()
    feeder.close()
    spool.close()
    return count / seconds


if __name__ == "__main__":
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    print(_per_second(Path(sys.argv[1])))
