"""Rows of batteries, packs and events made fit for analyses: their times corrected, in order, one row per moment.

`known` is what is known of the vehicles' clocks; None: what the rows themselves tell.
"""

import polars as pl

from analytics.frames import WHO, ordered
from analytics.observations.clocks import ORIGIN, Clocks, clocks, corrected
from analytics.schemas import BATTERIES, EVENTS, PACKS

CARRIED_S = 30.0  # a voltage changes little in so long


def packs(pack: pl.LazyFrame, known: Clocks | None = None) -> pl.DataFrame:
    """Rows of `pack`, one per key and in any order, as `PACKS` by vehicle, port and time.

    A row that says neither percent, voltage nor cycles is none: the port was empty.
    """
    rows = _cleaned(pack, "pack", known, PACKS, "port")
    full = rows.filter(pl.any_horizontal(pl.col("pack_soc_pct", "pack_voltage_v", "pack_cycles").is_not_null()))
    return full.sort(*WHO, "port", "at", maintain_order=True)


def batteries(battery: pl.LazyFrame, known: Clocks | None = None) -> pl.DataFrame:
    """Rows of `battery`, one per key and in any order, as `BATTERIES` by vehicle and time.

    Where `power_w` is null, it is voltage times current: current sets the clock, and a voltage is carried for up to
    30 s, since both may come in rows of their own.
    """
    return _with_power(_cleaned(battery, "battery", known, BATTERIES))


def _with_power(rows: pl.DataFrame) -> pl.DataFrame:
    told_at = pl.when(pl.col("voltage_v").is_not_null()).then("at").forward_fill().over(WHO)
    near = pl.col("at") - told_at <= pl.duration(milliseconds=round(1000 * CARRIED_S))
    voltage = pl.when(near).then(pl.col("voltage_v").forward_fill().over(WHO))
    return rows.with_columns(pl.coalesce("power_w", voltage * pl.col("current_a")).alias("power_w"))


def events(event: pl.LazyFrame, known: Clocks | None = None) -> pl.DataFrame:
    """Rows of `event`, one per key and in any order, as `EVENTS` by vehicle and time."""
    return _cleaned(event, "event", known, EVENTS, "kind", "code", "state")


def _cleaned(rows: pl.LazyFrame, table: str, known: Clocks | None, schema: pl.Schema, *ties: str) -> pl.DataFrame:
    values = [name for name in schema if name not in (*WHO, *ORIGIN, "at")]
    raw = rows.select(*WHO, *ORIGIN, *values).collect()
    told = corrected(raw, table, clocks({table: raw}) if known is None else known).drop_nulls("at")
    return ordered(told, "at", *ties, "received_at", "sequence").select(schema.names()).cast(schema)
