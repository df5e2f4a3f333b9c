"""Every table by name. Raw tables hold what vehicles and clouds reported, derived ones what follows from that.

The columns of raw tables are those of `signals.py` and of the lists below; derived ones are in `derived_tables.py`.
"""

from collections.abc import Iterable, Iterator, Mapping

import polars as pl

from logger import derived_tables
from logger.columns import TIME as TIME
from logger.columns import TYPES, Column, build_table
from logger.columns import Table as Table
from logger.errors import UnknownName
from logger.signals import CLOCKS, EVENT_KINDS, EVENT_STATES, FLAGS, VIA, Signal, of_table
from logger.suggest import nearest

_TRUE_AT = "when this was so, by the clock that `clock` names"
_ORIGIN = (
    Column("received_at", "time", "", "when voltrail received it, by our own clock"),
    Column("via", "enum", "", "how it came", words=VIA),
    Column("clock", "enum", "", "which clock `time` is from", words=CLOCKS),
    Column("flags", "words", "", "what is wrong with the row, sorted; empty where nothing is", words=FLAGS),
    Column("sequence", "int", "1", "the message's place in the spool: of two rows of one key the later one counts"),
)


def column_type(signal: Signal) -> pl.DataType:
    """Return the polars type of this signal's column."""
    return TYPES[signal.type]


def _raw(
    name: str, row: str, source: str, columns: Iterable[Column], time: str = _TRUE_AT, *, lake_only: bool = False
) -> Table:
    every = (*columns, *_ORIGIN)
    return build_table(name, row, source, time, every, always="received_at", lake_only=lake_only)


def _of_signals(name: str, row: str, *key: Column) -> Table:
    source = "the decoder, from messages of vehicles and imported files"
    return _raw(name, row, source, (*key, *map(_of_signal, of_table(name))))


def _of_signal(signal: Signal) -> Column:
    words = dict.fromkeys(signal.words, "")
    meaning = "" if words else signal.meaning
    return Column(signal.name, signal.type, signal.unit, meaning, words)


_PORT = Column("port", "text", "", "the battery compartment that holds the pack", key=True)
_EVENT = (
    Column("kind", "enum", "", "what sort of event", EVENT_KINDS, key=True),
    Column("code", "text", "", "the vendor's code, always as text", key=True),
    Column("system", "text", "", "the part of the vehicle that the code belongs to, where the vendor names one"),
    Column("text", "text", "", "what the code means, where it is known"),
    Column("state", "enum", "", "what happened to it", EVENT_STATES),
)
_JOURNAL = (
    Column("finished_at", "time", "", "when the trip ended"),
    Column("distance_m", "float", "m", "distance"),
    Column("energy_wh", "float", "Wh", "energy used"),
    Column("regen_wh", "float", "Wh", "energy fed back into the battery"),
    Column("start_odometer_m", "float", "m", "odometer at the start"),
    Column("finish_odometer_m", "float", "m", "odometer at the end"),
)
_INTAKE = (
    Column("source", "text", "", "the account's name in the settings", key=True),
    Column("received", "int", "1", "messages received in this hour, repeats included"),
    Column("duplicates", "int", "1", "of these, repeats of a message of this hour"),
    Column("late", "int", "1", "of these, received more than 60 s after their own time"),
    Column("median_latency_s", "float", "s", "median time from the vehicle's clock to the receipt, repeats left out"),
)
_COLLECTOR = (
    Column("spool_share", "float", "1", "size of the spool as a share of `max_bytes`; at 1 pushes are refused"),
    Column("lake_waiting", "int", "1", "messages that the lake has not taken yet"),
    Column("influx_waiting", "int", "1", "messages that InfluxDB has not taken yet"),
    Column("quarantined", "int", "1", "rows put into `quarantine` since the lake's feeder started"),
)
_QUARANTINE = (
    Column("message", "text", "", "hash of the bytes (BLAKE2b, 16 bytes, hexadecimal)", key=True),
    Column("source", "text", "", "the account's name in the settings, or `influx` for a row that InfluxDB refused"),
    Column("path", "text", "", "which of the source's messages it is; of a refused row, its table"),
    Column("reason", "text", "", "why it cannot be read or stored"),
    Column("body", "bytes", "", "the message, untouched"),
)
_VEHICLES = (
    Column("label", "text", "", "what people call the vehicle"),
    Column("model", "text", "", "its model, which `[models]` of the settings describes"),
    Column("group", "text", "", "the group that it belongs to"),
    Column("plate", "text", "", "its number plate"),
    Column("timezone", "text", "", "its time zone, such as `Europe/Berlin`; it decides what a local day is"),
    Column("in_service", "bool", "", "whether it is in use; out of service it is not polled and makes no trips"),
)
_RAW = (
    _of_signals("status", "the state of a vehicle at a moment"),
    _of_signals("location", "the position of a vehicle at a moment"),
    _of_signals("battery", "the state of traction battery, charger and telematics unit at a moment"),
    _of_signals("body", "the state of locks, doors, tyres and cabin at a moment"),
    _of_signals("pack", "the state of one battery pack at a moment", _PORT),
    _raw("event", "an alert, a fault or another event of a vehicle", "the decoder, from messages of vehicles", _EVENT),
    _raw(
        "journal",
        "a trip as the vendor's own journal reports it",
        "the decoder, from vendors that keep a journal",
        _JOURNAL,
        "when the trip started",
    ),
    _raw(
        "intake",
        "an hour of one vehicle's messages from one source",
        "the decoder, which counts the messages that it reads",
        _INTAKE,
        "the start of the hour of receipt, UTC",
    ),
    _raw(
        "collector",
        "a minute in which the collector ran (provider and vehicle are `none`)",
        "the collector; in a minute without a row nothing could be received",
        _COLLECTOR,
        "when the heartbeat was written",
    ),
    _raw(
        "quarantine",
        "a message that cannot be read, or a row that a store refuses or an import sets aside",
        "the decoder, and the feeder of InfluxDB",
        _QUARANTINE,
        "when the message was received; of a row that an import sets aside, the time of the row beside it",
        lake_only=True,
    ),
    _raw(
        "vehicles",
        "what people call a vehicle, from this moment on: the latest row counts",
        'the service when it starts, from `[vehicles."NUMBER"]` and `vehicles_file` of the settings, and imports',
        _VEHICLES,
        "when the settings were read",
    ),
)
RAW: Mapping[str, Table] = {table.name: table for table in _RAW}

# Each rollup, the raw table that it is made of, and the length of its spans.
ROLLUPS: Mapping[str, tuple[str, str]] = {
    f"{name}_{every}": (name, every) for name in ("status", "battery", "pack") for every in ("5m", "1d")
}
_SPANS = {"5m": "five minutes", "1d": "a day, UTC"}
_SPREAD = {"min": "lowest", "mean": "mean", "max": "highest"}


def _rollup(name: str) -> Table:
    raw, every = ROLLUPS[name]
    row = f"rows of `{raw}` of one vehicle over {_SPANS[every]}"
    time = "the start of the span"
    return build_table(name, row, "`voltrail rollup`", time, _rollup_columns(RAW[raw]), always="samples")


def _rollup_columns(raw: Table) -> Iterator[Column]:
    own = {column.name: column for column in raw.described if column.name not in ("provider", "vehicle", "time")}
    yield from (column for column in own.values() if column.key)
    yield Column("samples", "int", "1", "rows of the raw table in the span")
    values = [own[name] for name in raw.values]
    yield from values
    for column in values:
        if column.type == "float":
            for word, of in _SPREAD.items():
                yield Column(f"{word}_{column.name}", "float", column.unit, f"{of} of the rows: {column.meaning}")


DERIVED: Mapping[str, Table] = {
    **{table.name: table for table in derived_tables.ALL},
    **{name: _rollup(name) for name in ROLLUPS},
}
TABLES: Mapping[str, Table] = {**RAW, **DERIVED}


def table(name: str) -> Table:
    """Return the table of this name. Raises `UnknownName`, which names the nearest known one."""
    if name not in TABLES:
        raise UnknownName(f"unknown table {name!r}{nearest(name, TABLES)}; there are: {', '.join(TABLES)}")
    return TABLES[name]


def shaped(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return these rows with exactly the columns of the table, in their order and types; a missing one is null."""
    schema = table(name).schema
    return rows.select(
        (pl.col(column) if column in rows.columns else pl.lit(None)).cast(dtype).alias(column)
        for column, dtype in schema.items()
    )
