"""Rows that an InfluxDB will never take, written to the lake's quarantine with the server's reason."""

import hashlib
import logging

import msgspec
import polars as pl

from logger.stores.lake.lake import Lake
from logger.tables import Table, shaped

log = logging.getLogger(__name__)


class QuarantinedRows:
    """The refused rows of one batch.

    `lake` must be opened with a log id of its own, `Lake(path, log_id)`, because it leaves out sequences that this log
    id has delivered.
    """

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._rows: list[pl.DataFrame] = []

    def add(self, table: Table, row: pl.DataFrame, reason: str) -> None:
        """Add a row that was refused, and log it."""
        (values,) = row.to_dicts()
        vehicle, time = values["vehicle"], values["time"]
        log.warning("InfluxDB refuses a row of %s of %.60s at %s: %s", table.name, vehicle, time, reason)
        body = msgspec.json.encode({name: value for name, value in values.items() if value is not None})
        columns = {
            "source": "influx",
            "path": table.name,
            "message": hashlib.blake2b(body, digest_size=16).hexdigest(),
            "reason": f"InfluxDB refuses this row of {table.name}: {reason}",
            "body": body,
        }
        refused = row.with_columns(pl.lit(value).alias(name) for name, value in columns.items())
        self._rows.append(shaped(refused, "quarantine"))

    def write(self) -> None:
        """Write the rows to the lake in one commit; it leaves out rows that it has already. Raises `Retry`."""
        if self._rows:
            self._lake.write("quarantine", pl.concat(self._rows).sort("sequence"))
        self.forget()

    def forget(self) -> None:
        """Remove all rows: the batch is tried again from its beginning."""
        self._rows.clear()
