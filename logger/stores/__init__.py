"""What a store is: a sink that can also be read; and the list of all of them, written out by hand."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Protocol

import polars as pl

from logger.config import Settings
from logger.errors import ConfigError
from logger.signals import nearest
from logger.stores.lake import Lake


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


def lake(settings: Settings, log_id: str = "none") -> Lake:
    """The embedded store of these settings; `log_id` names the spool whose rows it takes."""
    return Lake(settings.sinks.lake.path, log_id)


@contextmanager
def opened(settings: Settings, name: str) -> Iterator[Store]:
    """The store of this name. Raises `ConfigError` where the settings have none."""
    if name not in settings.sinks.names:
        near = nearest(name, ("lake", "influx"))
        raise ConfigError(f"the settings have no store {name!r}{near}; they have: {', '.join(settings.sinks.names)}")
    if settings.sinks.influx is None or name == "lake":
        yield lake(settings)
        return
    from logger.stores.influx import Influx

    with closing(Influx(settings.sinks.influx)) as store:
        yield store
