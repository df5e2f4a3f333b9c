"""Fold: rows of one key become one row, field by field; the non-null value received last wins, ties by sequence."""

from collections.abc import Sequence

import polars as pl


def folded(rows: pl.LazyFrame, key: Sequence[str]) -> pl.LazyFrame:
    """One row per key. Only keys that repeat are folded; the order of rows is lost, that of columns kept.

    `received_at` and `sequence` of a folded row are those of its last part.
    """
    repeated = pl.struct(key).is_duplicated()
    columns = rows.collect_schema().names()
    merged = (
        rows.filter(repeated)
        .sort("received_at", "sequence", maintain_order=True)
        .group_by(key)
        .agg(pl.exclude(key).drop_nulls().last())
        .select(columns)
    )
    return pl.concat([rows.filter(~repeated), merged])
