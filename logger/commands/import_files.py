"""`voltrail import`: the rows of files, stored as every message is, through the spool into every sink."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import polars as pl

from logger.envelope import Envelope
from logger.service.feeder import wait_delivered
from logger.settings.schema import Settings
from logger.sources.files.read import Options, envelopes, read_file
from logger.sources.names import message, row
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
            for envelope in (*envelopes(rows), *_names(rows, settings)):
                last_sequence = spool.append([envelope])
            progress(f"{path} is in the spool")
    wait_delivered(settings, last_sequence, lambda waiting: progress(f"{waiting:,} slices wait for the lake"))
    progress("")
    return {path: rows.height for path, rows in tables.items()}


def _names(rows: pl.DataFrame, settings: Settings) -> Iterator[Envelope]:
    """Yield the message that names the vehicles of a file, without those that an account lists and names itself."""
    listed = {number for source in settings.sources for number in source.listed}
    vehicles = rows.select("provider", "vehicle").unique().sort("provider", "vehicle").iter_rows()
    named = [row(settings, provider, number) for provider, number in vehicles if number not in listed]
    if (envelope := message(named)) is not None:
        yield envelope
