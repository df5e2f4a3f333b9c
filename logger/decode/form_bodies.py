"""Form bodies (`a=1&b=2`) into columns of texts, many at once.

Bodies of one firmware have the same keys in the same order. So the keys of one body are a layout by which all bodies
like it are read in one pass; what fits no layout, or needs decoding (`%`, `+`), is read one by one. The layout is a
short cut and nothing else: `tests/logger/decode/test_form_bodies.py` holds both ways against each other.
"""

import re
from collections.abc import Iterable, Sequence
from urllib.parse import unquote_to_bytes

import polars as pl

_LAYOUTS = 8  # read in one pass each, per batch; the rest, rare, one by one
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_.-]+")
PROBLEM = "_problem"


def read_texts(bodies: Sequence[bytes], names: Sequence[str]) -> pl.DataFrame:
    """One row a body, one String column a name (null where the body lacks it), and `_problem`: why it is unreadable."""
    left = pl.DataFrame({"_row": range(len(bodies)), "_body": bodies}, schema={"_row": pl.UInt32, "_body": pl.Binary})
    text = left.with_columns(_readable(left["_body"]))
    encoded = (
        text["_body"].is_null()
        | text["_body"].str.contains("%", literal=True)
        | text["_body"].str.contains("+", literal=True)
    )
    singles, plain = left.filter(encoded), text.filter(~encoded)
    parts: list[pl.DataFrame] = []
    for _ in range(_LAYOUTS):
        if plain.is_empty():
            break
        read, plain = _by_layout(plain, names)
        parts.append(read)
    rest = pl.concat([singles, plain.with_columns(pl.col("_body").cast(pl.Binary))])
    parts.append(_one_by_one(rest, names))
    return pl.concat(parts).sort("_row").drop("_row")


def _readable(bodies: pl.Series) -> pl.Series:
    """As text, null where it is no UTF-8."""
    try:
        return bodies.cast(pl.String)
    except pl.exceptions.ComputeError:  # one of them is not, and polars does not say which
        return pl.Series(bodies.name, map(_utf8, bodies), dtype=pl.String)


def _utf8(body: bytes) -> str | None:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


def read_fields(body: bytes) -> dict[str, str]:
    """The decoded fields of one body. Raises `ValueError` where it is no UTF-8 form."""
    pairs = [part.partition(b"=") for part in body.split(b"&") if part]
    return {_text(key): _text(value) for key, _, value in pairs}


def _text(raw: bytes) -> str:
    return unquote_to_bytes(raw.replace(b"+", b" ")).decode()


def _by_layout(plain: pl.DataFrame, names: Sequence[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    pairs = [part.partition("=") for part in plain["_body"][0].split("&")]
    keys = [key for key, _, _ in pairs]
    if len(set(keys)) != len(keys) or not all(equals and _PLAIN_KEY.fullmatch(key) for key, equals, _ in pairs):
        return _one_by_one(plain[:1].with_columns(pl.col("_body").cast(pl.Binary)), names), plain[1:]
    split = plain.select("_row", pl.col("_body").str.split_exact("&", len(keys)).struct.unnest())
    place = {key: f"field_{number}" for number, key in enumerate(keys)}
    fits = pl.all_horizontal(
        *(pl.col(column).str.starts_with(f"{key}=") for key, column in place.items()),
        pl.col(f"field_{len(keys)}").is_null(),
    )
    fitting = split.select(fits.fill_null(False)).to_series()
    read = split.filter(fitting).select("_row", *_columns(names, place), pl.lit(None, dtype=pl.String).alias(PROBLEM))
    return read, plain.filter(~fitting)


def _columns(names: Iterable[str], place: dict[str, str]) -> list[pl.Expr]:
    missing = pl.lit(None, dtype=pl.String)
    return [
        (pl.col(place[name]).str.strip_prefix(f"{name}=") if name in place else missing).alias(name) for name in names
    ]


def _one_by_one(bodies: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    rows = [[row, *_single(body, names)] for row, body in bodies.iter_rows()]
    schema = {"_row": pl.UInt32, **dict.fromkeys(names, pl.String), PROBLEM: pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _single(body: bytes, names: Sequence[str]) -> list[str | None]:
    try:
        found = read_fields(body)
    except ValueError as error:
        return [*[None] * len(names), f"not a form in UTF-8: {error}"]
    return [*[found.get(name) for name in names], None]
