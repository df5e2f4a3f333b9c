"""`voltrail import`: the rows of files, stored as every message is, through the spool into every sink."""

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from logger.service.feeder import wait_delivered
from logger.settings.schema import Settings
from logger.sources.files.read import Options, envelopes, read_file
from logger.spool.open import open_spool


def import_files(
    paths: Sequence[Path], options: Options, settings: Settings, progress: Callable[[str], None]
) -> dict[str, int]:
    """Read files, put their rows into the spool and wait until the lake holds them; return the row count of each file.

    All files are read before the first row is stored. Raises `ConfigError` for a file, `Retry` for a disk or a sink.
    """
    tables = {str(path): read_file(path, options) for path in paths}
    last_sequence = 0
    with closing(open_spool(settings)) as spool:
        for path, rows in tables.items():
            for envelope in envelopes(rows):
                last_sequence = spool.append([envelope])
            progress(f"{path} is in the spool")
    wait_delivered(settings, last_sequence, lambda waiting: progress(f"{waiting:,} slices wait for the lake"))
    progress("")
    return {path: rows.height for path, rows in tables.items()}
