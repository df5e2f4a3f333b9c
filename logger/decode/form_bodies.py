"""Read form bodies (`a=1&b=2`) into columns of texts, many at once.

Bodies of one firmware have the same keys in the same order. So the keys of one body are a layout by which all bodies
like it are read in one pass; a body that fits no layout, or needs decoding (`%`, `+`), is read by itself. Both give
the same result: `tests/logger/decode/test_form_bodies.py` compares them.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from logger.envelope import decode_form_text, split_form

_LAYOUTS = 8  # read in one pass each, per batch; the few other bodies one by one
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_.-]+")
PROBLEM = "_problem"


def read_texts(bodies: Sequence[bytes], names: Sequence[str]) -> pl.DataFrame:
    """Return a row per body: a String column per name (null where the body lacks it), and `_problem`.

    `_problem` is why the body is unreadable, null where it is readable.
    """
    raw = pl.DataFrame({"_row": range(len(bodies)), "_body": bodies}, schema={"_row": pl.UInt32, "_body": pl.Binary})
    text = raw.with_columns(_decode_utf8(raw["_body"]))
    body = text["_body"]
    encoded = body.is_null() | body.str.contains("%", literal=True) | body.str.contains("+", literal=True)
    singles, plain = raw.filter(encoded), text.filter(~encoded)
    parts: list[pl.DataFrame] = []
    while not plain.is_empty() and len(parts) < _LAYOUTS:
        part, plain = _by_layout(plain, names)
        parts.append(part)
    rest = pl.concat([singles, plain.with_columns(pl.col("_body").cast(pl.Binary))])
    parts.append(_one_by_one(rest, names))
    return pl.concat(parts).sort("_row").drop("_row")


def read_fields(body: bytes) -> dict[str, str]:
    """Return the decoded fields of one body. Raises `ValueError` where it is no UTF-8 form."""
    return {decode_form_text(name).decode(): decode_form_text(value).decode() for name, value in split_form(body)}


def _decode_utf8(bodies: pl.Series) -> pl.Series:
    """The bodies as texts, null where one is no UTF-8."""
    try:
        return bodies.cast(pl.String)
    except pl.exceptions.ComputeError:  # one of them is not, and the error does not name it
        return pl.Series(bodies.name, map(_decode_one, bodies), dtype=pl.String)


def _decode_one(body: bytes) -> str | None:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


def _by_layout(plain: pl.DataFrame, names: Sequence[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The texts of all bodies with the layout of the first one, and the bodies with another layout."""
    pairs = [part.partition("=") for part in plain["_body"][0].split("&")]
    keys = [key for key, _, _ in pairs]
    if len(set(keys)) != len(keys) or not all(equals and _PLAIN_KEY.fullmatch(key) for key, equals, _ in pairs):
        return _one_by_one(plain[:1].with_columns(pl.col("_body").cast(pl.Binary)), names), plain[1:]
    split = plain.select("_row", pl.col("_body").str.split_exact("&", len(keys)).struct.unnest())
    columns = {key: f"field_{number}" for number, key in enumerate(keys)}
    fits = pl.all_horizontal(
        *(pl.col(column).str.starts_with(f"{key}=") for key, column in columns.items()),
        pl.col(f"field_{len(keys)}").is_null(),
    )
    fitting = split.select(fits.fill_null(False)).to_series()
    no_problem = pl.lit(None, dtype=pl.String).alias(PROBLEM)
    texts = split.filter(fitting).select("_row", *_values(names, columns), no_problem)
    return texts, plain.filter(~fitting)


def _values(names: Iterable[str], columns: Mapping[str, str]) -> list[pl.Expr]:
    """The value of each name, from the column that holds `NAME=VALUE`."""
    missing = pl.lit(None, dtype=pl.String)
    return [
        (pl.col(columns[name]).str.strip_prefix(f"{name}=") if name in columns else missing).alias(name)
        for name in names
    ]


def _one_by_one(bodies: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    rows = [[row, *_read_one(body, names)] for row, body in bodies.iter_rows()]
    schema = {"_row": pl.UInt32, **dict.fromkeys(names, pl.String), PROBLEM: pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _read_one(body: bytes, names: Sequence[str]) -> list[str | None]:
    try:
        fields = read_fields(body)
    except ValueError as error:
        return [*[None] * len(names), f"not a form in UTF-8: {error}"]
    return [*(fields.get(name) for name in names), None]
