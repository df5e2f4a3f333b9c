"""Rows of a vehicle in a lake of its own, written in any order and split."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from logger.commands.certify.inputs import Frames, read_rows
from logger.stores.contract import Store
from logger.stores.lake.lake import Lake
from logger.tables import shaped

BEGIN = datetime(2026, 11, 1, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
Rows = list[dict[str, Any]]


def told(hours: Iterable[float], **values: Any) -> Rows:
    """Rows of `status` at these hours since `BEGIN`, each with a percent of its own."""
    return [
        {
            "provider": "segway", "vehicle": "7", "time": BEGIN + hour * HOUR, "via": "push", "clock": "device",
            "received_at": BEGIN + hour * HOUR + timedelta(seconds=1), "soc_pct": 90.0 - hour, "locked": True, **values,
        }
        for hour in hours
    ]  # fmt: skip


def lake_of(folder: Path, *parts: Rows, table: str = "status") -> Lake:
    """A lake in which each of these parts was written by itself."""
    lake, sequence = Lake(str(folder), "log"), 1
    for rows in parts:
        numbered = [{**row, "sequence": sequence + place} for place, row in enumerate(rows)]
        lake.write(table, shaped(pl.DataFrame(numbered, infer_schema_length=None), table))
        sequence += len(rows)
    return lake


def frames(lake: Store) -> Frames:
    return read_rows(lake, "segway", "7")


def changed(rows: Rows, place: int, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Rows:
    return [change(row) if at == place else row for at, row in enumerate(rows)]
