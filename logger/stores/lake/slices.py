"""A day's rows folded a slice of whole vehicles at a time, so that memory stays flat however long the day is."""

from collections.abc import Iterator

import polars as pl

from logger.stores.merge import merge_rows
from logger.tables import TABLES


def slices(rows: pl.LazyFrame, name: str, slice_rows: int) -> Iterator[pl.DataFrame]:
    """One row per key, in the order of the key, about so many unmerged rows at a time."""
    for low, high in ranges(rows, slice_rows):
        yield part(rows, name, low, high)


def part(rows: pl.LazyFrame, name: str, low: str, high: str) -> pl.DataFrame:
    """One row per key of the vehicles from `low` to `high`, both included, in the order of the key."""
    chosen = rows.filter(pl.col("vehicle").is_between(pl.lit(low), pl.lit(high)))
    shape = TABLES[name]
    merged = merge_rows(chosen, shape.key) if shape.raw else chosen
    return merged.sort(shape.key).collect()


def ranges(rows: pl.LazyFrame, slice_rows: int) -> list[tuple[str, str]]:
    """First and last vehicle of each slice of about so many rows."""
    counts = rows.group_by("vehicle").len().sort("vehicle").collect()
    numbered = counts.with_columns((pl.col("len").cum_sum() // slice_rows).alias("slice"))
    return list(numbered.group_by("slice", maintain_order=True).agg(
        pl.col("vehicle").min().alias("low"), pl.col("vehicle").max().alias("high")
    ).select("low", "high").iter_rows())  # fmt: skip
