"""A million rows of status as Segway's pushes make them: twelve fields and their origin, 500 vehicles, six days."""

import itertools
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import polars as pl

from logger.decode import decode
from logger.model import Batch
from logger.sources import webhooks
from logger.tables import RAW, shaped
from tests.benchmarks.fleet import envelopes, settings

ROWS = 1_000_000
_STORIES, _TELLERS, _DAYS = 50, 10, 6
_BATCH = 50_000


class NoMemory:
    """Every message is new: none of this fleet comes twice."""

    def first(self, identities: Sequence[str], received_at: Sequence[int]) -> list[int]:
        """When each was received."""
        return list(received_at)


def status(folder: Path) -> pl.DataFrame:
    """The rows in the order of arrival, no key twice; a story has ten tellers, one second after the other."""
    accounts = webhooks(settings(folder))
    told = (each for each in envelopes(_STORIES, _DAYS) if each.path == "status")
    parts = []
    while part := list(itertools.islice(told, _BATCH)):
        batch = Batch(list(range(len(part))), part)
        parts.append(decode(batch, accounts, NoMemory()).rows["status"])
    stories = pl.concat(parts).unique(RAW["status"].key, maintain_order=True)
    rows = pl.concat(_teller(stories, number) for number in range(_TELLERS)).sort("received_at", maintain_order=True)
    return shaped(rows.head(ROWS).with_columns(sequence=pl.int_range(1, ROWS + 1)), "status")


def _teller(stories: pl.DataFrame, number: int) -> pl.DataFrame:
    later = timedelta(seconds=number)
    vehicle = (pl.col("vehicle").cast(pl.Int64) + number * _STORIES).cast(pl.String)
    return stories.with_columns(vehicle, pl.col("time", "received_at") + later)
