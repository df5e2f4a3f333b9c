"""Encode rows of a table as InfluxDB line protocol, and escape names so that they can be read back.

A table is a measurement; `provider`, `vehicle` and the other columns of the key are tags, all else are fields. A field
never changes its type: numbers are floats, booleans booleans, texts strings, times epoch milliseconds as floats, flags
one comma-joined string. A null is not written. Times are milliseconds.

A tag in line protocol cannot be empty, contain a line break or end in a backslash. So an absent tag is written as
`none`, and `%`, `\\` and control characters are percent-encoded. A string field can be empty, but CSV answers show an
empty text and null alike: an empty one gets a boolean field `NAME_is_empty` beside it.
"""

import re
from urllib.parse import unquote

import polars as pl

from logger.tables import Table

ABSENT = "none"
EMPTY_SUFFIX = "_is_empty"
_TO_ENCODE = re.compile(r"[%\\\x00-\x1f\x7f]")
_TAG_SPECIAL = re.compile(r"([,= ])")


def tag_columns(table: Table) -> tuple[str, ...]:
    """Return the columns that are tags."""
    return tuple(name for name in table.key if name != "time")


def field_columns(table: Table) -> tuple[str, ...]:
    """Return the columns that are fields."""
    return tuple(name for name in table.columns if name not in table.key)


def encode_lines(table: Table, rows: pl.DataFrame, extra_fields: str = "") -> pl.Series:
    """Return one line per row, in the order of the rows; null where a row has no field.

    `extra_fields` are written into every line, as text that ends in a comma, such as `retracted=false,`.
    """
    encoded = rows.with_columns(_tag_values(rows[name]) for name in tag_columns(table))
    head = pl.concat_str(pl.lit(table.name), *(pl.format(f",{name}={{}}", name) for name in tag_columns(table)))
    present = [name for name in field_columns(table) if rows[name].null_count() < rows.height]
    fields = [field for name in present for field in _fields(encoded, name)]
    body = pl.concat_str(fields, separator=",", ignore_nulls=True) if fields else pl.lit("")
    time = pl.col("time").dt.epoch("ms")
    parts = encoded.select(head=head, body=body, time=time)  # a step of its own, or polars evaluates the body twice
    line = pl.concat_str("head", pl.lit(f" {extra_fields}"), "body", pl.lit(" "), "time")
    return parts.select(line=pl.when(pl.col("body") != "").then(line))["line"]


def escape_tag(name: str) -> str:
    """Return a name percent-encoded where a tag cannot hold it; line protocol's own escapes come after that."""
    return _TO_ENCODE.sub(lambda match: f"%{ord(match[0]):02X}", name)


def unescape_tags(tags: pl.Series) -> pl.Series:
    """Return the names that `escape_tag` encoded."""
    distinct = tags.drop_nulls().unique()
    encoded = distinct.filter(distinct.str.contains("%", literal=True))
    return tags.replace(encoded.to_list(), [unquote(tag) for tag in encoded]) if len(encoded) else tags


def _tag_values(names: pl.Series) -> pl.Series:
    """Return names as tag values. Names are few and rows many: each distinct one is encoded once."""
    texts = names.cast(pl.String).fill_null(ABSENT)
    distinct = texts.unique().to_list()
    values = [_TAG_SPECIAL.sub(r"\\\1", escape_tag(name or ABSENT)) for name in distinct]
    return texts.replace_strict(distinct, values, return_dtype=pl.String).alias(names.name)


def _fields(rows: pl.DataFrame, name: str) -> list[pl.Expr]:
    """Return the expressions that write a column as `NAME=VALUE`, null where there is no value."""
    dtype, value = rows.schema[name], pl.col(name)
    if isinstance(dtype, pl.List):
        value, dtype = pl.when(value.list.len() > 0).then(value.list.join(",")), pl.String()
    if dtype == pl.String:
        return _text_fields(rows, name, value)
    if isinstance(dtype, pl.Datetime):
        return [pl.format(f"{name}={{}}", value.dt.epoch("ms"))]
    if dtype == pl.Float64:
        value = pl.when(value.is_finite()).then(value)
    return [pl.format(f"{name}={{}}", value)]


def _text_fields(rows: pl.DataFrame, name: str, value: pl.Expr) -> list[pl.Expr]:
    quoted = value.str.replace_all("\\", "\\\\", literal=True).str.replace_all('"', '\\"', literal=True)
    fields = [pl.format(f'{name}="{{}}"', quoted)]
    if rows.select((value == "").any()).item():
        fields.append(pl.when(value == "").then(pl.lit(f"{name}{EMPTY_SUFFIX}=true")))
    return fields
