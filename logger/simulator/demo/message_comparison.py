"""Reads what was sent, what is on disk and what is in the lake, and compares them for the demo's verdict."""

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec
import polars as pl

from logger.envelope import Envelope
from logger.process_state import read_state
from logger.settings.schema import Settings
from logger.simulator.demo.collector import SOURCE
from logger.simulator.demo.expected_rows import KEY, answer_rows, date_rows
from logger.simulator.demo.observable_truth import scan_mopeds
from logger.simulator.demo.poll_comparison import compare_polls
from logger.simulator.demo.result import MessageResult
from logger.simulator.demo.verdict import odometer_distances, verdict
from logger.simulator.vehicle.truth import Truth
from logger.spool.open import open_spool
from logger.stores import open_lake
from logger.stores.lake.lake import Lake
from logger.tables import RAW

_MESSAGE = {"vehicle": pl.String(), "path": pl.String(), "identity": pl.String()}
_ROW = {"table": pl.String(), "device_at": pl.Int64(), "subkey": pl.String(), "odometer_m": pl.Int64()}
SENT = {"sender": pl.String(), **_MESSAGE, **_ROW, "status": pl.Int64(), "seconds": pl.Float64()}
_RECEIVED = {"via": pl.String(), **_MESSAGE, "received_at": pl.Int64(), "body": pl.Binary()}
_COLLECTOR_TABLES = ("intake", "collector", "vehicles")  # their rows come from no vehicle's message


def compare_messages(
    settings: Settings, truths: Sequence[Truth], sent: pl.DataFrame, cloud_requests: Counter[str]
) -> MessageResult:
    """Compare the data of a service that has ended with the pushes sent, in the columns of `SENT`.

    `cloud_requests` is the number of requests that the cloud received for each query.
    """
    polls = compare_polls(read_state(settings.data_dir, "receiver"), cloud_requests)
    received = pl.DataFrame(list(_message_rows(settings)), schema=_RECEIVED, orient="row")
    pushes = sent.filter(status=200).select(pl.lit("push").alias("via"), *_MESSAGE, *_ROW)
    expected = date_rows(pl.concat([pushes, _answer_rows(received)]), received)
    stored = _stored_rows(open_lake(settings))
    return MessageResult(
        verdict=verdict(sent, received, expected, stored, polls),
        sent=sent,
        expected=expected,
        answers=received.filter(via="poll").height,
        quarantined=stored.filter(table="quarantine").height,
        vehicles=_vehicles(truths, expected, stored),
        polls=polls,
    )


def _message_rows(settings: Settings) -> Iterator[tuple[object, ...]]:
    """Yield all messages of vehicles, in the order of receipt."""
    log = open_spool(settings)
    for batch in log.read_settled("lake", 0):
        for each in batch.envelopes:
            if each.source == SOURCE:
                yield each.via, each.vehicle, each.path, _identity(each), each.received_at, each.body
    log.close()


def _identity(message: Envelope) -> str:
    """Return what makes a message unique: the signature at the end of a push; vehicle and time of an answer."""
    if message.via == "push":
        return message.body[-32:].decode()
    return f"{message.vehicle} {msgspec.json.decode(message.body)['t']}"


def _answer_rows(received: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that answers must make."""
    rows = [
        ("poll", vehicle, path, identity, *msgspec.structs.astuple(row))
        for vehicle, path, identity, body in received.filter(via="poll").select(*_MESSAGE, "body").iter_rows()
        for row in answer_rows(path, body)
    ]
    return pl.DataFrame(rows, schema={"via": pl.String(), **_MESSAGE, **_ROW}, orient="row")


def _stored_rows(lake: Lake) -> pl.DataFrame:
    """Return all rows of vehicles, in the columns that the verdict needs."""
    return pl.concat([_table_rows(lake, name) for name in RAW if name not in _COLLECTOR_TABLES]).collect()


def _table_rows(lake: Lake, name: str) -> pl.LazyFrame:
    subkey = RAW[name].key[3:]
    return scan_mopeds(lake, name).select(
        pl.lit(name).alias("table"),
        "vehicle",
        pl.col("time").dt.epoch("ms"),
        (pl.concat_str(subkey, separator=" ") if subkey else pl.lit("")).alias("subkey"),
        "via",
        (pl.col("odometer_m") if name == "status" else pl.lit(None)).cast(pl.Int64).alias("odometer_m"),
    )


def _vehicles(truths: Sequence[Truth], expected: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
    """Return a row a vehicle: the counts of its truth, its rows, its distance as stored and as reported [m].

    `stored` rows are those that pushes make, `polled` rows those that only answers make.
    """
    pushed = expected.filter(via="push").select(KEY).unique()
    rows = stored.join(pushed.with_columns(pushed=True), on=KEY, how="left").group_by("vehicle")
    frames = (
        rows.agg(stored=pl.col("pushed").count(), polled=pl.col("pushed").null_count()),
        odometer_distances(stored).rename({"distance_m": "measured_m"}),
        odometer_distances(expected).rename({"distance_m": "reported_m"}),
    )
    vehicles = pl.DataFrame([{"vehicle": truth.vehicle, **truth.counts} for truth in truths])
    for frame in frames:
        vehicles = vehicles.join(frame, on="vehicle", how="left")
    return vehicles.fill_null(0)
