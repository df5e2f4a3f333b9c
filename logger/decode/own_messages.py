"""Messages that voltrail itself puts into the spool: heartbeats, vehicles of the settings, slices of imported files."""

from collections.abc import Callable, Mapping, Sequence

import msgspec
import polars as pl

from logger.decode.result import MESSAGES, DecodeResult, merge_results, quarantine_messages
from logger.decode.values import finish_rows
from logger.envelope import Batch
from logger.signals import SIGNALS
from logger.tables import TIME, table

_BACKLOG = ("spool_share", "lake_waiting", "influx_waiting", "quarantined")


def decode_heartbeats(batch: Batch) -> DecodeResult:
    """Return one row of `collector` per message."""
    times = [envelope.received_at for envelope in batch.envelopes]
    told = {"time": times, "received_at": times, "sequence": batch.sequences, **_backlog(batch)}
    rows = pl.DataFrame(told).with_columns(
        *(pl.lit("none").alias(name) for name in ("provider", "vehicle")),
        pl.lit("push").alias("via"),
        pl.lit("server").alias("clock"),
    )
    return _result({"collector": finish_rows(rows, "collector")})


def _backlog(batch: Batch) -> dict[str, pl.Series]:
    """What each heartbeat tells of spool and sinks, by column; those of older versions are empty and tell nothing."""
    bodies = [msgspec.json.decode(envelope.body or b"{}") for envelope in batch.envelopes]
    schema = table("collector").schema
    return {name: pl.Series([body.get(name) for body in bodies], dtype=schema[name]) for name in _BACKLOG}


def decode_vehicles(batch: Batch) -> DecodeResult:
    """Return a row of `vehicles` for each vehicle that a message lists, with the label, model and so on it had then."""
    rows = [
        {**vehicle, "time": envelope.received_at, "received_at": envelope.received_at, "sequence": sequence}
        for sequence, envelope in zip(batch.sequences, batch.envelopes, strict=True)
        for vehicle in msgspec.json.decode(envelope.body)
    ]
    frame = pl.DataFrame(rows, infer_schema_length=None).with_columns(
        pl.lit("import").alias("via"), pl.lit("server").alias("clock")
    )
    return _result({"vehicles": finish_rows(frame, "vehicles")})


def decode_imports(batch: Batch) -> DecodeResult:
    """Return the rows of slices of files: Parquet in columns named as signals, split over the tables of the signals.

    Rows that the import set aside go into quarantine, at the time of the row beside them in the file.
    """
    parts = [batch.part(at, at + 1) for at in range(len(batch))]
    aside = [each for each in parts if each.envelopes[0].path == "aside"]
    slices = [_read_slice(each) for each in parts if each.envelopes[0].path != "aside"]
    return merge_results([*([_split(slices)] if slices else []), *map(_decode_aside, aside)])


OWN_SOURCES: Mapping[str, Callable[[Batch], DecodeResult]] = {  # by the name of the envelope's source
    "collector": decode_heartbeats,
    "settings": decode_vehicles,
    "import": decode_imports,
}


def _read_slice(batch: Batch) -> pl.DataFrame:
    envelope = batch.envelopes[0]
    return pl.read_parquet(envelope.body).with_columns(
        pl.lit(envelope.received_at).alias("received_at"),
        pl.lit(envelope.via).alias("via"),
        pl.lit("device").alias("clock"),
        pl.lit(batch.sequences[0]).alias("sequence"),
    )


def _split(slices: Sequence[pl.DataFrame]) -> DecodeResult:
    """The rows of slices by table; all at once, which is twice as fast as one after the other."""
    rows = pl.concat(slices, how="diagonal")
    tables = {SIGNALS[name].table for name in rows.columns if name in SIGNALS}
    return _result({name: _rows_of_table(rows, name) for name in sorted(tables)})


def _decode_aside(batch: Batch) -> DecodeResult:
    row = msgspec.json.decode(batch.envelopes[0].body)
    result = quarantine_messages(batch, [row["reason"]])
    if row["near_ms"]:
        at = pl.lit(row["near_ms"]).cast(TIME).alias("time")
        result.rows["quarantine"] = result.rows["quarantine"].with_columns(at)
    return result


def _rows_of_table(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """The rows that have a value of this table."""
    values = [column for column in table(name).values if column in rows.columns]
    return finish_rows(rows.filter(pl.any_horizontal(pl.col(values).is_not_null())), name)


def _result(rows: dict[str, pl.DataFrame]) -> DecodeResult:
    """These rows, and no lines for the intake statistics, which count messages of vendors alone."""
    return DecodeResult(rows, pl.DataFrame(schema=MESSAGES))
