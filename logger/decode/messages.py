"""A batch of envelopes → rows of tables, and into quarantine what cannot be read.

A bad message costs itself, never the batch; `values` has what a bad field costs.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

import msgspec
import polars as pl

from logger.decode import form_bodies, json_bodies
from logger.decode.result import MESSAGES, DecodeResult, merge_results, quarantine_messages
from logger.decode.values import FLAG, TIME_FLAGS, device_time_ms, finish_rows, read_values
from logger.envelope import Batch
from logger.errors import Retry
from logger.mapping import Rows, Shape
from logger.signals import SIGNALS
from logger.tables import table

log = logging.getLogger(__name__)

BEHIND_MS, AHEAD_MS = 30 * 86_400_000, 600_000  # a device time beyond these is no time at all (vendor facts F.4)
_REPEAT_MS = 60_000  # a vendor repeats what was not answered within seconds (Segway: 5 s, E.1)


class Source(Protocol):
    """What decoding must know of an account."""

    provider: str

    @property
    def bound(self) -> str:
        """What every message must carry to belong to this account."""

    @property
    def shapes(self) -> Mapping[str, Shape]:
        """Its kinds of messages, by path."""

    @property
    def variants(self) -> Sequence[tuple[frozenset[str], Mapping[str, Shape]]]:
        """Vehicles of another model than the account's, and their kinds of messages: other values, no other names."""

    def is_known(self, vehicle: str) -> bool:
        """Whether this vehicle is one of the account's."""


class Receipts(Protocol):
    """Remembers messages whose time was replaced, so that a repeat gets the same time, never a fresh one."""

    def first(self, identities: Sequence[str], received_at: Sequence[int]) -> list[int]:
        """When each of these messages was first received [epoch ms]; durable on return."""


def decode(batch: Batch, sources: Mapping[str, Source], memory: Receipts) -> DecodeResult:
    """Rows of all these envelopes; never raises for what a message holds."""
    parts = [
        part
        for (source, path), group in _groups(batch).items()
        for part in _isolated(group, _decoder(source, path, sources, memory))
    ]
    return merge_results(parts)


_Decode = Callable[[Batch], DecodeResult]


def _groups(batch: Batch) -> dict[tuple[str, str], Batch]:
    groups: dict[tuple[str, str], Batch] = {}
    for sequence, envelope in zip(batch.sequences, batch.envelopes, strict=True):
        key = (envelope.source, envelope.path)
        group = groups.get(key)
        if group is None:
            group = groups[key] = Batch([], [])
        group.sequences.append(sequence)
        group.envelopes.append(envelope)
    return groups


def _isolated(batch: Batch, decoder: _Decode) -> Iterator[DecodeResult]:
    """Decode; where that fails, halve until the message that fails stands alone, and quarantine it."""
    try:
        yield decoder(batch)
    except Retry:
        raise  # the disk, not the message
    except (Exception, pl.exceptions.PanicException) as error:  # our fault must cost no more than this one message
        if len(batch) == 1:
            log.warning("message %d cannot be decoded: %s", batch.sequences[0], error)
            yield quarantine_messages(batch, [f"decoder failed: {type(error).__name__}: {error}"])
            return
        middle = len(batch) // 2
        yield from _isolated(batch.part(0, middle), decoder)
        yield from _isolated(batch.part(middle, len(batch)), decoder)


def _decoder(source: str, path: str, sources: Mapping[str, Source], memory: Receipts) -> _Decode:
    if source == "collector":
        return _heartbeats
    if source == "import":
        return _imported
    if source == "settings":
        return _named
    account = sources.get(source)
    if account is None:
        return lambda batch: quarantine_messages(batch, [f"source {source!r} is not in the settings"] * len(batch))
    shape = account.shapes.get(path)
    if shape is None:
        return lambda batch: quarantine_messages(batch, [f"{account.provider} has no message {path!r}"] * len(batch))
    return lambda batch: _messages(batch, account, path, shape, memory)


# ---- one group of messages of one kind -----------------------------------------------------------------------------


def _messages(batch: Batch, account: Source, path: str, shape: Shape, memory: Receipts) -> DecodeResult:
    bodies = [envelope.body for envelope in batch.envelopes]
    asked = pl.Series([envelope.vehicle or None for envelope in batch.envelopes], dtype=pl.String)
    texts = (json_bodies if shape.json else form_bodies).read_texts(bodies, shape.names)
    frame = texts.with_row_index(json_bodies.ROW).with_columns(
        pl.Series("sequence", batch.sequences, dtype=pl.Int64),
        pl.Series("received_at", [envelope.received_at for envelope in batch.envelopes], dtype=pl.Int64),
        pl.Series("via", [envelope.via for envelope in batch.envelopes], dtype=pl.String),
        asked.alias("asked"),
        pl.coalesce(asked, shape.vehicle).alias("vehicle"),
        pl.lit(account.provider).alias("provider"),
    )
    reasons = frame.select(_reason(frame, account, shape)).to_series()
    good = frame.filter(reasons.is_null())
    parts = [
        _rows(theirs, rows, path, told, memory, bodies)
        for theirs, told in _by_model(good, account, path, shape)
        for rows in told.rows
    ]
    parts.append(DecodeResult({}, _lines(good, batch.envelopes[0].source, path, shape)))
    if good.height < len(batch):
        bad = reasons.is_not_null().arg_true().to_list()
        odd = Batch([batch.sequences[at] for at in bad], [batch.envelopes[at] for at in bad])
        vehicles = frame["vehicle"].gather(bad).to_list()
        parts.append(quarantine_messages(odd, reasons.gather(bad).to_list(), account.provider, vehicles))
    return merge_results(parts)


def _by_model(good: pl.DataFrame, account: Source, path: str, shape: Shape) -> Iterator[tuple[pl.DataFrame, Shape]]:
    """The messages of each model's vehicles, and how those are read; nearly always all of them as the account's."""
    for vehicles, shapes in account.variants:
        theirs = pl.col("vehicle").is_in(vehicles)
        yield good.filter(theirs), shapes[path]
        good = good.filter(~theirs)
    yield good, shape


def _reason(frame: pl.DataFrame, account: Source, shape: Shape) -> pl.Expr:
    """Why a message cannot be used, null where it can."""
    unknown = [name for name in frame["vehicle"].unique().to_list() if not account.is_known(name or "")]
    vehicle = pl.col("vehicle").fill_null("")
    checks = [
        (pl.col(form_bodies.PROBLEM).is_not_null(), pl.col(form_bodies.PROBLEM)),
        *_foreign(account, shape),
        (vehicle.is_in([name or "" for name in unknown]), pl.lit(f"unknown vehicle: {shape.vehicle} is not listed")),
        *((pl.all_horizontal(pl.col(group).is_null()), pl.lit(f"lacks {' or '.join(group)}")) for group in shape.needs),
        *((pl.col(name).str.strip_chars() == "", pl.lit(f"lacks {name}")) for name in _keys(shape)),
        *((pl.col(name).is_not_null(), pl.lit(f"{name} belongs to another path")) for name in shape.forbids),
    ]
    return pl.coalesce(pl.when(wrong).then(reason) for wrong, reason in checks)


def _foreign(account: Source, shape: Shape) -> Iterator[tuple[pl.Expr, pl.Expr]]:
    """What makes a message none of this account's, or an answer none that was asked for."""
    if shape.bound:
        yield pl.col(shape.bound).ne_missing(account.bound), pl.lit(f"{shape.bound} is not the account's")
    if shape.codes:
        said = pl.format("the vendor answered {}", pl.col("code").fill_null("without a code"))
        yield ~pl.col("code").is_in(list(shape.codes)).fill_null(False), said
    told = pl.col(shape.vehicle)
    yield (pl.col("asked") != told).fill_null(False), pl.lit(f"{shape.vehicle} is another vehicle than was asked for")


def _keys(shape: Shape) -> list[str]:
    """The vendor names of what a row is known by; a blank one makes no row."""
    rows = (rows for rows in shape.rows if not rows.each)
    return [field.path for each in rows for field in each.fields if field.to in table(each.table).key]


def _rows(
    frame: pl.DataFrame, rows: Rows, path: str, shape: Shape, memory: Receipts, bodies: Sequence[bytes]
) -> DecodeResult:
    if rows.each:
        names = sorted({name for field in rows.fields for name in field.names})
        below = json_bodies.read_elements(bodies, rows.each, names)
        frame = frame.drop(names, strict=False).join(below, on=json_bodies.ROW, maintain_order="left")
    texts = pl.col(sorted({name for field in rows.fields for name in field.names}))
    if rows is not shape.rows[0]:  # what merely comes along makes no row where it is blank
        texts = pl.when(texts.str.strip_chars() != "").then(texts)
    told = frame.filter(pl.any_horizontal(texts.is_not_null()))
    if told.is_empty():
        return merge_results([])
    timed = _timed(told.with_columns(device_time_ms(rows.time)), rows.clock, path, shape, memory)
    made = finish_rows(read_values(timed, rows), rows.table)
    if shape.json:
        made = made.filter(_says_something(rows.table))
    return DecodeResult({rows.table: made}, pl.DataFrame(schema=MESSAGES))


def _says_something(name: str) -> pl.Expr:
    """Whether a row has its whole key and a value, or lost one: an answer may say that there is nothing to say."""
    named = pl.all_horizontal(pl.col(table(name).key).is_not_null())
    lost = pl.col("flags").list.eval(~pl.element().str.starts_with("time_")).list.any().fill_null(False)
    return named & (pl.any_horizontal(pl.col(table(name).values).is_not_null()) | lost)


def _lines(good: pl.DataFrame, source: str, path: str, shape: Shape) -> pl.DataFrame:
    return good.select(
        "sequence",
        pl.lit(source).alias("source"),
        "provider",
        "vehicle",
        "received_at",
        device_time_ms(shape.rows[0].time),
        _identity(path, shape),
    )


# ---- time ----------------------------------------------------------------------------------------------------------


def _timed(frame: pl.DataFrame, clock: str, path: str, shape: Shape, memory: Receipts) -> pl.DataFrame:
    """`time`, `clock` and time flags: the device's clock where it is usable, else the first receipt of this message.

    What is judged is the first receipt, so that a repeat that comes on the other side of a bound is judged alike.
    """
    off = pl.col("device_at") - pl.col("received_at")
    sure = off.is_between(_REPEAT_MS - BEHIND_MS, AHEAD_MS - _REPEAT_MS).fill_null(False)
    odd = frame.filter(~sure).unique("sequence", keep="first", maintain_order=True)  # one message, many packs
    odd = odd.select("sequence", "received_at", _identity(path, shape))
    first = memory.first(odd["identity"].to_list(), odd["received_at"].to_list()) if odd.height else []
    firsts = odd.select("sequence", pl.Series("first_at", first, dtype=pl.Int64))
    judged = frame.join(firsts, on="sequence", how="left", maintain_order="left").with_columns(
        pl.coalesce("first_at", "received_at").alias("first_at")
    )
    judged = judged.with_columns(_time_problem())
    replaced = pl.col("time_problem").is_not_null()
    return judged.with_columns(
        pl.when(replaced).then("first_at").otherwise("device_at").alias("time"),
        pl.when(replaced).then(pl.lit("received")).otherwise(pl.lit(clock)).alias("clock"),
        *((pl.col("time_problem") == word).fill_null(False).alias(f"{FLAG}{word}") for word in TIME_FLAGS),
    )


def _time_problem() -> pl.Expr:
    off = pl.col("device_at") - pl.col("first_at")
    return (
        pl.when(off.is_null())
        .then(pl.lit("time_missing"))
        .when(off < -BEHIND_MS)
        .then(pl.lit("time_behind"))
        .when(off > AHEAD_MS)
        .then(pl.lit("time_ahead"))
        .alias("time_problem")
    )


def _identity(path: str, shape: Shape) -> pl.Expr:
    signature = pl.col(shape.identity).fill_null("").str.to_lowercase()
    return pl.concat_str(pl.col("vehicle"), pl.lit(path), signature, separator="\n").alias("identity")


# ---- messages of our own -------------------------------------------------------------------------------------------


def _heartbeats(batch: Batch) -> DecodeResult:
    at = [envelope.received_at for envelope in batch.envelopes]
    rows = pl.DataFrame({"time": at, "received_at": at, "sequence": batch.sequences}).with_columns(
        *(pl.lit("none").alias(name) for name in ("provider", "vehicle")),
        pl.lit("push").alias("via"),
        pl.lit("server").alias("clock"),
    )
    return DecodeResult({"collector": finish_rows(rows, "collector")}, pl.DataFrame(schema=MESSAGES))


def _named(batch: Batch) -> DecodeResult:
    """What the settings call the vehicles; the newest word holds."""
    rows = [
        {**told, "time": envelope.received_at, "received_at": envelope.received_at, "sequence": sequence}
        for sequence, envelope in zip(batch.sequences, batch.envelopes, strict=True)
        for told in msgspec.json.decode(envelope.body)
    ]
    frame = pl.DataFrame(rows, infer_schema_length=None).with_columns(
        pl.lit("import").alias("via"), pl.lit("server").alias("clock")
    )
    return DecodeResult({"vehicles": finish_rows(frame, "vehicles")}, pl.DataFrame(schema=MESSAGES))


def _imported(batch: Batch) -> DecodeResult:
    return merge_results([_import(batch.part(at, at + 1)) for at in range(len(batch))])


def _import(batch: Batch) -> DecodeResult:
    """One slice of a file: Parquet bytes in columns of ours, split over the tables that they belong to."""
    envelope = batch.envelopes[0]
    rows = pl.read_parquet(envelope.body).with_columns(
        pl.lit(envelope.received_at).alias("received_at"),
        pl.lit(envelope.via).alias("via"),
        pl.lit("device").alias("clock"),
        pl.lit(batch.sequences[0]).alias("sequence"),
    )
    tables = {SIGNALS[name].table for name in rows.columns if name in SIGNALS}
    parts = {name: _of_table(rows, name) for name in sorted(tables)}
    return DecodeResult(parts, pl.DataFrame(schema=MESSAGES))


def _of_table(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    told = [column for column in table(name).values if column in rows.columns]
    return finish_rows(rows.filter(pl.any_horizontal(pl.col(told).is_not_null())), name)
