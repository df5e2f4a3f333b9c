"""Rows of a day merged one range of vehicles at a time, so that memory stays flat however long the day is."""

from collections.abc import Iterator

import polars as pl

from logger.stores.merge import merge_rows
from logger.tables import TABLES


def merged_slices(rows: pl.LazyFrame, name: str, slice_rows: int) -> Iterator[pl.DataFrame]:
    """Yield one row per key of this table, in the order of the key, from about `slice_rows` rows at a time."""
    for first, last in vehicle_ranges(rows, slice_rows):
        yield merged_range(rows, name, first, last)


def merged_range(rows: pl.LazyFrame, name: str, first: str, last: str) -> pl.DataFrame:
    """Return one row per key of the vehicles from `first` to `last`, both included, in the order of the key."""
    chosen = rows.filter(pl.col("vehicle").is_between(pl.lit(first), pl.lit(last)))
    table = TABLES[name]
    merged = merge_rows(chosen, table.key) if table.raw else chosen
    return merged.sort(table.key).collect()


def vehicle_ranges(rows: pl.LazyFrame, slice_rows: int) -> list[tuple[str, str]]:
    """Return the first and last vehicle of neighbouring ranges that have about `slice_rows` rows each."""
    counts = rows.group_by("vehicle").len().sort("vehicle").collect()
    numbered = counts.with_columns((pl.col("len").cum_sum() // slice_rows).alias("slice"))
    return list(numbered.group_by("slice", maintain_order=True).agg(
        pl.col("vehicle").min().alias("first"), pl.col("vehicle").max().alias("last")
    ).select("first", "last").iter_rows())  # fmt: skip
