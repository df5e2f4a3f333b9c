"""What was sent and asked, what lies on disk and what is in the lake: read, and brought to the verdict."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec
import polars as pl

from logger.envelope import Envelope
from logger.process_state import read_state
from logger.settings.schema import Settings
from logger.simulator.demo.asked import asked
from logger.simulator.demo.collector import SOURCE
from logger.simulator.demo.keys import KEY, answered, placed
from logger.simulator.demo.result import Result
from logger.simulator.demo.verdict import metres, verdict
from logger.simulator.vehicle.physics import Scooter
from logger.spool.open import open_spool
from logger.stores import open_lake
from logger.stores.lake.lake import Lake
from logger.tables import RAW

_MESSAGE = {"vehicle": pl.String(), "path": pl.String(), "identity": pl.String()}
_ROW = {"table": pl.String(), "device_at": pl.Int64(), "more": pl.String(), "odometer_m": pl.Int64()}
SENT = {"sender": pl.String(), **_MESSAGE, **_ROW, "status": pl.Int64(), "seconds": pl.Float64()}
_RECEIVED = {"via": pl.String(), **_MESSAGE, "received_at": pl.Int64(), "body": pl.Binary()}
_OWN = ("intake", "collector", "vehicles")  # what the collector says of itself


def compared(
    settings: Settings, scooters: Sequence[Scooter], sent: pl.DataFrame, calls: Counter[str], began: float
) -> Result:
    """Hold the data of a service that has ended against what was sent, in the columns of `SENT`.

    `calls` is how often the cloud was asked each query, `began` a monotonic moment [s].
    """
    queries = asked(read_state(settings.data_dir, "receiver"), calls)
    received = pl.DataFrame(list(_received(settings)), schema=_RECEIVED, orient="row")
    pushes = sent.filter(status=200).select(pl.lit("push").alias("via"), *_MESSAGE, *_ROW)
    due = placed(pl.concat([pushes, _answers(received)]), received)
    stored = _stored(open_lake(settings))
    return Result(
        verdict=verdict(sent, received, due, stored, queries),
        sent=sent,
        due=due,
        answers=received.filter(via="poll").height,
        quarantined=stored.filter(table="quarantine").height,
        vehicles=_vehicles(scooters, due, stored),
        queries=queries,
        seconds=time.monotonic() - began,
    )


def _received(settings: Settings) -> Iterator[tuple[object, ...]]:
    """All messages of vehicles, in the order of receipt."""
    log = open_spool(settings)
    for batch in log.read_settled("lake", 0):
        for each in batch.envelopes:
            if each.source == SOURCE:
                yield each.via, each.vehicle, each.path, _identity(each), each.received_at, each.body
    log.close()


def _identity(message: Envelope) -> str:
    """What tells it from every other: the signature that ends a push; who was asked, and the cloud's time."""
    if message.via == "push":
        return message.body[-32:].decode()
    return f"{message.vehicle} {msgspec.json.decode(message.body)['t']}"


def _answers(received: pl.DataFrame) -> pl.DataFrame:
    """The rows that answers must make."""
    rows = [
        ("poll", vehicle, path, identity, *msgspec.structs.astuple(row))
        for vehicle, path, identity, body in received.filter(via="poll").select(*_MESSAGE, "body").iter_rows()
        for row in answered(path, body)
    ]
    return pl.DataFrame(rows, schema={"via": pl.String(), **_MESSAGE, **_ROW}, orient="row")


def _stored(store: Lake) -> pl.DataFrame:
    """All rows of vehicles, in the columns of `verdict`."""
    return pl.concat([_keys(store, name) for name in RAW if name not in _OWN]).collect()


def _keys(store: Lake, name: str) -> pl.LazyFrame:
    more = RAW[name].key[3:]
    return store.scan(name).select(
        pl.lit(name).alias("table"),
        "vehicle",
        pl.col("time").dt.epoch("ms"),
        (pl.concat_str(more, separator=" ") if more else pl.lit("")).alias("more"),
        "via",
        (pl.col("odometer_m") if name == "status" else pl.lit(None)).cast(pl.Int64).alias("odometer_m"),
    )


def _vehicles(scooters: Sequence[Scooter], due: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
    """A row for each: what its truth counts, rows `stored` of pushes and `polled` alone, metres of each kind."""
    pushed = due.filter(via="push").select(KEY).unique()
    rows = stored.join(pushed.with_columns(pushed=True), on=KEY, how="left").group_by("vehicle")
    counts = rows.agg(stored=pl.col("pushed").count(), polled=pl.col("pushed").null_count())
    told = pl.DataFrame([{"vehicle": scooter.vehicle, **scooter.truth.counts} for scooter in scooters])
    measured, sent = metres(stored).rename({"metres": "measured_m"}), metres(due).rename({"metres": "told_m"})
    return (
        told.join(counts, on="vehicle", how="left")
        .join(measured, on="vehicle", how="left")
        .join(sent, on="vehicle", how="left")
        .fill_null(0)
    )
