"""Fold: rows of one key become one row, field by field; the non-null value received last wins, ties by sequence."""

from collections.abc import Sequence

import polars as pl

_REPEATED = "__repeated"  # by its hash, in half the time: a key that only shares one is a group of one row, and stays


def merge_rows(rows: pl.LazyFrame, key: Sequence[str]) -> pl.LazyFrame:
    """One row per key. Only keys that repeat are folded; the order of rows is lost, that of columns kept.

    `received_at` and `sequence` of a folded row are those of its last part.
    """
    columns = rows.collect_schema().names()
    marked = rows.with_columns(pl.struct(key).hash().is_duplicated().alias(_REPEATED))
    merged = (
        marked.filter(_REPEATED)
        .drop(_REPEATED)
        .sort("received_at", "sequence", maintain_order=True)
        .group_by(key)
        .agg(pl.exclude(key).drop_nulls().last())
        .select(columns)
    )
    return pl.concat([marked.filter(~pl.col(_REPEATED)).select(columns), merged])
