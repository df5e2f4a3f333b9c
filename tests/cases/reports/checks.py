"""What a table must say: one value of its rows, and between which bounds it lies."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import polars as pl

from tests.cases.reports.story import at

Tables = dict[str, pl.DataFrame]


class Check(msgspec.Struct, frozen=True):
    """`value` of the rows of `table` that have the values of `where` lies between `low` and `high`."""

    says: str
    table: str
    value: Callable[[pl.DataFrame], Any]
    low: Any
    high: Any
    where: dict[str, Any] = {}
    or_none: bool = False

    def result(self, tables: Tables) -> tuple[bool, Any]:
        """Whether it holds, and what there is."""
        rows = tables[self.table]
        for name, wanted in self.where.items():
            rows = rows.filter(pl.col(name) == wanted)
        got = self.value(rows.sort("time"))
        if got is None:
            return self.or_none, got
        return bool(self.low <= got <= self.high), got


def count(table: str, low: int, high: int | None = None, **where: Any) -> Check:
    """So many rows."""
    return _check(f"rows of {table}", table, lambda rows: rows.height, low, low if high is None else high, where)


def total(table: str, column: str, low: float, high: float, **where: Any) -> Check:
    """The sum of a column."""
    return _check(f"sum of {column} in {table}", table, lambda rows: rows[column].fill_null(0).sum(), low, high, where)


def one(table: str, column: str, low: Any, high: Any = None, row: int = 0, **where: Any) -> Check:
    """A column of one row, counted from 0; the last one is -1."""

    def value(rows: pl.DataFrame) -> Any:
        return rows[column][row] if rows.height > (row if row >= 0 else -row - 1) else None

    return _check(f"{column} of {table}[{row}]", table, value, low, low if high is None else high, where)


def near(column: str, when: str, minutes: float, row: int = 0, table: str = "trips", **where: Any) -> Check:
    """A time of one row."""
    span = timedelta(minutes=minutes)
    return one(table, column, at(when) - span, at(when) + span, row, **where)


def since(column: str, first: str, last: str, row: int = 0, table: str = "trips", **where: Any) -> Check:
    """A time of one row lies between two moments: all that anybody can know."""
    return one(table, column, at(first), at(last), row, **where)


def most(table: str, column: str, high: float, **where: Any) -> Check:
    """No value of a column is above this; there may be none."""
    check = _check(f"largest {column} of {table}", table, lambda rows: rows[column].max(), -1e12, high, where)
    return msgspec.structs.replace(check, or_none=True)


def size(table: str, column: str, high: float, **where: Any) -> Check:
    """No value of a column is above this nor below its negative; there may be none."""
    check = _check(f"size of {column} of {table}", table, lambda rows: rows[column].abs().max(), 0, high, where)
    return msgspec.structs.replace(check, or_none=True)


def minutes_of(state: str, low: float, high: float, **where: Any) -> Check:
    """How long a state lasted in all."""

    def value(rows: pl.DataFrame) -> float:
        return float(rows["duration_s"].sum()) / 60

    return _check(f"minutes {state}", "states", value, low, high, {"state": state, **where})


def slower_than(kmh: float) -> Check:
    """No trip has a greater mean speed from start to end."""
    speed = 3.6 * pl.col("distance_m") / pl.col("duration_s").clip(1e-3)

    def value(rows: pl.DataFrame) -> Any:
        return rows.select(speed.max()).item()

    check = _check("greatest mean speed of trips", "trips", value, 0, kmh, {})
    return msgspec.structs.replace(check, or_none=True)


def within(table: str, low: str, true: float, high: str, row: int = 0) -> Check:
    """The truth lies in the interval of one row."""

    def value(rows: pl.DataFrame) -> Any:
        if rows.height <= row or rows[low][row] is None:
            return None
        return max(rows[low][row] - true, true - rows[high][row], 0.0)

    return _check(f"{true} in {low}..{high} of {table}[{row}]", table, value, 0, 0, {})


def days(first: datetime, last: datetime, table: str) -> Check:
    """No row lies before or after these moments."""

    def value(rows: pl.DataFrame) -> int:
        return rows.filter(~pl.col("time").is_between(first, last)).height

    return _check(f"rows of {table} on days that never were", table, value, 0, 0, {})


def _check(
    says: str, table: str, value: Callable[[pl.DataFrame], Any], low: Any, high: Any, where: dict[str, Any]
) -> Check:
    asked = "".join(f", {name} {wanted}" for name, wanted in where.items())
    return Check(f"{says}{asked}: {low} to {high}", table, value, low, high, where)
