"""Rows of batteries, packs and events made fit for analyses: their times corrected, in order, one row per moment.

`known` is what is known of the vehicles' clocks; None: what the rows themselves tell.
"""

import polars as pl

from analytics.frames import WHO, ordered
from analytics.observations.clocks import ORIGIN, Clocks, clocks, corrected
from analytics.schemas import BATTERIES, EVENTS, PACKS


def packs(pack: pl.LazyFrame, known: Clocks | None = None) -> pl.DataFrame:
    """Rows of `pack`, one per key and in any order, as `PACKS` by vehicle, port and time.

    A row that says neither percent, voltage nor cycles is none: the port was empty.
    """
    rows = _cleaned(pack, "pack", known, PACKS, "port")
    full = rows.filter(pl.any_horizontal(pl.col("pack_soc_pct", "pack_voltage_v", "pack_cycles").is_not_null()))
    return full.sort(*WHO, "port", "at", maintain_order=True)


def batteries(battery: pl.LazyFrame, known: Clocks | None = None) -> pl.DataFrame:
    """Rows of `battery`, one per key and in any order, as `BATTERIES` by vehicle and time."""
    return _cleaned(battery, "battery", known, BATTERIES)


def events(event: pl.LazyFrame, known: Clocks | None = None) -> pl.DataFrame:
    """Rows of `event`, one per key and in any order, as `EVENTS` by vehicle and time."""
    return _cleaned(event, "event", known, EVENTS, "kind", "code", "state")


def _cleaned(rows: pl.LazyFrame, table: str, known: Clocks | None, schema: pl.Schema, *ties: str) -> pl.DataFrame:
    values = [name for name in schema if name not in (*WHO, *ORIGIN, "at")]
    raw = rows.select(*WHO, *ORIGIN, *values).collect()
    told = corrected(raw, table, clocks({table: raw}) if known is None else known).drop_nulls("at")
    return ordered(told, "at", *ties, "received_at", "sequence").select(schema.names()).cast(schema)
