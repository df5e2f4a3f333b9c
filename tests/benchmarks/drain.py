"""From the spool, decoded, into the lake: messages a second on one core."""

import itertools
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from logger.spool.open import open_spool
from tests.benchmarks.figures import Figure
from tests.benchmarks.messages import envelopes, settings

DRAIN = "drained, one core"
_RUNS = 5
_VEHICLES, _DAYS = 500, 1  # some 355,000 messages
_GROUP = 30  # messages a commit, as many as come in during one under load


def figures(folder: Path) -> list[Figure]:
    """The same day of a fleet, drained several times, each time by a new process on a new lake."""
    _fill(folder / "filled")
    return [Figure(DRAIN, [_drained(folder) for _ in range(_RUNS)], "messages/s", bar=60_000, aim=150_000)]


def _fill(folder: Path) -> None:
    log_spool = open_spool(settings(folder))
    incoming = envelopes(_VEHICLES, _DAYS)
    while group := list(itertools.islice(incoming, _GROUP)):
        log_spool.append(group)
    log_spool.close()


def _drained(folder: Path) -> float:
    shutil.copytree(folder / "filled", folder / "draining")
    words = [sys.executable, "-m", __name__, str(folder / "draining")]
    told = subprocess.run(words, env={**os.environ, "POLARS_MAX_THREADS": "1"}, stdout=subprocess.PIPE, check=True)
    shutil.rmtree(folder / "draining")
    return float(told.stdout)


def _per_second(folder: Path) -> float:
    from logger.deliver.feeder import Feeder
    from logger.sources import accounts
    from logger.stores import open_lake

    ours = settings(folder)
    log_spool = open_spool(ours)
    feeder = Feeder(log_spool, open_lake(ours, log_spool.log_id), accounts(ours), folder)
    count = log_spool.depth("lake")
    began = time.perf_counter()
    feeder.drain(or_raise=True)
    seconds = time.perf_counter() - began
    assert open_lake(ours).scan("quarantine").collect().is_empty()
    feeder.close()
    log_spool.close()
    return count / seconds


if __name__ == "__main__":
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    print(_per_second(Path(sys.argv[1])))
