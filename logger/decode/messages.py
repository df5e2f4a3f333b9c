"""Decode a batch of envelopes into rows of tables; what cannot be read goes to `quarantine`, with the reason.

A bad message costs itself, never the batch; what a bad field costs is in `values`.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

import msgspec
import polars as pl

from logger.decode import form_bodies, json_bodies
from logger.decode.own_messages import OWN_SOURCES
from logger.decode.result import MESSAGES, DecodeResult, merge_results, quarantine_messages
from logger.decode.row_times import Receipts, add_first_receipts, add_time, message_identity
from logger.decode.values import add_device_time, finish_rows, read_values
from logger.envelope import Batch
from logger.errors import Retry
from logger.mapping import Rows, Shape, Step
from logger.tables import table

log = logging.getLogger(__name__)


class Source(Protocol):
    """The account of a vendor, as far as decoding needs it."""

    provider: str

    @property
    def account_id(self) -> str:
        """What every message must carry to belong to this account."""

    @property
    def shapes(self) -> Mapping[str, Shape]:
        """Its kinds of messages, by path."""

    @property
    def variants(self) -> Sequence[tuple[frozenset[str], Mapping[str, Shape]]]:
        """Vehicles of another model than the account's, and their kinds of messages: other values, the same names."""

    @property
    def steps(self) -> Mapping[str, Step]:
        """What takes its documents apart before their fields are read, by name."""

    def is_known(self, vehicle: str) -> bool:
        """Whether this vehicle is one of the account's."""


def decode(batch: Batch, sources: Mapping[str, Source], receipts: Receipts) -> DecodeResult:
    """Return the rows of all these envelopes; never raises for the content of a message."""
    parts = [
        part
        for (source, path), group in _groups(batch).items()
        for part in _decode_isolated(group, _decoder(source, path, sources, receipts))
    ]
    return merge_results(parts)


Decoder = Callable[[Batch], DecodeResult]


def _groups(batch: Batch) -> dict[tuple[str, str], Batch]:
    """The envelopes by source and path."""
    groups: dict[tuple[str, str], Batch] = {}
    for sequence, envelope in zip(batch.sequences, batch.envelopes, strict=True):
        key = (envelope.source, envelope.path)
        group = groups.get(key)
        if group is None:
            group = groups[key] = Batch([], [])
        group.sequences.append(sequence)
        group.envelopes.append(envelope)
    return groups


def _decode_isolated(batch: Batch, decoder: Decoder) -> Iterator[DecodeResult]:
    """Decode; where that fails, halve the batch until the message that fails is alone, and quarantine it."""
    try:
        yield decoder(batch)
    except Retry:
        raise  # the disk, not the message
    except (Exception, pl.exceptions.PanicException) as error:  # a bug of a decoder must cost no more than one message
        if len(batch) == 1:
            log.warning("message %d cannot be decoded: %s", batch.sequences[0], error)
            yield quarantine_messages(batch, [f"decoder failed: {type(error).__name__}: {error}"])
            return
        middle = len(batch) // 2
        yield from _decode_isolated(batch.part(0, middle), decoder)
        yield from _decode_isolated(batch.part(middle, len(batch)), decoder)


def _decoder(source: str, path: str, sources: Mapping[str, Source], receipts: Receipts) -> Decoder:
    """The decoder of the messages of this source and path."""
    if source in OWN_SOURCES:
        return OWN_SOURCES[source]
    account = sources.get(source)
    if account is None:
        return lambda batch: quarantine_messages(batch, [f"source {source!r} is not in the settings"] * len(batch))
    shape = account.shapes.get(path)
    if shape is None:
        return lambda batch: quarantine_messages(batch, [f"{account.provider} has no message {path!r}"] * len(batch))
    return lambda batch: _decode_kind(batch, account, path, shape, receipts)


# ---- messages of one kind of one account ---------------------------------------------------------------------------


def _decode_kind(batch: Batch, account: Source, path: str, shape: Shape, receipts: Receipts) -> DecodeResult:
    bodies = [envelope.body for envelope in batch.envelopes]
    frame = _read_frame(batch, bodies, account, shape)
    reasons = frame.select(_quarantine_reason(frame, account, shape)).to_series()
    good = frame if reasons.null_count() == frame.height else frame.filter(reasons.is_null())
    if shape.remembered:
        good = add_first_receipts(good, path, shape, receipts)
    parts = [
        _make_rows(messages, rows, path, model_shape, receipts, bodies)
        for messages, model_shape in _by_model(good, account, path, shape)
        for rows in model_shape.rows
    ]
    parts.append(DecodeResult({}, _summary(good, batch.envelopes[0].source, path, shape)))
    if good.height < frame.height:
        bad = frame.select(json_bodies.ROW, "vehicle", reasons.alias("reason")).drop_nulls("reason")
        parts.append(_quarantine(batch, bad.unique(json_bodies.ROW, keep="first", maintain_order=True), account))
    return merge_results(parts)


def _read_frame(batch: Batch, bodies: Sequence[bytes], account: Source, shape: Shape) -> pl.DataFrame:
    """One row per message, or per part of one: the texts of its fields, its origin, the vehicle `polled` if any."""
    texts = _read_texts(bodies, account, shape)
    origin = pl.DataFrame(
        {
            "sequence": batch.sequences,
            "received_at": [envelope.received_at for envelope in batch.envelopes],
            "via": [envelope.via for envelope in batch.envelopes],
            "polled": [envelope.vehicle or None for envelope in batch.envelopes],
        },
        schema={"sequence": pl.Int64, "received_at": pl.Int64, "via": pl.String, "polled": pl.String},
    )
    if shape.step:  # a row per part, of which a message may have many
        origin = origin[texts[json_bodies.ROW]]
    return texts.hstack(origin).with_columns(
        pl.coalesce("polled", shape.vehicle).alias("vehicle"), pl.lit(account.provider).alias("provider")
    )


def _read_texts(bodies: Sequence[bytes], account: Source, shape: Shape) -> pl.DataFrame:
    if shape.step:
        return json_bodies.read_parts(bodies, shape.names, account.steps[shape.step])
    if shape.json:
        return json_bodies.read_texts(bodies, shape.names)
    return form_bodies.read_texts(bodies, shape.names).with_row_index(json_bodies.ROW)


def _by_model(good: pl.DataFrame, account: Source, path: str, shape: Shape) -> Iterator[tuple[pl.DataFrame, Shape]]:
    """The messages of each model's vehicles, and the shape to read them by; nearly always the account's for all."""
    for vehicles, shapes in account.variants:
        is_variant = pl.col("vehicle").is_in(vehicles)
        yield good.filter(is_variant), shapes[path]
        good = good.filter(~is_variant)
    yield good, shape


def _quarantine(batch: Batch, bad: pl.DataFrame, account: Source) -> DecodeResult:
    """The messages with these rows' numbers, reasons and vehicles, as rows of `quarantine`."""
    places = bad[json_bodies.ROW].to_list()
    messages = Batch([batch.sequences[place] for place in places], [batch.envelopes[place] for place in places])
    return quarantine_messages(messages, bad["reason"].to_list(), account.provider, bad["vehicle"].to_list())


def _quarantine_reason(frame: pl.DataFrame, account: Source, shape: Shape) -> pl.Expr:
    """Why a message cannot be used; null where it can."""
    unknown = [name or "" for name in frame["vehicle"].unique().to_list() if not account.is_known(name or "")]
    is_unknown = pl.col("vehicle").fill_null("").is_in(unknown)
    checks = [
        (pl.col(form_bodies.PROBLEM).is_not_null(), pl.col(form_bodies.PROBLEM)),
        *_foreign_checks(account, shape),
        (is_unknown, pl.lit(f"unknown vehicle: {shape.vehicle} is not listed")),
        *((pl.all_horizontal(pl.col(group).is_null()), pl.lit(f"lacks {' or '.join(group)}")) for group in shape.needs),
        *((pl.col(name).str.strip_chars() == "", pl.lit(f"lacks {name}")) for name in _key_names(shape)),
        *((pl.col(name).is_not_null(), pl.lit(f"{name} belongs to another path")) for name in shape.forbids),
    ]
    return pl.coalesce(pl.when(is_wrong).then(reason) for is_wrong, reason in checks)


def _foreign_checks(account: Source, shape: Shape) -> Iterator[tuple[pl.Expr, pl.Expr]]:
    """What shows that a message is of another account, or an answer of another request."""
    if name := shape.account_field:
        yield pl.col(name).ne_missing(account.account_id), pl.lit(f"{name} is not the account's")
    if shape.codes:
        answer = pl.format("the vendor answered {}", pl.col("code").fill_null("without a code"))
        yield ~pl.col("code").is_in(list(shape.codes)).fill_null(False), answer
    asked, told = (pl.col(name).str.to_uppercase() for name in ("polled", shape.vehicle))  # a VIN has one spelling
    is_another = (asked != told).fill_null(False)
    yield is_another, pl.lit(f"{shape.vehicle} is another vehicle than the one polled")


def _key_names(shape: Shape) -> list[str]:
    """The vendor's names of key columns: where one is blank, the message makes no row."""
    rows = (rows for rows in shape.rows if not rows.each)
    return [field.path for each in rows for field in each.fields if field.to in table(each.table).key]


_ORIGIN = ("provider", "vehicle", "received_at", "first_at", "via", "sequence")


def _make_rows(
    frame: pl.DataFrame, rows: Rows, path: str, shape: Shape, receipts: Receipts, bodies: Sequence[bytes]
) -> DecodeResult:
    names = sorted({name for field in rows.fields for name in field.names})
    if rows.each:
        elements = json_bodies.read_elements(bodies, rows.each, names)
        frame = frame.drop(names, strict=False).join(elements, on=json_bodies.ROW, maintain_order="left")
    texts = pl.col(names)
    if rows is not shape.rows[0]:  # a blank makes no row in the tables beside the message's own
        texts = pl.when(texts.str.strip_chars() != "").then(texts)
    read = {*_ORIGIN, *names, *rows.time_names, shape.identity}
    filled = frame.select(name for name in frame.columns if name in read).filter(pl.any_horizontal(texts.is_not_null()))
    if filled.is_empty():
        return merge_results([])
    timed = add_time(add_device_time(filled, rows), rows, path, shape, receipts)
    finished = finish_rows(read_values(timed, _with_values(rows, filled)), rows.table)
    if shape.json:
        finished = finished.filter(_has_content(rows.table))
    return DecodeResult({rows.table: finished}, pl.DataFrame(schema=MESSAGES))


def _with_values(rows: Rows, frame: pl.DataFrame) -> Rows:
    """The same without fields of which no message has a value: most vehicles report a few of all."""
    if rows.table == "location":  # a position is two values, which are checked together
        return rows
    present = {name for name in frame.columns if frame[name].null_count() < frame.height}
    return msgspec.structs.replace(rows, fields=tuple(each for each in rows.fields if present.intersection(each.names)))


def _has_content(name: str) -> pl.Expr:
    """Whether a row has its whole key, and a value or a flag of a lost one: an answer may hold nulls alone."""
    has_key = pl.all_horizontal(pl.col(table(name).key).is_not_null())
    has_lost = pl.col("flags").list.eval(~pl.element().str.starts_with("time_")).list.any().fill_null(False)
    return has_key & (pl.any_horizontal(pl.col(table(name).values).is_not_null()) | has_lost)


def _summary(good: pl.DataFrame, source: str, path: str, shape: Shape) -> pl.DataFrame:
    """One line per message and vehicle (columns `MESSAGES`); of its parts, the newest time counts."""
    read = {*_ORIGIN, *shape.rows[0].time_names, shape.identity}
    timed = add_device_time(good.select(name for name in good.columns if name in read), shape.rows[0])
    if shape.step:
        newest = timed.sort("device_at", descending=True, nulls_last=True, maintain_order=True)
        timed = newest.unique(["sequence", "vehicle"], keep="first", maintain_order=True).sort("sequence")
    return timed.select(
        "sequence",
        pl.lit(source).alias("source"),
        "provider",
        "vehicle",
        "received_at",
        "device_at",
        message_identity(path, shape),
    )
