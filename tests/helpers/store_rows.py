"""The rows in which two stores differ, column by column; the quarantine is left out, because only the lake has it."""

import polars as pl

from logger.stores.compare import COMPARED_TABLES
from logger.stores.contract import Store
from logger.tables import TABLES


def differing_rows(left: Store, right: Store) -> dict[str, pl.DataFrame]:
    """Return by table the rows that one store has and the other has not; column `left` is true for those of `left`."""
    differences = {name: _differing_rows(_rows(left, name), _rows(right, name)) for name in COMPARED_TABLES}
    return {name: rows for name, rows in differences.items() if rows.height}


def _rows(store: Store, name: str) -> pl.DataFrame:
    return store.scan(name).sort(TABLES[name].key).collect()


def _differing_rows(left: pl.DataFrame, right: pl.DataFrame) -> pl.DataFrame:
    if left.equals(right):
        return left.clear()
    only_left, only_right = (
        one.join(other, on=left.columns, how="anti", nulls_equal=True) for one, other in ((left, right), (right, left))
    )
    differing = pl.concat([only_left.with_columns(left=pl.lit(True)), only_right.with_columns(left=pl.lit(False))])
    assert differing.height, "the stores have the same rows, and yet differ"
    return differing
