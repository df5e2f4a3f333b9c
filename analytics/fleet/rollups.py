"""Rollups: raw rows over five minutes or a day, so that a long range is a few thousand points."""

import polars as pl

from logger.tables import ROLLUPS, Table, table


def rolled(rows: pl.LazyFrame, name: str) -> pl.LazyFrame:
    """Put the rows of a raw table together, stretch by stretch.

    Parameters
    ----------
    rows : LazyFrame of the raw table, one row per key, in any order
    name : the rollup to make, such as `status_5m`

    Returns
    -------
    LazyFrame of that table: per vehicle (and port) and stretch of UTC that holds a row, `samples`, the last known value
    of every signal, and `min_`, `mean_` and `max_` of every float signal.

    Notes
    -----
    A mean is that of the rows, not of time: a vehicle that speaks every 10 s while riding and every 15 min while parked
    has the mean of what it said. A stretch without a row has none; nothing is filled in. Raises `UnknownName`.
    """
    shape, (source, every) = table(name), ROLLUPS[name]
    keys = [column for column in shape.key if column != "time"]
    grouped = (
        rows.sort("time")
        .group_by(*keys, pl.col("time").dt.truncate(every), maintain_order=True)
        .agg(pl.len().cast(pl.Int64).alias("samples"), *_told(shape, table(source)))
    )
    return grouped.select(shape.schema.names())


def _told(shape: Table, source: Table) -> list[pl.Expr]:
    last = [pl.col(name).drop_nulls().last() for name in source.values if name in shape.columns]
    spread = [
        getattr(pl.col(name), word)().alias(f"{word}_{name}")
        for name in source.values
        for word in ("min", "mean", "max")
        if f"{word}_{name}" in shape.columns
    ]
    return [*last, *spread]
