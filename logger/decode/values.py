"""Fields of a message as expressions: texts → values in our units, plausible or null, and flags that say so.

A bad field costs that field, never the message. Each row that lost a value has a flag: `FLAGS` in `logger/signals.py`
lists them.
"""

from collections.abc import Iterator, Sequence

import polars as pl

from logger.mapping import Field, Rows
from logger.signals import SIGNALS, of_table
from logger.tables import TIME, shaped

FLAG = "flag:"
_TEXT = "text:"
_PLACE = "place:"
_KEPT = ("provider", "vehicle", "received_at", "via", "sequence", "time", "clock")
TIME_FLAGS = ("time_missing", "time_behind", "time_ahead")
_SECONDS_BELOW, _MILLISECONDS_BELOW = 1e11, 1e14
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}


def device_ms(time: str) -> pl.Expr:
    """The device's clock [epoch ms], by magnitude of seconds or milliseconds; null where there is none."""
    number = _text(time.split("|")).cast(pl.Float64, strict=False)
    milliseconds = pl.when(number < _SECONDS_BELOW).then(number * 1000).when(number < _MILLISECONDS_BELOW).then(number)
    return milliseconds.round().cast(pl.Int64, strict=False).alias("device_at")


# ---- values --------------------------------------------------------------------------------------------------------


def read_values(frame: pl.DataFrame, rows: Rows) -> pl.DataFrame:
    """The value of each field, its flags as boolean columns, and of the other columns those that every row keeps.

    Texts, values and flags one after the other, in columns: what two expressions share is else worked out twice.
    """
    texts = frame.select(
        *_KEPT,
        *(f"{FLAG}{word}" for word in TIME_FLAGS),
        *(pl.lit(word).alias(name) for name, word in rows.constants.items()),
        *(each for field in rows.fields for each in _texts(field)),
    )
    found = texts.with_columns(_typed(field, _found(field)).alias(field.to) for field in rows.fields)
    flags = [flag for field in rows.fields for flag in _flags(field)]
    return found.with_columns(flags).drop(f"{_TEXT}{field.to}" for field in rows.fields)


def _texts(field: Field) -> Iterator[pl.Expr]:
    text = _text(field.spellings)
    text = pl.when(~text.is_in(list(field.unknown))).then(text) if field.unknown else text
    yield text.alias(f"{_TEXT}{field.to}")
    if len(field.spellings) > 1:
        spelled = [_text([spelling]) for spelling in field.spellings]
        differ = pl.any_horizontal(spelled[0] != other for other in spelled[1:])
        yield differ.fill_null(False).alias(f"{FLAG}differ:{field.to}")


def _flags(field: Field) -> Iterator[pl.Expr]:
    if not field.lookup:
        unreadable = _found(field).is_not_null() & pl.col(field.to).is_null()
        yield unreadable.alias(f"{FLAG}unreadable:{field.to}")
    if field.bands:
        number = _found(field).cast(pl.Float64, strict=False)
        unit = ~pl.any_horizontal(_inside(number, band.low, band.high) for band in field.bands)
        yield unit.fill_null(False).alias(f"{FLAG}unit:{field.to}")
    if field.doubtful:
        yield pl.col(field.to).is_not_null().alias(f"{FLAG}unit:{field.to}")


def _found(field: Field) -> pl.Expr:
    return pl.col(f"{_TEXT}{field.to}")


def _text(spellings: Sequence[str]) -> pl.Expr:
    """The text under the first of these names that is there and not blank."""
    options = []
    for spelling in spellings:
        names = spelling.split("+")
        raw = pl.col(names[0]) if len(names) == 1 else pl.concat_str(*names, separator="+")
        options.append(raw.str.strip_chars().replace("", None))
    return pl.coalesce(options)


def _typed(field: Field, text: pl.Expr) -> pl.Expr:
    signal = SIGNALS.get(field.to)
    kind = signal.type if signal else "enum"
    if kind == "bool" or field.choices is not None:
        choices = _BOOLEANS if field.choices is None else dict(field.choices)
        dtype = pl.Boolean if kind == "bool" else pl.String
        low = text.str.to_lowercase() if all(word == word.lower() for word in choices) else text
        return low.replace_strict(choices, default=None, return_dtype=dtype) if choices else pl.lit(None, dtype=dtype)
    if kind == "enum":
        return text
    number = _scaled(field, text.cast(pl.Float64, strict=False))
    if kind == "int":
        return pl.when(number == number.round()).then(number).cast(pl.Int64, strict=False)
    return number


def _scaled(field: Field, number: pl.Expr) -> pl.Expr:
    if not field.bands:
        return number if (field.scale, field.offset) == (1, 0) else _times(number, field.scale) + field.offset
    scales = (pl.when(_inside(number, band.low, band.high)).then(pl.lit(band.scale)) for band in field.bands)
    return _times(number, pl.coalesce(scales)).fill_null(number)


def _times(number: pl.Expr, scale: float | pl.Expr) -> pl.Expr:
    """Times the scale, to the 15 digits that a float is sure of: 406 at 0.01 is 4.06 and not 4.0600000000000005."""
    return (number * scale).round_sig_figs(15)


def _inside(number: pl.Expr, low: float, high: float) -> pl.Expr:
    return (number >= low) & (number < high)


def finish_rows(rows: pl.DataFrame, table: str) -> pl.DataFrame:
    """Rows with raw values and `flag:…` columns → rows of the table: plausible, flagged, in its columns and types.

    `time` and `received_at` may be epoch milliseconds.
    """
    rows = rows.with_columns(pl.col("time", "received_at").cast(TIME))
    if table == "location":
        rows = _position(rows)
    rows = rows.with_columns(
        each for signal in of_table(table) if signal.name in rows.columns for each in _plausible(signal.name)
    )
    return shaped(_flagged(rows), table)


def _position(rows: pl.DataFrame) -> pl.DataFrame:
    """No position at 0, 0 and none without a fix; the row stays for its time."""
    present = [name for name in ("lat_deg", "lon_deg") if name in rows.columns]
    if len(present) < 2:
        return rows
    island = ((pl.col("lat_deg") == 0) & (pl.col("lon_deg") == 0)).fill_null(False)
    had_fix = pl.col("fix_valid") if "fix_valid" in rows.columns else pl.lit(None, dtype=pl.Boolean)
    valid = pl.when(island).then(pl.lit(False)).otherwise(had_fix)
    return rows.with_columns(
        valid.alias("fix_valid"),
        *(pl.when(valid.ne_missing(False)).then(pl.col(name)).alias(name) for name in present),
        island.alias(f"{FLAG}null_island"),
    )


def _plausible(name: str) -> Iterator[pl.Expr]:
    signal = SIGNALS[name]
    value = pl.col(name)
    if signal.type == "enum":
        inside = value.is_in(list(signal.words))
    elif signal.low is None or signal.high is None:
        return
    else:
        inside = value.is_between(signal.low, signal.high)
    yield pl.when(inside).then(value).alias(name)
    yield (~inside).fill_null(False).alias(f"{FLAG}implausible:{name}")


def _flagged(rows: pl.DataFrame) -> pl.DataFrame:
    """The boolean flag columns as one sorted list, null where none is set; rows that bring `flags` keep them.

    Lists are made for the few rows that need one: for all, they would be a quarter of the whole decoding.
    """
    names = sorted(name for name in rows.columns if name.startswith(FLAG))
    raised = [name for name in names if rows[name].any()]
    words = [pl.when(name).then(pl.lit([name.removeprefix(FLAG)])).otherwise(pl.lit([], dtype=pl.List(pl.String)))
             for name in raised]  # fmt: skip
    odd = [pl.col(name) for name in raised]
    if "flags" in rows.columns:
        words.append(pl.col("flags").fill_null([]))
        odd.append(pl.col("flags").list.len() > 0)
    if not words:
        return rows.drop(names).with_columns(pl.lit(None, dtype=pl.List(pl.String)).alias("flags"))
    flags = pl.concat_list(words).list.unique().list.sort().alias("flags")
    numbered = rows.with_row_index(_PLACE)
    few = numbered.filter(pl.any_horizontal(odd)).select(_PLACE, flags)
    plain = numbered.drop("flags", *names, strict=False)
    return plain.join(few, on=_PLACE, how="left", maintain_order="left").drop(_PLACE)
