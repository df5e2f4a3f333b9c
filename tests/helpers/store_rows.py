"""Two stores side by side, row by row and column by column; the quarantine is the lake's alone."""

import polars as pl

from logger.stores.compare import COMPARED_TABLES
from logger.stores.contract import Store
from logger.tables import TABLES


def unequal(left: Store, right: Store) -> dict[str, pl.DataFrame]:
    """The rows that only one of them holds so, by table; `left` says how many are the left one's."""
    found = {name: _odd(_rows(left, name), _rows(right, name)) for name in COMPARED_TABLES}
    return {name: rows for name, rows in found.items() if rows.height}


def _rows(store: Store, name: str) -> pl.DataFrame:
    return store.scan(name).sort(TABLES[name].key).collect()


def _odd(left: pl.DataFrame, right: pl.DataFrame) -> pl.DataFrame:
    if left.equals(right):
        return left.clear()
    columns = left.columns
    sides = [
        one.join(other, on=columns, how="anti", nulls_equal=True).with_columns(left=pl.lit(value=one is left))
        for one, other in ((left, right), (right, left))
    ]
    odd = pl.concat(sides)
    assert odd.height, "the same rows, and yet not equal"
    return odd
