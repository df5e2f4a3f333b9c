"""Messages that are decoded again after a change of every row: messages a second, and the peak of memory."""

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
from tests.benchmarks.messages import envelopes, fill_spool, settings

_VEHICLES, _DAYS = 500, 3  # some 1.2 million messages


def figures(folder: Path) -> list[Figure]:
    """Drain a fleet's days in one process, and replay them in another with another scale of the odometer."""
    _run_role("fill", folder)
    count, per_second, peak_mib = map(float, _run_role("replay", folder).split())
    return [
        Figure(f"replayed, of {count:,.0f} messages that all changed", [per_second], "messages/s"),
        Figure("replay's memory at its peak", [peak_mib], "MiB", "less", bar=500),
    ]


def _run_role(role: str, folder: Path) -> str:
    """Run `fill` or `replay` in a process of its own; return its output."""
    command = [sys.executable, "-m", __name__, role, str(folder)]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True, env=dict(os.environ)).stdout


def _fill(folder: Path) -> None:
    from logger.deliver.feeder import Feeder
    from logger.sources import accounts
    from logger.stores import open_lake

    ours = settings(folder)
    spool = open_spool(ours)
    fill_spool(spool, envelopes(_VEHICLES, _DAYS))
    feeder = Feeder(spool, open_lake(ours, spool.log_id), accounts(ours), folder)
    feeder.drain(or_raise=True)
    feeder.close()
    spool.close()


def _replay(folder: Path) -> None:
    from logger.commands.replay import replay

    ours = settings(folder)
    changed = msgspec.structs.replace(ours, models={ours.sources[0].model: Model(odometer_scale=10)})
    began = time.perf_counter()
    result = replay(changed)
    seconds = time.perf_counter() - began
    assert sum(each.days_changed for each in result.tables) >= _DAYS
    print(result.messages, result.messages / seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    {"fill": _fill, "replay": _replay}[sys.argv[1]](Path(sys.argv[2]))
