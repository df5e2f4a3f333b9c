"""What a store is: a sink that can also be read."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

import polars as pl


class Store(Protocol):
    """Tables of the contract, written and read. Times are aware; `since` is included, `until` is not."""

    name: str

    def write(self, table: str, rows: pl.DataFrame) -> int:
        """Add rows; ones that this log has delivered before are left out. Returns how many were new. Raises `Retry`."""

    def replace(
        self,
        table: str,
        rows: pl.DataFrame | Iterator[pl.DataFrame],
        vehicles: Sequence[str] | None,
        since: datetime,
        until: datetime,
    ) -> None:
        """Remove what the table holds of these vehicles (None: all) in this span, then write."""

    def scan(
        self,
        table: str,
        since: datetime | None = None,
        until: datetime | None = None,
        vehicles: Sequence[str] | None = None,
    ) -> pl.LazyFrame:
        """One row per key, in the columns of the table, in no particular order."""

    def latest(self, table: str, told: str = "time") -> pl.DataFrame:
        """The newest row of each vehicle, by `time`; of those that tell this number."""

    def count(self, table: str) -> list[tuple[datetime, int]]:
        """How many rows, one per key, each UTC day holds."""
