"""Rows of a table as InfluxDB line protocol, and how names survive it.

A measurement is a table; `provider`, `vehicle` and the key's additions are tags, all else are fields. A field never
changes its type: numbers are floats, booleans booleans, words strings, times epoch milliseconds as floats, flags one
comma-joined string. Null is no field. Times are milliseconds.

Line protocol cannot carry every text in a tag: none that is empty, none with a line break, none that ends in a
backslash. So in tags an absent word is `none`, and `%`, `\\` and control characters are percent-encoded. A string
field can be empty, but a reader of CSV could not tell that from null: an empty one has a boolean `NAME_is_empty`
beside it.
"""

import re
from urllib.parse import unquote

import polars as pl

from logger.tables import Table

NONE = "none"
EMPTY = "_is_empty"
_AWKWARD = re.compile(r"[%\\\x00-\x1f\x7f]")
_TAG_SPECIAL = re.compile(r"([,= ])")


def tags(table: Table) -> tuple[str, ...]:
    """The columns that are tags."""
    return tuple(name for name in table.key if name != "time")


def fields(table: Table) -> tuple[str, ...]:
    """The columns that are fields."""
    return tuple(name for name in table.columns if name not in table.key)


def encode_lines(table: Table, rows: pl.DataFrame, more: str = "") -> pl.Series:
    """One line each, in the order of the rows; `more` is fields that every line gets, such as `a=true,`.

    A row without any field makes no line: its place in the series is null.
    """
    named = rows.with_columns(_tag(rows[name]) for name in tags(table))
    head = pl.concat_str(pl.lit(table.name), *(pl.format(f",{name}={{}}", name) for name in tags(table)))
    told = [field for name in fields(table) if rows[name].null_count() < rows.height for field in _field(named, name)]
    body = pl.concat_str(told, separator=",", ignore_nulls=True) if told else pl.lit("")
    at = pl.col("time").dt.epoch("ms")
    parts = named.select(head=head, body=body, at=at)  # on its own, or the body would be worked out twice
    line = pl.concat_str("head", pl.lit(f" {more}"), "body", pl.lit(" "), "at")
    return parts.select(line=pl.when(pl.col("body") != "").then(line))["line"]


def escape(name: str) -> str:
    """A name as it stands in a tag, before line protocol's own escapes."""
    return _AWKWARD.sub(lambda found: f"%{ord(found[0]):02X}", name)


def unescape(names: pl.Series) -> pl.Series:
    """Tags as the names that they were."""
    known = names.drop_nulls().unique()
    odd = known.filter(known.str.contains("%", literal=True))
    return names.replace(odd.to_list(), [unquote(name) for name in odd]) if len(odd) else names


def _tag(names: pl.Series) -> pl.Series:
    """Names are few and rows many: each is worked out once."""
    texts = names.cast(pl.String).fill_null(NONE)
    known = texts.unique().to_list()
    made = [_TAG_SPECIAL.sub(r"\\\1", escape(name or NONE)) for name in known]
    return texts.replace_strict(known, made, return_dtype=pl.String).alias(names.name)


def _field(rows: pl.DataFrame, name: str) -> list[pl.Expr]:
    dtype, value = rows.schema[name], pl.col(name)
    if isinstance(dtype, pl.List):
        value, dtype = pl.when(value.list.len() > 0).then(value.list.join(",")), pl.String()
    if dtype == pl.String:
        return _text(rows, name, value)
    if isinstance(dtype, pl.Datetime):
        return [pl.format(f"{name}={{}}", value.dt.epoch("ms"))]
    if dtype == pl.Float64:
        value = pl.when(value.is_finite()).then(value)
    return [pl.format(f"{name}={{}}", value)]


def _text(rows: pl.DataFrame, name: str, value: pl.Expr) -> list[pl.Expr]:
    quoted = value.str.replace_all("\\", "\\\\", literal=True).str.replace_all('"', '\\"', literal=True)
    made = [pl.format(f'{name}="{{}}"', quoted)]
    if rows.select((value == "").any()).item():
        made.append(pl.when(value == "").then(pl.lit(f"{name}{EMPTY}=true")))
    return made
