"""CSV and Parquet files as a source: columns mapped to signals, units converted, sliced into envelopes.

A file takes the way of every message, through the spool to each sink: an envelope holds a slice of rows as Parquet
in columns of ours. How to use it: `README.md` beside this module.
"""

import io
import time
import zoneinfo
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import polars as pl

from logger.envelope import Envelope
from logger.errors import ConfigError
from logger.signals import SIGNALS, signal
from logger.sources.files.units import conversion
from logger.suggest import nearest
from logger.tables import TIME, column_type

SLICE_ROWS = 20_000
_NAMES = ("time", "vehicle", "provider", "port")
_SECONDS_BELOW, _MILLISECONDS_BELOW = 1e11, 1e14
_WORDS = {**dict.fromkeys(("true", "1", "yes", "t"), True), **dict.fromkeys(("false", "0", "no", "f"), False)}


class Mapping(msgspec.Struct, frozen=True):
    """One `--map COLUMN=SIGNAL[:UNIT]`, or `A+B=time`: `columns` are joined by a blank."""

    columns: tuple[str, ...]
    to: str
    unit: str = ""


class Options(msgspec.Struct, frozen=True):
    """How to read a file; `zone` is for local times, `time_format` in the words of Python's `strptime`."""

    provider: str = ""
    vehicle: str = ""
    mappings: tuple[Mapping, ...] = ()
    ignore: tuple[str, ...] = ()
    zone: str = ""
    time_format: str = ""


def parse_mapping(text: str) -> Mapping:
    """`COLUMN=SIGNAL[:UNIT]` as a mapping. Raises `ConfigError`."""
    columns, equals, target = text.rpartition("=")
    to, _, unit = target.partition(":")
    if not equals or not columns or not to:
        raise ConfigError(f"--map {text!r} is not COLUMN=SIGNAL or COLUMN=SIGNAL:UNIT")
    if to not in _NAMES and to not in SIGNALS:
        raise ConfigError(f"--map {text!r}: unknown signal {to!r}{nearest(to, (*SIGNALS, *_NAMES))}")
    if unit:
        conversion(to, unit) if to in SIGNALS else _no_unit(text)
    return Mapping(tuple(columns.split("+")) if to == "time" else (columns,), to, unit)


def _no_unit(text: str) -> None:
    raise ConfigError(f"--map {text!r}: only a signal has a unit")


def read_file(path: Path, options: Options) -> pl.DataFrame:
    """The rows of a file in columns of ours: `provider`, `vehicle`, `time` and signals. Raises `ConfigError`."""
    try:
        return _converted(_table(path), options)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def envelopes(rows: pl.DataFrame) -> Iterator[Envelope]:
    """These rows, slice by slice."""
    for part in rows.iter_slices(SLICE_ROWS):
        buffer = io.BytesIO()
        part.write_parquet(buffer, compression="zstd")
        yield Envelope("import", "rows", time.time_ns() // 1_000_000, "import", buffer.getvalue())


def _table(path: Path) -> pl.DataFrame:
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            return pl.read_parquet(path)
        return pl.read_csv(path, infer_schema=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        what = "empty" if isinstance(error, pl.exceptions.NoDataError) else f"not readable as a table: {error}"
        raise ConfigError(f"{what}; wanted is CSV with a header line, or Parquet") from error


def _converted(table: pl.DataFrame, options: Options) -> pl.DataFrame:
    mappings = _mappings(table.columns, options)
    if not any(each.to in SIGNALS for each in mappings):
        raise ConfigError("no column holds a signal: name some with --map COLUMN=SIGNAL")
    return table.select(
        _time(table, mappings, options),
        *_who(table, mappings, options),
        *_port(mappings),
        *(_value(table, each) for each in mappings if each.to in SIGNALS),
    )


def _mappings(columns: Sequence[str], options: Options) -> list[Mapping]:
    for each in options.mappings:
        for column in each.columns:
            _must_be_there(column, columns, "--map")
    for column in options.ignore:
        _must_be_there(column, columns, "--ignore")
    taken = {column for each in options.mappings for column in each.columns} | set(options.ignore)
    targets = [each.to for each in options.mappings]
    own = [name for name in columns if name not in taken and (name in SIGNALS or name in _NAMES)]
    unknown = [name for name in columns if name not in taken and name not in own]
    if unknown:
        hint = nearest(unknown[0], (*SIGNALS, *_NAMES))
        raise ConfigError(
            f"unknown column {unknown[0]!r}{hint}: use --map {unknown[0]}=SIGNAL or --ignore {unknown[0]}"
        )
    twice = next((to for to in (*targets, *own) if [*targets, *own].count(to) > 1), None)
    if twice:
        raise ConfigError(f"two columns for {twice}: leave one out with --ignore")
    return [*options.mappings, *(Mapping((name,), name) for name in own)]


def _must_be_there(column: str, columns: Sequence[str], option: str) -> None:
    if column not in columns:
        raise ConfigError(f"{option}: there is no column {column!r}{nearest(column, tuple(columns))}")


def _who(table: pl.DataFrame, mappings: Sequence[Mapping], options: Options) -> list[pl.Expr]:
    named = {each.to: each.columns[0] for each in mappings}
    if options.vehicle:
        vehicle = pl.lit(options.vehicle)
    elif "vehicle" in named:
        vehicle = pl.col(named["vehicle"]).cast(pl.String).str.strip_chars()
        _refuse_rows(table, vehicle.is_null() | (vehicle == ""), named["vehicle"], "no vehicle")
    else:
        raise ConfigError("no column `vehicle`: name it with --vehicle NAME or --map COLUMN=vehicle")
    provider = pl.lit(options.provider or "import")
    if not options.provider and "provider" in named:
        provider = pl.col(named["provider"]).cast(pl.String).fill_null("import")
    return [vehicle.alias("vehicle"), provider.alias("provider")]


def _port(mappings: Sequence[Mapping]) -> list[pl.Expr]:
    ports = [pl.col(each.columns[0]).cast(pl.String).alias("port") for each in mappings if each.to == "port"]
    packs = any(each.to in SIGNALS and signal(each.to).table == "pack" for each in mappings)
    if packs and not ports:
        raise ConfigError("a pack needs its port: add a column `port`, or --map COLUMN=port")
    return ports


def _time(table: pl.DataFrame, mappings: Sequence[Mapping], options: Options) -> pl.Expr:
    found = next((each for each in mappings if each.to == "time"), None)
    if found is None:
        raise ConfigError("no column `time`: name it with --map COLUMN=time")
    label = "+".join(found.columns)
    dtype = table.schema[found.columns[0]]
    if isinstance(dtype, pl.Datetime):
        column = pl.col(label)
        return (column if dtype.time_zone else _zoned(column, options, label)).cast(TIME).alias("time")
    text = pl.concat_str([pl.col(column).cast(pl.String).str.strip_chars() for column in found.columns], separator=" ")
    parsed = _formatted(text, options, label) if options.time_format else _guessed(table, text, options, label)
    _refuse_rows(table, parsed.is_null(), label, "no time that this can read; see --time-format")
    return parsed.cast(TIME).alias("time")


def _formatted(text: pl.Expr, options: Options, label: str) -> pl.Expr:
    chrono = options.time_format.replace(".%f", "%.f")
    if "%z" in chrono:
        return text.str.to_datetime(chrono, time_unit="ms", strict=False, time_zone="UTC")
    return _zoned(text.str.to_datetime(chrono, time_unit="ms", strict=False), options, label)


def _guessed(table: pl.DataFrame, text: pl.Expr, options: Options, label: str) -> pl.Expr:
    number = text.cast(pl.Float64, strict=False)
    if table.select(number.is_not_null().all()).item():
        size = number.abs()
        ms = pl.when(size < _SECONDS_BELOW).then(number * 1000).when(size < _MILLISECONDS_BELOW).then(number)
        return ms.round().cast(pl.Int64).cast(TIME)
    zoned = text.str.contains(r"(?i)(z|[+-]\d\d:?\d\d)$")
    if table.select(zoned.all()).item():
        iso = text.str.replace(r"(?i)z$", "+00:00").str.replace(" ", "T", literal=True)
        fraction = iso.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%:z", time_unit="ms", strict=False, time_zone="UTC")
        return fraction
    local = text.str.replace(" ", "T", literal=True)
    return _zoned(local.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="ms", strict=False), options, label)


def _zoned(local: pl.Expr, options: Options, label: str) -> pl.Expr:
    if not options.zone:
        raise ConfigError(f"column {label!r} holds local times: say where with --tz ZONE, such as --tz Europe/Berlin")
    try:
        zoneinfo.ZoneInfo(options.zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigError(f"--tz: no zone {options.zone!r}: write one such as Europe/Berlin") from error
    # The hour that a change of clocks repeats is taken as its first pass, the one it skips as missing.
    placed = local.dt.replace_time_zone(options.zone, ambiguous="earliest", non_existent="null")
    return placed.dt.convert_time_zone("UTC")


def _value(table: pl.DataFrame, each: Mapping) -> pl.Expr:
    column, kind = each.columns[0], signal(each.to)
    if kind.type == "bool":
        text = pl.col(column).cast(pl.String).str.strip_chars().str.to_lowercase()
        value = text.replace_strict(_WORDS, default=None, return_dtype=pl.Boolean)
    elif kind.type == "enum":
        text = value = pl.col(column).cast(pl.String).str.strip_chars()
    else:
        text = pl.col(column).cast(pl.String).str.strip_chars()
        scale, offset = conversion(each.to, each.unit) if each.unit else (1.0, 0.0)
        value = text.cast(pl.Float64, strict=False) * scale + offset
        value = value.round().cast(pl.Int64, strict=False) if kind.type == "int" else value
    _refuse_rows(table, text.is_not_null() & (text != "") & value.is_null(), column, f"no value of {each.to}")
    return value.cast(column_type(kind)).alias(each.to)


def _refuse_rows(table: pl.DataFrame, wrong: pl.Expr, column: str, why: str) -> None:
    rows = table.select(wrong.fill_null(False).arg_true()).to_series()
    if len(rows):
        first = column.split("+")[0]
        raise ConfigError(f"column {column!r}, line {rows[0] + 2}: {table[first][rows[0]]!r} is {why}")
