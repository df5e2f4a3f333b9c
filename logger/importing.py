"""`voltrail import`: rows of files take the way of every message, through the spool into every sink."""

from collections.abc import Callable, Sequence
from pathlib import Path

from logger.config import Settings
from logger.service import deliver, spool
from logger.sources.files import Options, envelopes, read


def take(
    paths: Sequence[Path], options: Options, settings: Settings, progress: Callable[[str], None]
) -> dict[str, int]:
    """Read files, put their rows into the spool, wait until the lake holds them; returns rows by file.

    All files are read before the first row is taken. Raises `ConfigError` for a file, `Retry` for a disk or a sink.
    """
    tables = {str(path): read(path, options) for path in paths}
    log, last = spool(settings), 0
    for path, rows in tables.items():
        for envelope in envelopes(rows):
            last = log.append([envelope])
        progress(f"{path} is in the spool")
    log.close()
    deliver(settings, last, lambda waiting: progress(f"{waiting:,} slices wait for the lake"))
    progress("")
    return {path: rows.height for path, rows in tables.items()}
