"""Fields of a message as expressions: texts → values in our units, plausible or null, and flags where a value was lost.

A bad field costs that field, never the message. Each row that lost a value has a flag: `FLAGS` in `logger/signals.py`
lists them.
"""

from collections.abc import Iterator, Sequence

import polars as pl

from logger.mapping import Band, Field, Rows
from logger.signals import BOOLEAN_WORDS, SIGNALS, of_table
from logger.tables import TIME, shaped, table
from logger.times import epoch_ms, parse_times

FLAG = "flag:"
_TEXT, _UNIT = "text:", "unit-text:"
_ROW = "row:"
_ORIGIN = ("provider", "vehicle", "received_at", "via", "sequence", "time", "clock")
TIME_FLAGS = ("time_missing", "time_behind", "time_ahead")
# A vendor that sends another word than these has changed something: the field is flagged and its meaning not guessed.
_VENDOR_BOOLEANS = {word: BOOLEAN_WORDS[word] for word in ("true", "false", "1", "0")}


def add_device_time(frame: pl.DataFrame, rows: Rows) -> pl.DataFrame:
    """Add the time of each row [epoch ms] as `device_at`, null where there is none, and whose clock it is by.

    A vendor writes a time as a count of seconds or milliseconds, or in ISO 8601 with a zone.
    """
    if not rows.server_time:
        return frame.with_columns(_times(frame, rows.time).alias("device_at"), pl.lit(rows.clock).alias("time_clock"))
    device, server = _times(frame, rows.time), _times(frame, rows.server_time)
    return frame.with_columns(
        pl.coalesce(device, server).alias("device_at"),
        pl.when(device.is_not_null()).then(pl.lit(rows.clock)).otherwise(pl.lit("server")).alias("time_clock"),
    )


def _times(frame: pl.DataFrame, names: str) -> pl.Series:
    """The time under the vendor's names [epoch ms]."""
    if not names:
        return pl.Series([None] * frame.height, dtype=pl.Int64)
    texts = frame.select(_first_text(names.split("|")).alias("text")).to_series()
    counted = pl.DataFrame(texts).select(epoch_ms(pl.col("text").cast(pl.Float64, strict=False))).to_series()
    if counted.null_count() == texts.null_count():
        return counted
    written = parse_times(texts).dt.epoch("ms")
    return pl.select(pl.coalesce(counted, written)).to_series()


# ---- values --------------------------------------------------------------------------------------------------------


def read_values(frame: pl.DataFrame, rows: Rows) -> pl.DataFrame:
    """Return the value of each field, its flags as boolean columns, and the columns of the row's origin.

    Texts, values and flags are computed one after the other, in columns: else polars evaluates shared parts twice.
    """
    texts = frame.select(
        *_ORIGIN,
        *(f"{FLAG}{word}" for word in TIME_FLAGS),
        *(pl.lit(word).alias(name) for name, word in rows.constants.items()),
        *(each for field in rows.fields for each in _texts(field)),
    )
    kinds = {column.name: column.type for column in table(rows.table).described}
    values = texts.with_columns(
        _parse(field, _field_text(field), kinds[field.to]).alias(field.to) for field in rows.fields
    )
    flags = [flag for field in rows.fields for flag in _flags(field)]
    flags += [pl.lit(True).alias(f"{FLAG}{rows.flag}")] if rows.flag else []
    helpers = [f"{prefix}{field.to}" for field in rows.fields for prefix in (_TEXT, _UNIT)]
    return values.with_columns(flags).drop(helpers, strict=False)


def _texts(field: Field) -> Iterator[pl.Expr]:
    """The raw text of this field, null where it stands for unknown; and whether its spellings differ."""
    text = _first_text(field.spellings)
    text = pl.when(~text.is_in(list(field.unknown))).then(text) if field.unknown else text
    yield text.alias(f"{_TEXT}{field.to}")
    if field.unit_at:
        yield _first_text([field.unit_at]).str.to_lowercase().fill_null("").alias(f"{_UNIT}{field.to}")
    if len(field.spellings) > 1:
        first, *others = (_first_text([spelling]) for spelling in field.spellings)
        differ = pl.any_horizontal(first != other for other in others)
        yield differ.fill_null(False).alias(f"{FLAG}differ:{field.to}")


def _flags(field: Field) -> Iterator[pl.Expr]:
    """Boolean columns, one for each flag that this field can raise."""
    if not field.lookup:
        unreadable = _field_text(field).is_not_null() & pl.col(field.to).is_null()
        yield unreadable.alias(f"{FLAG}unreadable:{field.to}")
    for is_read, bands in _bands(field):
        number = _field_text(field).cast(pl.Float64, strict=False)
        outside = ~pl.any_horizontal(_inside(number, band.low, band.high) for band in bands)
        yield (is_read & outside).fill_null(False).alias(f"{FLAG}unit:{field.to}")
    if field.doubtful:
        yield pl.col(field.to).is_not_null().alias(f"{FLAG}unit:{field.to}")


def _bands(field: Field) -> Iterator[tuple[pl.Expr, tuple[Band, ...]]]:
    """The bands of the field, and where they hold: everywhere, or with one of its units; one of these at most."""
    if field.bands:
        yield pl.lit(True), field.bands
    for unit, scale in field.units.items():
        if isinstance(scale, tuple):
            yield pl.col(f"{_UNIT}{field.to}") == unit, scale


def _field_text(field: Field) -> pl.Expr:
    return pl.col(f"{_TEXT}{field.to}")


def _first_text(spellings: Sequence[str]) -> pl.Expr:
    """The text of the first of these spellings that is present and not blank."""
    options = []
    for spelling in spellings:
        names = spelling.split("+")
        raw = pl.col(names[0]) if len(names) == 1 else pl.concat_str(*names, separator="+")
        options.append(raw.str.strip_chars().replace("", None))
    return pl.coalesce(options)


def _parse(field: Field, text: pl.Expr, kind: str) -> pl.Expr:
    """The text as a value of the field's column, null where it is none."""
    if kind == "bool" or field.choices is not None:
        return _choose(field, text, pl.Boolean() if kind == "bool" else pl.String())
    if kind in ("enum", "text"):
        return text
    if kind == "time":
        return epoch_ms(text.cast(pl.Float64, strict=False)).cast(TIME)
    number = _scale(field, text.cast(pl.Float64, strict=False))
    if kind == "int":
        return pl.when(number == number.round()).then(number).cast(pl.Int64, strict=False)
    return number


def _choose(field: Field, text: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    choices = _VENDOR_BOOLEANS if field.choices is None else dict(field.choices)
    if not choices:
        return pl.lit(None, dtype=dtype)
    any_case = all(word == word.lower() for word in choices)
    word = text.str.to_lowercase() if any_case else text
    chosen = word.replace_strict(choices, default=None, return_dtype=dtype)
    if field.otherwise is None:
        return chosen
    return pl.when(text.is_not_null()).then(chosen.fill_null(field.otherwise))


def _scale(field: Field, number: pl.Expr) -> pl.Expr:
    if field.units:
        return _multiply(number, _unit_scale(field, number))
    if not field.bands:
        scaled = number if field.scale == 1 else _multiply(number, field.scale)
        return scaled if field.offset == 0 else (scaled + field.offset).round_sig_figs(12)  # 19684 at -0.05 + 1000
    return _multiply(number, _band_scale(number, field.bands)).fill_null(number)


def _band_scale(number: pl.Expr, bands: Sequence[Band]) -> pl.Expr:
    """The scale of the band that the number is in, null outside of all."""
    return pl.coalesce(pl.when(_inside(number, band.low, band.high)).then(pl.lit(band.scale)) for band in bands)


def _unit_scale(field: Field, number: pl.Expr) -> pl.Expr:
    """The scale of the unit that the message names, null for one that the table lacks."""
    unit = pl.col(f"{_UNIT}{field.to}")
    scales = (
        (word, _band_scale(number, scale).fill_null(1.0) if isinstance(scale, tuple) else pl.lit(float(scale)))
        for word, scale in field.units.items()
    )
    return pl.coalesce(pl.when(unit == word).then(scale) for word, scale in scales)


def _multiply(number: pl.Expr, scale: float | pl.Expr) -> pl.Expr:
    """The product to the 15 digits that a float holds exactly: 406 at 0.01 is 4.06 and not 4.0600000000000005."""
    return (number * scale).round_sig_figs(15)


def _inside(number: pl.Expr, low: float, high: float) -> pl.Expr:
    return (number >= low) & (number < high)


def finish_rows(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return raw values with `flag:…` columns as rows of the table: plausible, flagged, in its columns and types.

    `time` and `received_at` may be epoch milliseconds.
    """
    rows = rows.with_columns(pl.col("time", "received_at").cast(TIME))
    if name == "location":
        rows = _check_position(rows)
    rows = rows.with_columns(
        each for signal in of_table(name) if signal.name in rows.columns for each in _plausible(signal.name)
    )
    return shaped(_join_flags(rows), name)


def _check_position(rows: pl.DataFrame) -> pl.DataFrame:
    """Remove positions at 0, 0 and those without a fix; the row stays for its time."""
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


def _join_flags(rows: pl.DataFrame) -> pl.DataFrame:
    """Replace the boolean flag columns by `flags`, a sorted list, null where none is set; flags that are there stay.

    Lists are made for the few rows that need one: for all rows, they would take a quarter of the time of decoding.
    """
    names = sorted(name for name in rows.columns if name.startswith(FLAG))
    raised = [name for name in names if rows[name].any()]
    flagged, lists = [pl.col(name) for name in raised], [_flag_list(name) for name in raised]
    if "flags" in rows.columns:
        flagged.append(pl.col("flags").list.len() > 0)
        lists.append(pl.col("flags").fill_null([]))
    if not lists:
        return rows.drop(names).with_columns(pl.lit(None, dtype=pl.List(pl.String)).alias("flags"))
    flags = pl.concat_list(lists).list.unique().list.sort().alias("flags")
    numbered = rows.with_row_index(_ROW)
    few = numbered.filter(pl.any_horizontal(flagged)).select(_ROW, flags)
    plain = numbered.drop("flags", *names, strict=False)
    return plain.join(few, on=_ROW, how="left", maintain_order="left").drop(_ROW)


def _flag_list(name: str) -> pl.Expr:
    """The flag of this column in a list, empty where it is not set."""
    return pl.when(name).then(pl.lit([name.removeprefix(FLAG)])).otherwise(pl.lit([], dtype=pl.List(pl.String)))
