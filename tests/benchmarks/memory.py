"""The memory of the receiver after a million pushes that no feeder takes out of the spool."""

from pathlib import Path

from tests.benchmarks.figures import Figure
from tests.benchmarks.load import Job, load
from tests.benchmarks.servers import receiver
from tests.helpers.process_memory import resident_mib

_PUSHES = 1_000_000
_WARM_UP = 1_000


def figures(folder: Path) -> list[Figure]:
    """Measure the resident memory at the start and at the end."""
    with load(_WARM_UP) as sender, receiver(folder) as server:
        sender.send(Job(server.port, _WARM_UP))
        before = resident_mib(server.process)
        sender.send(Job(server.port, _PUSHES))
        after = resident_mib(server.process)
    return [
        Figure("receiver's memory after 1,000 pushes", [before], "MiB", "less"),
        Figure("receiver's memory after a million, feeder stopped", [after], "MiB", "less", bar=150),
    ]
