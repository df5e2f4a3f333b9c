"""Rows as Segway's pushes make them: a few mopeds' stories, each told by many vehicles, one second after the other."""

import itertools
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import polars as pl

from logger.decode.messages import decode
from logger.envelope import Batch
from logger.sources import accounts
from logger.tables import RAW, shaped
from tests.benchmarks.messages import envelopes, settings

ROWS = 1_000_000
_STORIES, _TELLERS, _DAYS = 50, 10, 6
_BATCH = 50_000


class NoMemory:
    """Every message is new: none of this fleet comes twice."""

    def remember(self, identities: Sequence[str], received_at: Sequence[int]) -> list[int]:
        """When each was received."""
        return list(received_at)


def status(folder: Path) -> pl.DataFrame:
    """A million rows, twelve fields and their origin, of 500 vehicles in six days, in the order of arrival."""
    told = stories(folder, _STORIES, _DAYS, ("status",))["status"]
    rows = retold(told, _STORIES, _TELLERS).sort("received_at", maintain_order=True)
    return numbered(rows.head(ROWS), "status")


def stories(folder: Path, vehicles: int, days: int, tables: Sequence[str]) -> Mapping[str, pl.DataFrame]:
    """The rows of these mopeds by table, in the order of arrival, no key twice."""
    known = accounts(settings(folder))
    told = envelopes(vehicles, days)
    parts: dict[str, list[pl.DataFrame]] = {name: [] for name in tables}
    while part := list(itertools.islice(told, _BATCH)):
        found = decode(Batch(list(range(len(part))), part), known, NoMemory()).rows
        for name, frames in parts.items():
            frames.append(found.get(name, pl.DataFrame(schema=RAW[name].schema)))
    return {name: pl.concat(each).unique(RAW[name].key, maintain_order=True) for name, each in parts.items()}


def retold(told: pl.DataFrame, stories: int, tellers: int) -> pl.DataFrame:
    """These stories by so many tellers each: teller after teller, no key twice."""
    return pl.concat(_teller(told, stories, number) for number in range(tellers))


def numbered(rows: pl.DataFrame, table: str) -> pl.DataFrame:
    """These rows with their places in a spool."""
    return shaped(rows.with_columns(sequence=pl.int_range(1, pl.len() + 1)), table)


def _teller(told: pl.DataFrame, stories: int, number: int) -> pl.DataFrame:
    later = timedelta(seconds=number)
    vehicle = (pl.col("vehicle").cast(pl.Int64) + number * stories).cast(pl.String)
    return told.with_columns(vehicle, pl.col("time", "received_at") + later)
