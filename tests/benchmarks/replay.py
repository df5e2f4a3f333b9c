"""Messages that are decoded again after a change of every row: how many a second, and what that holds in memory."""

import itertools
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from logger.settings.schema import Model
from logger.spool.open import open_spool
from tests.benchmarks.figures import Figure
from tests.benchmarks.messages import envelopes, settings

_VEHICLES, _DAYS = 500, 3  # some 1.2 million messages
_GROUP = 30


def figures(folder: Path) -> list[Figure]:
    """A fleet's days, drained by one process and replayed by another under another scale of the odometer."""
    _in_a_process("fill", folder)
    count, per_second, peak_mib = map(float, _in_a_process("replay", folder).split())
    return [
        Figure(f"replayed, of {count:,.0f} messages that all changed", [per_second], "messages/s"),
        Figure("replay's memory at its peak", [peak_mib], "MiB", "less", bar=500),
    ]


def _in_a_process(role: str, folder: Path) -> str:
    words = [sys.executable, "-m", __name__, role, str(folder)]
    return subprocess.run(words, stdout=subprocess.PIPE, check=True, text=True, env=dict(os.environ)).stdout


def _fill(folder: Path) -> None:
    from logger.deliver.feeder import Feeder
    from logger.sources import accounts
    from logger.stores import open_lake

    ours = settings(folder)
    log_spool = open_spool(ours)
    incoming = envelopes(_VEHICLES, _DAYS)
    while group := list(itertools.islice(incoming, _GROUP)):
        log_spool.append(group)
    feeder = Feeder(log_spool, open_lake(ours, log_spool.log_id), accounts(ours), folder)
    feeder.drain(or_raise=True)
    feeder.close()
    log_spool.close()


def _replay(folder: Path) -> None:
    from logger.commands.replay import replay

    ours = settings(folder)
    changed = msgspec.structs.replace(ours, models={ours.sources[0].model: Model(odometer_scale=10)})
    began = time.perf_counter()
    told = replay(changed)
    seconds = time.perf_counter() - began
    assert sum(each.days_changed for each in told.tables) >= _DAYS
    print(told.messages, told.messages / seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    {"fill": _fill, "replay": _replay}[sys.argv[1]](Path(sys.argv[2]))
