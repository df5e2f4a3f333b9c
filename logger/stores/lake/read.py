"""Rows of a lake's data files, one per key."""

from collections.abc import Sequence

import polars as pl

from logger.stores.lake.data_files import DataFile, compact_files, days_together, loose_days
from logger.stores.merge import merge_rows
from logger.tables import TABLES, TIME

_MERGED_ROWS = 300_000  # each merge costs time, a large one memory


def read_files(table_name: str, files: Sequence[DataFile]) -> pl.LazyFrame:
    """Return the rows of these files in the columns of the table; a column that a file does not have is null."""
    schema = TABLES[table_name].schema
    if not files:
        return pl.LazyFrame(schema=schema)
    stored = {name: pl.Datetime("us", "UTC") if dtype == TIME else dtype for name, dtype in schema.items()}
    uris = [file.uri for file in files]
    rows = pl.scan_parquet(uris, schema=stored, missing_columns="insert", hive_partitioning=False, glob=False)
    return rows.with_columns(pl.col(name).cast(TIME) for name, dtype in schema.items() if dtype == TIME)


def read_merged(table_name: str, files: Sequence[DataFile], condition: pl.Expr) -> pl.LazyFrame:
    """Return one row per key of the rows in these files that meet the condition.

    Compact days are read as they are, and so are derived rows, which never repeat; rows of other days are merged.
    """
    table = TABLES[table_name]
    if not table.raw:
        return read_files(table_name, files).filter(condition)
    compact = read_files(table_name, compact_files(files)).filter(condition)
    loose = (read_files(table_name, some).filter(condition) for some in days_together(loose_days(files), _MERGED_ROWS))
    return pl.concat([compact, *(merge_rows(rows, table.key) for rows in loose)])
