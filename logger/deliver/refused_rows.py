"""Rows that an InfluxDB will never take: set aside in the lake's quarantine, with the server's words."""

import hashlib
import logging

import msgspec
import polars as pl

from logger.stores.lake.lake import Lake
from logger.tables import Table, shaped

log = logging.getLogger(__name__)


class QuarantinedRows:
    """What was refused of one batch. The lake must know this writer by a name of its own: `Lake(path, name)`."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._rows: list[pl.DataFrame] = []

    def take(self, table: Table, row: pl.DataFrame, words: str) -> None:
        """This row of this table was refused with these words."""
        (told,) = row.to_dicts()
        log.warning("InfluxDB refuses a row of %s of %.60s at %s: %s", table.name, told["vehicle"], told["time"], words)
        body = msgspec.json.encode({name: value for name, value in told.items() if value is not None})
        reason = f"InfluxDB refuses this row of {table.name}: {words}"
        message = hashlib.blake2b(body, digest_size=16).hexdigest()
        aside = row.with_columns(
            *(pl.lit(text).alias(name) for name, text in (("source", "influx"), ("path", table.name))),
            *(pl.lit(text).alias(name) for name, text in (("message", message), ("reason", reason))),
            pl.lit(body).alias("body"),
        )
        self._rows.append(shaped(aside, "quarantine"))

    def write(self) -> None:
        """Put them into the lake, all at once: what it was given before, by sequence, it leaves out. Raises `Retry`."""
        if self._rows:
            self._lake.write("quarantine", pl.concat(self._rows).sort("sequence"))
        self.forget()

    def forget(self) -> None:
        """The batch is tried again from its beginning."""
        self._rows.clear()
