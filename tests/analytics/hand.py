"""Frames made by hand: rows of a vehicle by minute, the rest null."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

AT = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday


def at(minute: float) -> datetime:
    """This minute of the story."""
    return AT + timedelta(minutes=minute)


def rows(schema: pl.Schema, *told: Mapping[str, Any]) -> pl.DataFrame:
    """Rows of one vehicle; `minute` becomes `at`."""
    made = [
        {"provider": "segway", "vehicle": "a", "at": at(each["minute"])}
        | {name: value for name, value in each.items() if name != "minute"}
        for each in told
    ]
    return pl.DataFrame(made, schema=schema)
