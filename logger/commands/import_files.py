"""`voltrail import`: rows of files take the way of every message, through the spool into every sink."""

from collections.abc import Callable, Sequence
from pathlib import Path

from logger.service.feeder import wait_delivered
from logger.settings.schema import Settings
from logger.sources.files.read import Options, envelopes, read_file
from logger.spool.open import open_spool


def import_files(
    paths: Sequence[Path], options: Options, settings: Settings, progress: Callable[[str], None]
) -> dict[str, int]:
    """Read files, put their rows into the spool, wait until the lake holds them; returns rows by file.

    All files are read before the first row is taken. Raises `ConfigError` for a file, `Retry` for a disk or a sink.
    """
    tables = {str(path): read_file(path, options) for path in paths}
    log, last = open_spool(settings), 0
    for path, rows in tables.items():
        for envelope in envelopes(rows):
            last = log.append([envelope])
        progress(f"{path} is in the spool")
    log.close()
    wait_delivered(settings, last, lambda waiting: progress(f"{waiting:,} slices wait for the lake"))
    progress("")
    return {path: rows.height for path, rows in tables.items()}
