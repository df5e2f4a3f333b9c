"""Rows of batteries, packs and events made fit for analyses: their times corrected, in order, one row per moment."""

import polars as pl

from analytics.frames import WHO, ordered
from analytics.observations.clean import timed
from analytics.schemas import BATTERIES, EVENTS, PACKS

_ORIGIN = ("time", "received_at", "sequence", "via", "clock")


def packs(pack: pl.LazyFrame) -> pl.DataFrame:
    """Rows of `pack`, one per key and in any order, as `PACKS` by vehicle, port and time.

    A row that says neither percent, voltage nor cycles is none: the port was empty.
    """
    rows = _cleaned(pack, PACKS, "port")
    full = rows.filter(pl.any_horizontal(pl.col("pack_soc_pct", "pack_voltage_v", "pack_cycles").is_not_null()))
    return full.sort(*WHO, "port", "at", maintain_order=True)


def batteries(battery: pl.LazyFrame) -> pl.DataFrame:
    """Rows of `battery`, one per key and in any order, as `BATTERIES` by vehicle and time."""
    return _cleaned(battery, BATTERIES)


def events(event: pl.LazyFrame) -> pl.DataFrame:
    """Rows of `event`, one per key and in any order, as `EVENTS` by vehicle and time."""
    return _cleaned(event, EVENTS, "kind", "code", "state")


def _cleaned(rows: pl.LazyFrame, schema: pl.Schema, *ties: str) -> pl.DataFrame:
    values = [name for name in schema if name not in (*WHO, *_ORIGIN, "at")]
    told = timed(rows.select(*WHO, *_ORIGIN, *values).collect())
    return ordered(told, "at", *ties, "received_at", "sequence").select(schema.names()).cast(schema)
