"""The interface of a store: tables that are written, replaced and read by name."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

import polars as pl


class Store(Protocol):
    """A place where the tables of `logger.tables` are kept, one row per key.

    A frame has the columns of its table, in their order and types. Times are time-zone aware; `since` is included and
    `until` is not, None is no bound. `vehicles` are the vehicles whose rows are meant, None is all of them. Each method
    raises `Retry` while the store cannot answer, `LoginNeeded` where only a person can help, and `UnknownName` for a
    table that does not exist.
    """

    name: str

    def write(self, table_name: str, rows: pl.DataFrame) -> int:
        """Add rows and return how many were written; rows of one key are merged field by field.

        Writing rows again is harmless: a store leaves out the ones that it has, or merges them into what it has. Only
        the lake takes rows of a `lake_only` table.
        """

    def replace(
        self,
        table_name: str,
        rows: pl.DataFrame | Iterator[pl.DataFrame],
        vehicles: Sequence[str] | None,
        since: datetime,
        until: datetime,
    ) -> None:
        """Remove the rows of these vehicles between `since` and `until`, then write `rows`."""

    def scan(
        self,
        table_name: str,
        since: datetime | None = None,
        until: datetime | None = None,
        vehicles: Sequence[str] | None = None,
    ) -> pl.LazyFrame:
        """Return the rows of these vehicles between `since` and `until`, one per key, in no particular order."""

    def latest(self, table_name: str, column: str = "time") -> pl.DataFrame:
        """Return the newest row, by `time`, of each vehicle (each key without its time) whose `column` is not null."""

    def count(self, table_name: str) -> list[tuple[datetime, int]]:
        """Return the beginning of each UTC day that has rows, and how many it has, one per key."""
