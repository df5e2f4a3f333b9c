"""What a table and a column are: names, types, units, and what each means."""

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec
import polars as pl

TIME = pl.Datetime("ms", "UTC")
Type = Literal["bool", "float", "int", "enum", "text", "time", "words", "bytes"]
TYPES: Mapping[str, pl.DataType] = {
    "bool": pl.Boolean(),
    "float": pl.Float64(),
    "int": pl.Int64(),
    "enum": pl.String(),
    "text": pl.String(),
    "time": TIME,
    "words": pl.List(pl.String()),
    "bytes": pl.Binary(),
}


class Column(msgspec.Struct, frozen=True):
    """One column of a table.

    `unit` is empty for what is no number, and `1` for a count or a share. `words` are the words that the column may
    hold, with their meanings; an `enum` holds no other. A `key` column names a row, beside provider, vehicle and time.
    """

    name: str
    type: Type
    unit: str
    meaning: str
    words: Mapping[str, str] = {}
    key: bool = False


class Table(msgspec.Struct, frozen=True):
    """One table: `key` names a row, `columns` are all its columns in their order, as polars types.

    `always` is a column beside the key that no row lacks. `lake_only` tables are in no other store. For people:
    `row` is what one row is, `source` what writes the rows, `described` what each column means.
    """

    name: str
    key: tuple[str, ...]
    columns: Mapping[str, pl.DataType]
    always: str = "received_at"
    lake_only: bool = False
    row: str = ""
    source: str = ""
    described: tuple[Column, ...] = ()

    @property
    def schema(self) -> pl.Schema:
        """The columns as polars types; times are UTC milliseconds."""
        return pl.Schema(self.columns)

    @property
    def raw(self) -> bool:
        """Whether its rows are received messages, and not results of an analysis."""
        return "received_at" in self.columns

    @property
    def values(self) -> tuple[str, ...]:
        """The columns that hold values: neither key nor origin."""
        return tuple(name for name in self.columns if name not in (*self.key, *_ORIGIN_NAMES))


_ORIGIN_NAMES = ("received_at", "via", "clock", "flags", "sequence")


def build_table(
    name: str,
    row: str,
    source: str,
    time: str,
    columns: Iterable[Column],
    *,
    always: str,
    lake_only: bool = False,
) -> Table:
    """Return the table of provider, vehicle, time (what it means here) and these columns, in their order."""
    described = (
        Column("provider", "text", "", "where the row is from: a vendor such as `segway`, or `import`", key=True),
        Column("vehicle", "text", "", "the vehicle, by the number or name that its vendor gives it", key=True),
        Column("time", "time", "", time, key=True),
        *columns,
    )
    key = tuple(column.name for column in described if column.key)
    types = {column.name: TYPES[column.type] for column in described}
    return Table(name, key, types, always, lake_only, row, source, described)
