"""Rows as Segway's pushes make them: a few simulated mopeds, each copied to many vehicles, a second apart."""

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
_SIMULATED, _COPIES, _DAYS = 50, 10, 6
_BATCH = 50_000


class NoEarlierReceipts:
    """The first receipts of a fleet whose messages never come twice."""

    def remember(self, identities: Sequence[str], received_at: Sequence[int]) -> list[int]:
        """Return for each message its own receipt."""
        return list(received_at)


def status_rows(folder: Path) -> pl.DataFrame:
    """Return a million rows of twelve fields and their origin, of 500 vehicles in six days, in the order of arrival."""
    simulated = simulated_rows(folder, _SIMULATED, _DAYS, ("status",))["status"]
    rows = copy_to_vehicles(simulated, _SIMULATED, _COPIES).sort("received_at", maintain_order=True)
    return with_sequence(rows.head(ROWS), "status")


def simulated_rows(folder: Path, vehicles: int, days: int, tables: Sequence[str]) -> Mapping[str, pl.DataFrame]:
    """Return the rows of simulated mopeds by table, in the order of arrival, no key twice."""
    known, incoming = accounts(settings(folder)), envelopes(vehicles, days)
    parts: dict[str, list[pl.DataFrame]] = {name: [] for name in tables}
    while part := list(itertools.islice(incoming, _BATCH)):
        rows = decode(Batch(list(range(len(part))), part), known, NoEarlierReceipts()).rows
        for name, frames in parts.items():
            frames.append(rows.get(name, pl.DataFrame(schema=RAW[name].schema)))
    return {name: pl.concat(each).unique(RAW[name].key, maintain_order=True) for name, each in parts.items()}


def copy_to_vehicles(rows: pl.DataFrame, vehicles: int, copies: int) -> pl.DataFrame:
    """Return the rows of these vehicles for `copies` times as many, copy after copy, no key twice."""
    return pl.concat(_copy(rows, vehicles, number) for number in range(copies))


def _copy(rows: pl.DataFrame, vehicles: int, number: int) -> pl.DataFrame:
    vehicle = (pl.col("vehicle").cast(pl.Int64) + number * vehicles).cast(pl.String)
    return rows.with_columns(vehicle, pl.col("time", "received_at") + timedelta(seconds=number))


def with_sequence(rows: pl.DataFrame, table: str) -> pl.DataFrame:
    """Return the rows with their sequence in a spool."""
    return shaped(rows.with_columns(sequence=pl.int_range(1, pl.len() + 1)), table)
