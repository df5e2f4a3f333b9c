"""`voltrail replay`: raw messages are decoded again, and the lake made as if today's decoders had always been there.

What decoding makes goes into a lake of its own first. Only then the days that differ are replaced, each table's day in
one commit: whenever this ends, a day is as it was or as it will be, and another replay does the rest.
"""

import itertools
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, date, datetime

import msgspec
import polars as pl

from logger.commands.replayable_days import Days, first_replayable_day, row_origins, vehicles_of_table
from logger.decode.first_receipts import FirstReceipts
from logger.decode.intake_stats import IntakeStats
from logger.decode.messages import AHEAD_MS, Source, decode
from logger.decode.odometer_check import OdometerCheck
from logger.decode.result import DecodeResult
from logger.deliver.feeder import Feeder
from logger.envelope import Batch
from logger.errors import ConfigError
from logger.locks import scratch_folder, take_over
from logger.settings.schema import Settings
from logger.sources import accounts
from logger.spool.log import Spool
from logger.spool.open import open_spool
from logger.spool.vehicle_index import UNKNOWN_VEHICLE
from logger.stores import open_lake
from logger.stores.lake.delta import day_span
from logger.stores.lake.lake import Lake
from logger.stores.lake.slices import merged_range, merged_slices, vehicle_ranges
from logger.tables import RAW

log = logging.getLogger(__name__)

_BATCH, _BATCH_BYTES = 20_000, 16 << 20  # as quick as the feeder's, at half the memory
_SLICE_ROWS = 20_000  # both sides of a comparison are in memory, and what is written from them
_STORES = ("influx",)  # whose refusals are in quarantine
_NOBODY = pl.DataFrame(schema={"sequence": pl.Int64, "vehicle": pl.String})


class Change(msgspec.Struct, frozen=True):
    """What became of a table: rows of the days that were made again, before and after, and how many days differed."""

    table: str
    before: int
    after: int
    days: int
    days_changed: int


class Replayed(msgspec.Struct, frozen=True):
    """What a replay did. Days are of UTC, `until` not included; of those `left`, not every raw message is kept."""

    messages: int
    since: date | None
    until: date | None
    left: list[date]
    tables: list[Change]


def replay(
    settings: Settings,
    since: datetime | None = None,
    until: datetime | None = None,
    vehicles: Sequence[str] | None = None,
    progress: Callable[[str], None] = lambda text: None,
) -> Replayed:
    """Make the days that this span touches again, of these vehicles (None: of all).

    Without `since`, days of which not every raw message is kept are left alone; a `since` before such a day raises
    `ConfigError`. Raises `Retry` where a disk or the lake refuses; nothing is lost then, and the same again goes on.
    """
    progress("waiting for the feeder to step aside")
    with (
        take_over(settings.data_dir),
        scratch_folder(settings.data_dir) as folder,
        closing(open_spool(settings)) as log_spool,
        closing(FirstReceipts(settings.data_dir)) as memory,
        closing(FirstReceipts(folder)) as again,
    ):
        store = open_lake(settings, log_spool.log_id)
        _finish(settings, log_spool, store)
        days, start_at = _chosen(store, log_spool, Days.around(since, until), vehicles)
        known = accounts(settings)
        work = _Replay(log_spool, store, known, days, vehicles, Lake(str(folder / "lake"), "replay"))
        work.decode(start_at, memory, again, progress)
        memory.take_in(again)
        tables = [work.put(name, progress) for name in RAW]
        progress("")
        return Replayed(work.messages, days.since, days.until, sorted(days.left), tables)


def _finish(settings: Settings, log_spool: Spool, store: Lake) -> None:
    """Deliver the rest of what a kill left half delivered: a row in the lake must be of a message that is settled."""
    if store.last_delivered_sequence() > log_spool.cursor("lake"):
        with closing(Feeder(log_spool, store, accounts(settings), settings.data_dir)) as feeder:
            feeder.drain(or_raise=True)


def _chosen(store: Lake, log_spool: Spool, days: Days, vehicles: Sequence[str] | None) -> tuple[Days, int]:
    """The days to make again, and from which receipt on messages may speak of them [epoch ms]."""
    found = row_origins(store, log_spool.kept("lake"), days, vehicles)
    first = first_replayable_day(found)
    if days.since is None:
        return msgspec.structs.replace(days, left=frozenset(each.day for each in found if each.gone)), 0
    if first is not None:
        raise ConfigError(
            f"raw messages from before {first} are not all kept any more (collector.raw_days): replay --since {first}, "
            "or leave out --since to replay all days that can be"
        )
    begins = day_span(days.since)[0].timestamp() * 1000 - AHEAD_MS
    return days, int(min([begins, *(each.first_at.timestamp() * 1000 for each in found if each.first_at)]))


class _Memory:
    """What was remembered before the first message that is decoded again, and of all others what is found now."""

    def __init__(self, before: FirstReceipts, again: FirstReceipts, start_at: int) -> None:
        self._before, self._again, self._start_at = before, again, start_at

    def first(self, identities: Sequence[str], received_at: Sequence[int]) -> list[int]:
        """When each of these messages was first received [epoch ms]."""
        known = self._before.known(identities)
        again = self._again.first(identities, received_at)
        return [at if at is not None and at < self._start_at else now for at, now in zip(known, again, strict=True)]


class _Replay:
    """One replay: `decode` fills the scratch lake, `put` brings table by table into the lake."""

    def __init__(
        self,
        log_spool: Spool,
        store: Lake,
        sources: Mapping[str, Source],
        days: Days,
        vehicles: Sequence[str] | None,
        scratch: Lake,
    ) -> None:
        self._spool, self._store, self._sources = log_spool, store, sources
        self._days, self._vehicles, self._scratch = days, vehicles, scratch
        self._theirs = [pl.Series("sequence", dtype=pl.Int64)]
        self.messages = 0

    def decode(
        self, start_at: int, before: FirstReceipts, again: FirstReceipts, progress: Callable[[str], None]
    ) -> None:
        """Decode what was received from `start_at` [epoch ms] on, in the order of the log, as the feeder does."""
        batches = _together(self._spool.settled_since("lake", start_at, self._vehicles))
        first = next(batches, None)
        if first is None:
            return
        begins = first.envelopes[0].received_at
        memory, intake = _Memory(before, again, begins), IntakeStats()
        odometers = OdometerCheck(self._last_readings(begins, memory))
        for batch in itertools.chain([first], batches):
            log.debug("decode begins")
            decoded = decode(batch, self._sources, memory)
            if "status" in decoded.rows:
                decoded.rows["status"] = odometers.flagged(decoded.rows["status"])
                odometers.keep()
            intake.count(decoded)
            self._keep(decoded, intake.rows())
            log.debug("decode ends")
            self.messages += len(batch)
            progress(f"{self.messages:,} messages decoded")

    def put(self, table: str, progress: Callable[[str], None]) -> Change:
        """Replace the days of this table that differ."""
        files = [*self._store.files(table), *self._scratch.files(table)]
        days = sorted(day for day in {file.day for file in files} if self._days.hold(day))
        before = after = changed = 0
        for day in days:
            progress(f"{table} {day}")
            counts = self._put_day(table, day)
            before, after, changed = before + counts[0], after + counts[1], changed + counts[2]
        return Change(table, before, after, len(days), changed)

    def _put_day(self, table: str, day: date) -> tuple[int, int, bool]:
        """Rows before and after, and whether they differ."""
        chosen = vehicles_of_table(table, self._vehicles)
        old, new = self._store.unmerged_rows(table, day, chosen), self._new(table, day)
        before = after = 0
        same = True
        for low, high in vehicle_ranges(pl.concat([old, new]), _SLICE_ROWS):
            was, becomes = merged_range(old, table, low, high), merged_range(new, table, low, high)
            before, after, same = before + was.height, after + becomes.height, same and was.equals(becomes)
        if not same:
            log.debug("replacement begins: %s %s", table, day)
            self._store.replace(table, merged_slices(new, table, _SLICE_ROWS), chosen, *day_span(day))
            log.debug("replacement ends: %s %s", table, day)
        return before, after, not same

    def _new(self, table: str, day: date) -> pl.LazyFrame:
        """The rows that take the day's place.

        What a store refused stays in quarantine: no decoder can tell. Where only some vehicles are asked for, a message
        that nobody could read stays there too, unless it turned out to be one of theirs.
        """
        new = self._scratch.unmerged_rows(table, day)
        if table != "quarantine":
            return new
        refused = self._store.unmerged_rows(table, day, self._vehicles).filter(pl.col("source").is_in(_STORES))
        if self._vehicles is None:
            return pl.concat([refused, new])
        theirs = pl.concat(self._theirs).to_frame().lazy()
        unread = self._store.unmerged_rows(table, day, [UNKNOWN_VEHICLE]).join(theirs, on="sequence", how="anti")
        return pl.concat([unread, refused, new])

    def _keep(self, decoded: DecodeResult, books: pl.DataFrame) -> None:
        if self._vehicles is not None:
            self._theirs.append(_theirs_alone(decoded, self._vehicles))
        for table, rows in {**decoded.rows, "intake": books}.items():
            chosen = vehicles_of_table(table, self._vehicles)
            asked = rows if chosen is None else rows.filter(pl.col("vehicle").is_in(list(chosen)))
            self._scratch.write(table, self._days.among(asked))

    def _last_readings(self, before_at: int, memory: _Memory) -> pl.DataFrame:
        """The reading that each odometer stood at before this receipt [epoch ms], as today's decoders read it.

        Those of the lake are read again; and so is what lies in quarantine from before, which may hold newer ones.
        """
        before = datetime.fromtimestamp(before_at / 1000, UTC)
        known = self._store.latest("status", "odometer_m", before)
        who = ["provider", "vehicle"]
        again = self._status(known["sequence"], memory)
        read = again.join(known, on=[*who, "received_at", "sequence"], how="semi")
        aside = self._store.scan("quarantine").filter(pl.col("received_at") < before).select("sequence").collect()
        found = pl.concat([read, self._status(aside["sequence"], memory)])
        newest = found.drop_nulls("odometer_m").sort("time").group_by(who).last().select(known.columns)
        return pl.concat([known.join(newest, on=who, how="anti"), newest])

    def _status(self, sequences: pl.Series, memory: _Memory) -> pl.DataFrame:
        """Rows of `status` that these messages make, a batch at a time."""
        made = [pl.DataFrame(schema=RAW["status"].schema)]
        for each in sequences.unique().sort().to_frame().iter_slices(_BATCH):
            decoded = decode(self._spool.archived(each.to_series()), self._sources, memory)
            made += [decoded.rows["status"]] if "status" in decoded.rows else []
        return pl.concat(made)


def _theirs_alone(decoded: DecodeResult, vehicles: Sequence[str]) -> pl.Series:
    """The sequences of messages that speak of these vehicles and of no other."""
    who = pl.concat([rows.select("sequence", "vehicle") for rows in decoded.rows.values()] or [_NOBODY])
    theirs = pl.col("vehicle").is_in(list(vehicles))
    return who.group_by("sequence").agg(theirs.all()).filter("vehicle")["sequence"]


def _together(batches: Iterable[Batch]) -> Iterator[Batch]:
    """The same messages in batches of a size that decoding is quick at and that memory need not mind."""
    full, size = Batch([], []), 0
    for batch in batches:
        for place in range(0, len(batch), _BATCH):
            part = batch.part(place, place + _BATCH)
            full.sequences.extend(part.sequences)
            full.envelopes.extend(part.envelopes)
            size += sum(len(envelope.body) for envelope in part.envelopes)
            if len(full) >= _BATCH or size >= _BATCH_BYTES:
                yield full
                full, size = Batch([], []), 0
    if len(full):
        yield full


def lines(told: Replayed) -> Iterator[str]:
    """What was done, for people."""
    yield f"{'table':<12}{'rows before':>14}{'rows after':>14}{'days':>8}{'changed':>10}"
    shown = [each for each in told.tables if each.before or each.after]
    for each in shown:
        yield f"{each.table:<12}{each.before:>14,}{each.after:>14,}{each.days:>8,}{each.days_changed:>10,}"
    if not shown:
        yield "(neither the lake nor the messages speak of these days and vehicles)"
    yield ""
    since, until = told.since or "the first day", told.until or "now"
    yield f"messages decoded again: {told.messages:,}; whole days of UTC, from {since} up to {until}"
    if told.left:
        yield (
            f"{len(told.left):,} days from {told.left[0]} to {told.left[-1]} are left as they are: their raw messages "
            "are not all kept any more"
        )
