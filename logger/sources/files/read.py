"""CSV and Parquet files as a source: columns mapped to signals, units converted, sliced into envelopes.

The rows of a file reach the stores as every message does, through the spool: an envelope holds a slice of them as
Parquet in columns named as signals. How to use it: `README.md` beside this module.
"""

import io
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import polars as pl

from logger.envelope import Envelope
from logger.errors import ConfigError
from logger.signals import BOOLEAN_WORDS, SIGNALS, Signal, signal
from logger.sources.files.units import conversion
from logger.suggest import nearest
from logger.tables import TIME, column_type
from logger.times import epoch_ms, is_local, localize, parse_times, zone_info

SLICE_ROWS = 20_000
_KEYS = ("time", "vehicle", "provider", "port")


class ColumnMapping(msgspec.Struct, frozen=True):
    """One `--map COLUMN=SIGNAL[:UNIT]`, or `A+B=time`: `columns` are joined by a blank."""

    columns: tuple[str, ...]
    to: str
    unit: str = ""


class Options(msgspec.Struct, frozen=True):
    """How to read a file; `zone` is that of local times, `time_format` a format of Python's `strptime`."""

    provider: str = ""
    vehicle: str = ""
    mappings: tuple[ColumnMapping, ...] = ()
    ignore: tuple[str, ...] = ()
    zone: str = ""
    time_format: str = ""


def parse_mapping(text: str) -> ColumnMapping:
    """Return `COLUMN=SIGNAL[:UNIT]` as a mapping. Raises `ConfigError`."""
    columns, equals, target = text.rpartition("=")
    to, _, unit = target.partition(":")
    if not equals or not columns or not to:
        raise ConfigError(f"--map {text!r} is not COLUMN=SIGNAL or COLUMN=SIGNAL:UNIT")
    if to not in _KEYS and to not in SIGNALS:
        raise ConfigError(f"--map {text!r}: unknown signal {to!r}{nearest(to, (*SIGNALS, *_KEYS))}")
    if unit and to not in SIGNALS:
        raise ConfigError(f"--map {text!r}: only a signal has a unit")
    if unit:
        conversion(to, unit)
    return ColumnMapping(tuple(columns.split("+")) if to == "time" else (columns,), to, unit)


def read_file(path: Path, options: Options) -> pl.DataFrame:
    """Return the rows of a file in the columns `provider`, `vehicle`, `time` and signals. Raises `ConfigError`."""
    try:
        return _convert(_read_table(path), options)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def envelopes(rows: pl.DataFrame) -> Iterator[Envelope]:
    """Yield these rows, slice by slice, as messages for the spool."""
    for part in rows.iter_slices(SLICE_ROWS):
        buffer = io.BytesIO()
        part.write_parquet(buffer, compression="zstd")
        yield Envelope("import", "rows", time.time_ns() // 1_000_000, "import", buffer.getvalue())


def _read_table(path: Path) -> pl.DataFrame:
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            return pl.read_parquet(path, glob=False)
        return pl.read_csv(path, infer_schema=False, glob=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        empty = isinstance(error, pl.exceptions.NoDataError)
        problem = "empty" if empty else f"not readable as a table: {error}"
        raise ConfigError(f"{problem}; wanted is CSV with a header line, or Parquet") from error


def _convert(table: pl.DataFrame, options: Options) -> pl.DataFrame:
    mappings = _mappings(table.columns, options)
    signals = [each for each in mappings if each.to in SIGNALS]
    if not signals:
        raise ConfigError("no column holds a signal: name some with --map COLUMN=SIGNAL")
    return table.select(
        _time(table, mappings, options),
        _vehicle(table, mappings, options),
        _provider(mappings, options),
        *_port(mappings),
        *(_value(table, each) for each in signals),
    )


# ---- which column is what ------------------------------------------------------------------------------------------


def _mappings(columns: Sequence[str], options: Options) -> list[ColumnMapping]:
    """The mappings of the options and, of the other columns, those named as signals or keys."""
    for each in options.mappings:
        for column in each.columns:
            _check_column(column, columns, "--map")
    for column in options.ignore:
        _check_column(column, columns, "--ignore")
    taken = {column for each in options.mappings for column in each.columns} | set(options.ignore)
    named = [name for name in columns if name not in taken]
    _check_names(named, [*(each.to for each in options.mappings), *named])
    return [*options.mappings, *(ColumnMapping((name,), name) for name in named)]


def _check_column(column: str, columns: Sequence[str], option: str) -> None:
    if column not in columns:
        raise ConfigError(f"{option}: there is no column {column!r}{nearest(column, tuple(columns))}")


def _check_names(named: Sequence[str], targets: Sequence[str]) -> None:
    """Raise `ConfigError` for a column of an unknown name, and for two columns with one target."""
    unknown = next((name for name in named if name not in SIGNALS and name not in _KEYS), None)
    if unknown:
        hint = nearest(unknown, (*SIGNALS, *_KEYS))
        raise ConfigError(f"unknown column {unknown!r}{hint}: use --map {unknown}=SIGNAL or --ignore {unknown}")
    twice = next((target for target in targets if targets.count(target) > 1), None)
    if twice:
        raise ConfigError(f"two columns for {twice}: leave one out with --ignore")


def _column(mappings: Sequence[ColumnMapping], to: str) -> str | None:
    """The column that is mapped to this key."""
    return next((each.columns[0] for each in mappings if each.to == to), None)


def _vehicle(table: pl.DataFrame, mappings: Sequence[ColumnMapping], options: Options) -> pl.Expr:
    if options.vehicle:
        return pl.lit(options.vehicle).alias("vehicle")
    column = _column(mappings, "vehicle")
    if column is None:
        raise ConfigError("no column `vehicle`: name it with --vehicle NAME or --map COLUMN=vehicle")
    vehicle = _text(column)
    _check_rows(table, vehicle.is_null() | (vehicle == ""), column, "no vehicle")
    return vehicle.alias("vehicle")


def _provider(mappings: Sequence[ColumnMapping], options: Options) -> pl.Expr:
    column = _column(mappings, "provider")
    if options.provider or column is None:
        return pl.lit(options.provider or "import").alias("provider")
    return pl.col(column).cast(pl.String).fill_null("import").alias("provider")


def _port(mappings: Sequence[ColumnMapping]) -> list[pl.Expr]:
    column = _column(mappings, "port")
    packs = any(each.to in SIGNALS and signal(each.to).table == "pack" for each in mappings)
    if packs and column is None:
        raise ConfigError("a pack needs its port: add a column `port`, or --map COLUMN=port")
    return [] if column is None else [pl.col(column).cast(pl.String).alias("port")]


# ---- times ---------------------------------------------------------------------------------------------------------


def _time(table: pl.DataFrame, mappings: Sequence[ColumnMapping], options: Options) -> pl.Series:
    columns = next((each.columns for each in mappings if each.to == "time"), None)
    if columns is None:
        raise ConfigError("no column `time`: name it with --map COLUMN=time")
    label = "+".join(columns)
    _check_zone(options.zone)
    if isinstance(table.schema[columns[0]], pl.Datetime):
        return _in_utc(table[columns[0]], options, label).cast(TIME).alias("time")
    texts = table.select(pl.concat_str(map(_text, columns), separator=" ")).to_series()
    times = _parse_format(texts, options, label) if options.time_format else _epoch_or_iso(texts, options, label)
    _check_rows(table, pl.lit(times.is_null()), columns[0], "no time that this can read; see --time-format", label)
    return times.cast(TIME).alias("time")


def _parse_format(texts: pl.Series, options: Options, label: str) -> pl.Series:
    chrono = options.time_format.replace(".%f", "%.f")
    zone = "UTC" if "%z" in chrono else None
    return _in_utc(texts.str.to_datetime(chrono, time_unit="ms", strict=False, time_zone=zone), options, label)


def _epoch_or_iso(texts: pl.Series, options: Options, label: str) -> pl.Series:
    """An epoch where every text is a number, else ISO 8601."""
    numbers = texts.cast(pl.Float64, strict=False)
    if numbers.is_not_null().all():
        return pl.select(epoch_ms(pl.lit(numbers))).to_series().cast(TIME)
    if is_local(texts).any():
        _require_zone(options, label)
    return parse_times(texts, options.zone)


def _in_utc(times: pl.Series, options: Options, label: str) -> pl.Series:
    if isinstance(times.dtype, pl.Datetime) and times.dtype.time_zone:
        return times
    _require_zone(options, label)
    return pl.select(localize(pl.lit(times), options.zone)).to_series()


def _check_zone(zone: str) -> None:
    try:
        zone_info(zone or "UTC")
    except ConfigError as error:
        raise ConfigError(f"--tz: {error}") from error


def _require_zone(options: Options, label: str) -> None:
    if not options.zone:
        raise ConfigError(f"column {label!r} holds local times: say where with --tz ZONE, such as --tz Europe/Berlin")


# ---- values --------------------------------------------------------------------------------------------------------


def _value(table: pl.DataFrame, mapping: ColumnMapping) -> pl.Expr:
    column, target = mapping.columns[0], signal(mapping.to)
    text = _text(column)
    value = _parse(text, target, mapping.unit)
    lost = text.is_not_null() & (text != "") & value.is_null()
    _check_rows(table, lost, column, f"no value of {target.name}")
    return value.cast(column_type(target)).alias(target.name)


def _parse(text: pl.Expr, target: Signal, unit: str) -> pl.Expr:
    """The texts as values of this signal, null where one is none."""
    if target.type == "bool":
        return text.str.to_lowercase().replace_strict(BOOLEAN_WORDS, default=None, return_dtype=pl.Boolean)
    if target.type == "enum":
        return text
    scale, offset = conversion(target.name, unit) if unit else (1.0, 0.0)
    number = text.cast(pl.Float64, strict=False) * scale + offset
    return number.round().cast(pl.Int64, strict=False) if target.type == "int" else number


def _text(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.String).str.strip_chars()


def _check_rows(table: pl.DataFrame, wrong: pl.Expr, column: str, problem: str, label: str = "") -> None:
    """Raise `ConfigError` that names the first row where `wrong` holds."""
    rows = table.select(wrong.fill_null(False).arg_true()).to_series()
    if len(rows):
        raise ConfigError(f"column {label or column!r}, line {rows[0] + 2}: {table[column][rows[0]]!r} is {problem}")
