"""What a table is: its columns and their types, and its key. Raw ones hold what was said, derived ones what follows."""

from collections.abc import Mapping

import msgspec
import polars as pl

from logger import derived_tables
from logger.derived_tables import TIME as TIME
from logger.errors import UnknownName
from logger.signals import Signal, of_table
from logger.suggest import nearest

_TYPES: Mapping[str, pl.DataType] = {
    "bool": pl.Boolean(),
    "float": pl.Float64(),
    "int": pl.Int64(),
    "enum": pl.String(),
}
_HEAD: Mapping[str, pl.DataType] = {"provider": pl.String(), "vehicle": pl.String(), "time": TIME}
_ORIGIN: Mapping[str, pl.DataType] = {
    "received_at": TIME,
    "via": pl.String(),
    "clock": pl.String(),
    "flags": pl.List(pl.String()),
    "sequence": pl.Int64(),
}


class Table(msgspec.Struct, frozen=True):
    """One table: `key` names a row, `columns` are all of them in their order, those of a raw row's origin last.

    `always` is a column beside the key that no row lacks.
    """

    name: str
    key: tuple[str, ...]
    columns: Mapping[str, pl.DataType]
    always: str = "received_at"

    @property
    def schema(self) -> pl.Schema:
        """The columns as polars types; times are UTC milliseconds."""
        return pl.Schema(self.columns)

    @property
    def raw(self) -> bool:
        """Whether its rows are what somebody said, and not what was made of that."""
        return "received_at" in self.columns

    @property
    def values(self) -> tuple[str, ...]:
        """The columns that say something: neither key nor origin."""
        return tuple(name for name in self.columns if name not in (*self.key, *_ORIGIN))


def _table(name: str, extra_key: Mapping[str, pl.DataType], values: Mapping[str, pl.DataType]) -> Table:
    return Table(name, (*_HEAD, *extra_key), {**_HEAD, **extra_key, **values, **_ORIGIN})


def _signals(name: str, extra_key: Mapping[str, pl.DataType]) -> Table:
    return _table(name, extra_key, {each.name: column_type(each) for each in of_table(name)})


def column_type(signal: Signal) -> pl.DataType:
    """The type of this signal's column."""
    return _TYPES[signal.type]


_TEXT, _COUNT, _NUMBER = pl.String(), pl.Int64(), pl.Float64()
RAW: Mapping[str, Table] = {
    table.name: table
    for table in (
        _signals("status", {}),
        _signals("location", {}),
        _signals("battery", {}),
        _signals("body", {}),
        _signals("pack", {"port": _TEXT}),
        _table(
            "event",
            {"kind": _TEXT, "code": _TEXT},
            {"system": _TEXT, "text": _TEXT, "state": _TEXT},
        ),
        _table(
            "journal",
            {},
            {
                "finished_at": TIME,
                "distance_m": _NUMBER,
                "energy_wh": _NUMBER,
                "regen_wh": _NUMBER,
                "start_odometer_m": _NUMBER,
                "finish_odometer_m": _NUMBER,
            },
        ),
        _table(
            "intake",
            {"source": _TEXT},
            {"received": _COUNT, "duplicates": _COUNT, "late": _COUNT, "median_latency_s": _NUMBER},
        ),
        _table("collector", {}, {}),
        _table(
            "quarantine",
            {"message": _TEXT},
            {"source": _TEXT, "path": _TEXT, "reason": _TEXT, "body": pl.Binary()},
        ),
        _table(
            "vehicles",
            {},
            {
                "label": _TEXT,
                "model": _TEXT,
                "group": _TEXT,
                "plate": _TEXT,
                "timezone": _TEXT,
                "in_service": pl.Boolean(),
            },
        ),
    )
}


# Which raw table each rollup is made of, and over how long.
ROLLUPS: Mapping[str, tuple[str, str]] = {
    f"{name}_{every}": (name, every) for name in ("status", "battery", "pack") for every in ("5m", "1d")
}


def _rollup(name: str) -> Table:
    source = RAW[ROLLUPS[name][0]]
    spread = {
        f"{word}_{column}": _NUMBER
        for column in source.values
        if source.columns[column] == _NUMBER
        for word in ("min", "mean", "max")
    }
    key = {column: source.columns[column] for column in source.key}
    values = {column: source.columns[column] for column in source.values}
    return Table(name, source.key, {**key, "samples": _COUNT, **values, **spread}, "samples")


def _derived(name: str) -> Table:
    more, columns, always = derived_tables.DERIVED[name]
    return Table(name, (*_HEAD, *more), {**_HEAD, **more, **columns}, always)


DERIVED: Mapping[str, Table] = {
    **{name: _derived(name) for name in derived_tables.DERIVED},
    **{name: _rollup(name) for name in ROLLUPS},
}
TABLES: Mapping[str, Table] = {**RAW, **DERIVED}


def table(name: str) -> Table:
    """The table of this name. Raises `UnknownName`, which names the nearest known one."""
    if name not in TABLES:
        raise UnknownName(f"unknown table {name!r}{nearest(name, TABLES)}; there are: {', '.join(TABLES)}")
    return TABLES[name]


def shaped(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """These rows with exactly the columns of the table, in their order and types; a missing one is null."""
    schema = table(name).schema
    return rows.select(
        (pl.col(column) if column in rows.columns else pl.lit(None)).cast(dtype).alias(column)
        for column, dtype in schema.items()
    )
