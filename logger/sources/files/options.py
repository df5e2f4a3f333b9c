"""How a file is to be read: what the options of `voltrail import` say, parsed."""

from collections.abc import Mapping

import msgspec

from logger.errors import ConfigError
from logger.signals import SIGNALS
from logger.sources.files.units import conversion
from logger.suggest import nearest

KEYS = ("time", "vehicle", "provider", "port")
SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "space": " ", "\\t": "\t"}
DECIMALS = {"point": ".", "comma": ",", ".": ".", ",": ","}


class ColumnMapping(msgspec.Struct, frozen=True):
    """One `--map COLUMN=SIGNAL[:UNIT]`, or `A+B=time`: `columns` are joined by a blank.

    `words` are what a text of the file means, lower case, where it is another word than ours; a text that they do not
    have is nothing. Numbers below `least` are in the signal's own unit, as another version of the app writes them.
    """

    columns: tuple[str, ...]
    to: str
    unit: str = ""
    words: Mapping[str, str] = {}
    least: float | None = None


class LongTable(msgspec.Struct, frozen=True):
    """The columns of a long table, whose lines hold one value each: what it is of, the value, and when."""

    entity: str
    state: str
    time: str


class Dialect(msgspec.Struct, frozen=True):
    """How a text file is written; what is empty is found out. `quote` is `none` where quotes are plain text."""

    separator: str = ""
    decimal: str = ""
    encoding: str = ""
    quote: str = ""
    compression: str = ""
    columns: tuple[str, ...] = ()


class Words(msgspec.Struct, frozen=True):
    """Words of a file beside the usual ones: for nothing, for yes and for no."""

    nothing: tuple[str, ...] = ()
    true: tuple[str, ...] = ()
    false: tuple[str, ...] = ()


class Options(msgspec.Struct, frozen=True):
    """How to read a file; `zone` is that of local times, `time_format` a format of Python's `strptime`."""

    provider: str = ""
    vehicle: str = ""
    mappings: tuple[ColumnMapping, ...] = ()
    ignore: tuple[str, ...] = ()
    zone: str = ""
    time_format: str = ""
    form: str = ""
    long: LongTable | None = None
    only_mapped: bool = False
    dialect: Dialect = Dialect()
    words: Words = Words()


def parse_mapping(text: str) -> ColumnMapping:
    """Return `COLUMN=SIGNAL[:UNIT]` as a mapping. Raises `ConfigError`."""
    columns, equals, target = text.rpartition("=")
    to, _, unit = target.partition(":")
    if not equals or not columns or not to:
        raise ConfigError(f"--map {text!r} is not COLUMN=SIGNAL or COLUMN=SIGNAL:UNIT")
    if to not in KEYS and to not in SIGNALS:
        raise ConfigError(f"--map {text!r}: unknown signal {to!r}{nearest(to, (*SIGNALS, *KEYS))}")
    if unit and to not in SIGNALS:
        raise ConfigError(f"--map {text!r}: only a signal has a unit")
    if unit:
        conversion(to, unit)
    return ColumnMapping(tuple(columns.split("+")) if to == "time" else (columns,), to, unit)


def parse_long(text: str) -> LongTable | None:
    """Return `ENTITY,STATE,TIME` as the columns of a long table; None for an empty text. Raises `ConfigError`."""
    names = [each.strip() for each in text.split(",")] if text else []
    if not names:
        return None
    if len(names) != 3 or not all(names):
        raise ConfigError(f"--long {text!r} is not ENTITY,STATE,TIME, such as entity_id,state,last_changed")
    return LongTable(*names)


def parse_dialect(separator: str, decimal: str, encoding: str, quote: str, compression: str, columns: str) -> Dialect:
    """Return how a file is said to be written; what is empty is found out. Raises `ConfigError`."""
    parted = SEPARATORS.get(separator, separator)
    if len(parted) > 1 or not parted.isascii() or parted in ('"', "\n"):
        raise ConfigError(f"--separator {separator!r} is not one character, nor one of: {', '.join(SEPARATORS)}")
    if decimal and decimal not in DECIMALS:
        raise ConfigError(f"--decimal {decimal!r} is neither point nor comma")
    if quote not in ("", "none") and (len(quote) != 1 or not quote.isascii()):
        raise ConfigError(f"--quote {quote!r} is not one character, nor none")
    if compression not in ("", "none", "gzip", "zip"):
        raise ConfigError(f"--compression {compression!r} is none of: none, gzip, zip")
    _check_encoding(encoding)
    names = tuple(each.strip() for each in columns.split(",")) if columns else ()
    return Dialect(parted, DECIMALS.get(decimal, ""), encoding, quote, compression, names)


def _check_encoding(encoding: str) -> None:
    try:
        "".encode(encoding or "utf-8")
    except LookupError as error:
        raise ConfigError(
            f"--encoding: there is no {encoding!r}: utf-8, utf-16, latin-1 and cp1252 are usual"
        ) from error
