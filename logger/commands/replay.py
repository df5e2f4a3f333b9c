"""`voltrail replay`: decode the raw messages again, so that the lake is as if today's decoders had always been there.

The new rows go into a lake of their own first. Only then the days that differ are replaced, the day of a table in one
commit: whenever this ends, each day is either the old or the new one, and another replay does the rest.
"""

import itertools
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, date, datetime

import msgspec
import polars as pl

from logger.commands.output import Block, table_of
from logger.commands.replayable_days import Days, first_replayable_day, row_origins, vehicles_of_table
from logger.decode.first_receipts import FirstReceipts
from logger.decode.messages import Source, decode
from logger.decode.pipeline import Pipeline
from logger.decode.result import DecodeResult
from logger.decode.row_times import AHEAD_MS
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

_BATCH, _BATCH_BYTES = 20_000, 16 << 20  # as fast as the feeder's batches, with half the memory
_SLICE_ROWS = 20_000  # old and new rows of a slice are in memory at once
_REFUSING_STORES = ("influx",)  # stores whose refused rows are in quarantine
_NO_VEHICLES = pl.DataFrame(schema={"sequence": pl.Int64, "vehicle": pl.String})


class Change(msgspec.Struct, frozen=True):
    """How a table changed: rows of the replayed days before and after, these days, and how many of them differed."""

    table: str
    before: int
    after: int
    days: int
    days_changed: int


class ReplayResult(msgspec.Struct, frozen=True):
    """What a replay did. Days are of UTC, `until` not included; of those in `left`, some messages cannot be read."""

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
) -> ReplayResult:
    """Decode again and replace the days that this span overlaps, for these vehicles (None: for all).

    Without `since`, days of which some messages cannot be read are left as they are; with a `since` before such a day,
    `ConfigError` is raised. Raises `Retry` where a disk or the lake refuses: no row is lost, and the same command
    continues.
    """
    progress("waiting for the feeder to pause")
    with (
        take_over(settings.data_dir),
        scratch_folder(settings.data_dir) as folder,
        closing(open_spool(settings)) as spool,
        closing(FirstReceipts(settings.data_dir)) as receipts,
        closing(FirstReceipts(folder)) as new_receipts,
    ):
        store = open_lake(settings, spool.log_id)
        _deliver_rest(settings, spool, store)
        days, start_at = _choose_days(store, spool, Days.overlapping(since, until), vehicles)
        work = _Replay(spool, store, accounts(settings), days, vehicles, Lake(str(folder / "lake"), "replay"))
        work.decode(start_at, receipts, new_receipts, progress)
        receipts.merge(new_receipts)
        tables = [work.replace_days(name, progress) for name in RAW]
        progress("")
        return ReplayResult(work.messages, days.since, days.until, sorted(days.left), tables)


def _deliver_rest(settings: Settings, spool: Spool, store: Lake) -> None:
    """Deliver the rest of a batch that a kill interrupted: every row in the lake must be of a settled message."""
    if store.last_delivered_sequence() > spool.cursor("lake"):
        with closing(Feeder(spool, store, accounts(settings), settings.data_dir)) as feeder:
            feeder.drain(or_raise=True)


def _choose_days(store: Lake, spool: Spool, days: Days, vehicles: Sequence[str] | None) -> tuple[Days, int]:
    """The days to replace, and from which receipt on messages may have rows in them [epoch ms]."""
    origins = row_origins(store, spool.archived_runs("lake"), days, vehicles)
    if days.since is None:
        return msgspec.structs.replace(days, left=frozenset(each.day for each in origins if each.incomplete)), 0
    first = first_replayable_day(origins)
    if first is not None:
        raise ConfigError(
            f"raw messages from before {first} are not all kept any more (collector.raw_days): replay --since {first}, "
            "or leave out --since to replay all days that can be"
        )
    begin = day_span(days.since)[0].timestamp() * 1000 - AHEAD_MS
    return days, int(min([begin, *(each.first_at.timestamp() * 1000 for each in origins if each.first_at)]))


class _ReplayReceipts:
    """First receipts: those known from before the first message that is decoded again, else those of the replay."""

    def __init__(self, known: FirstReceipts, new: FirstReceipts, start_at: int) -> None:
        self._known, self._new, self._start_at = known, new, start_at

    def remember(self, identities: Sequence[str], received_at: Sequence[int]) -> list[int]:
        """Return when each of these messages was first received [epoch ms]."""
        pairs = zip(self._known.look_up(identities), self._new.remember(identities, received_at), strict=True)
        return [known if known is not None and known < self._start_at else new for known, new in pairs]


class _Replay:
    """One replay: `decode` fills the scratch lake, `replace_days` brings a table from there into the lake."""

    def __init__(
        self,
        spool: Spool,
        store: Lake,
        sources: Mapping[str, Source],
        days: Days,
        vehicles: Sequence[str] | None,
        scratch: Lake,
    ) -> None:
        self._spool, self._store, self._sources = spool, store, sources
        self._days, self._vehicles, self._scratch = days, vehicles, scratch
        self._chosen_sequences = [pl.Series("sequence", dtype=pl.Int64)]
        self.messages = 0

    def decode(self, start_at: int, known: FirstReceipts, new: FirstReceipts, progress: Callable[[str], None]) -> None:
        """Decode what was received from `start_at` [epoch ms] on, in the order of the log, as the feeder does."""
        batches = _regroup(self._spool.read_settled("lake", start_at, self._vehicles))
        first = next(batches, None)
        if first is None:
            return
        begin = first.envelopes[0].received_at
        receipts = _ReplayReceipts(known, new, begin)
        pipeline = Pipeline(self._sources, receipts, self._last_readings(begin, receipts))
        for batch in itertools.chain([first], batches):
            result = pipeline.decode(batch)
            pipeline.commit(result)
            self._write(result, pipeline.changed_intake())
            self.messages += len(batch)
            progress(f"{self.messages:,} messages decoded")

    def _write(self, result: DecodeResult, intake: pl.DataFrame) -> None:
        """Write the rows of the chosen days and vehicles into the scratch lake."""
        if self._vehicles is not None:
            self._chosen_sequences.append(_sequences_of(result, self._vehicles))
        for table, rows in {**result.rows, "intake": intake}.items():
            vehicles = vehicles_of_table(table, self._vehicles)
            chosen = rows if vehicles is None else rows.filter(pl.col("vehicle").is_in(list(vehicles)))
            self._scratch.write(table, self._days.filter_rows(chosen))

    # ---- the odometers to begin with -------------------------------------------------------------------------------

    def _last_readings(self, before_at: int, receipts: _ReplayReceipts) -> pl.DataFrame:
        """Each vehicle's last odometer reading before this receipt [epoch ms], as today's decoders read it.

        Readings of the lake are decoded again; so are messages in quarantine, which may hold newer ones.
        """
        before, vehicle = datetime.fromtimestamp(before_at / 1000, UTC), ["provider", "vehicle"]
        stored = self._store.latest("status", "odometer_m", before)
        decoded = self._decode_status(stored["sequence"], receipts)
        decoded = decoded.join(stored, on=[*vehicle, "received_at", "sequence"], how="semi")
        quarantine = self._store.scan("quarantine").filter(pl.col("received_at") < before).select("sequence").collect()
        rows = pl.concat([decoded, self._decode_status(quarantine["sequence"], receipts)])
        newest = rows.drop_nulls("odometer_m").sort("time").group_by(vehicle).last().select(stored.columns)
        return pl.concat([stored.join(newest, on=vehicle, how="anti"), newest])

    def _decode_status(self, sequences: pl.Series, receipts: _ReplayReceipts) -> pl.DataFrame:
        """The rows of `status` of these messages, decoded a batch at a time."""
        parts = [pl.DataFrame(schema=RAW["status"].schema)]
        for each in sequences.unique().sort().to_frame().iter_slices(_BATCH):
            result = decode(self._spool.read_sequences(each.to_series()), self._sources, receipts)
            parts += [result.rows["status"]] if "status" in result.rows else []
        return pl.concat(parts)

    # ---- into the lake ---------------------------------------------------------------------------------------------

    def replace_days(self, table: str, progress: Callable[[str], None]) -> Change:
        """Replace the days of this table that differ."""
        files = [*self._store.files(table), *self._scratch.files(table)]
        days = sorted(day for day in {file.day for file in files} if self._days.includes(day))
        before = after = changed = 0
        for day in days:
            progress(f"{table} {day}")
            counts = self._replace_day(table, day)
            before, after, changed = before + counts[0], after + counts[1], changed + counts[2]
        return Change(table, before, after, len(days), changed)

    def _replace_day(self, table: str, day: date) -> tuple[int, int, bool]:
        """Replace the day if it differs; return the rows before and after, and whether it does."""
        vehicles = vehicles_of_table(table, self._vehicles)
        old, new = self._store.unmerged_rows(table, [day], vehicles), self._new_rows(table, day)
        before = after = 0
        same = True
        for low, high in vehicle_ranges(pl.concat([old, new]), _SLICE_ROWS):
            old_part, new_part = merged_range(old, table, low, high), merged_range(new, table, low, high)
            before, after, same = before + old_part.height, after + new_part.height, same and old_part.equals(new_part)
        if not same:
            log.debug("replacement begins: %s %s", table, day)
            self._store.replace(table, merged_slices(new, table, _SLICE_ROWS), vehicles, *day_span(day))
            log.debug("replacement ends: %s %s", table, day)
        return before, after, not same

    def _new_rows(self, table: str, day: date) -> pl.LazyFrame:
        """The rows that replace those of the day.

        Rows that a store refused stay in quarantine: no message holds them. Where only some vehicles are replayed, a
        message that could not be read stays there too, unless it turned out to be one of theirs.
        """
        new = self._scratch.unmerged_rows(table, [day])
        if table != "quarantine":
            return new
        is_refused = pl.col("source").is_in(_REFUSING_STORES)
        refused = self._store.unmerged_rows(table, [day], self._vehicles).filter(is_refused)
        if self._vehicles is None:
            return pl.concat([refused, new])
        chosen = pl.concat(self._chosen_sequences).to_frame().lazy()
        unread = self._store.unmerged_rows(table, [day], [UNKNOWN_VEHICLE]).join(chosen, on="sequence", how="anti")
        return pl.concat([unread, refused, new])


def _sequences_of(result: DecodeResult, vehicles: Sequence[str]) -> pl.Series:
    """The sequences of the messages all of whose rows are of these vehicles."""
    rows = pl.concat([rows.select("sequence", "vehicle") for rows in result.rows.values()] or [_NO_VEHICLES])
    is_chosen = pl.col("vehicle").is_in(list(vehicles))
    return rows.group_by("sequence").agg(is_chosen.all()).filter("vehicle")["sequence"]


def _regroup(batches: Iterable[Batch]) -> Iterator[Batch]:
    """The same messages in batches that are large enough to decode fast and small enough for the memory."""
    batch, size = Batch([], []), 0
    for each in batches:
        for start in range(0, len(each), _BATCH):
            piece = each.part(start, start + _BATCH)
            batch.sequences.extend(piece.sequences)
            batch.envelopes.extend(piece.envelopes)
            size += sum(len(envelope.body) for envelope in piece.envelopes)
            if len(batch) >= _BATCH or size >= _BATCH_BYTES:
                yield batch
                batch, size = Batch([], []), 0
    if len(batch):
        yield batch


def view(result: ReplayResult) -> Iterator[Block]:
    """Yield the result for people."""
    changes = [each for each in result.tables if each.before or each.after]
    yield table_of(changes, ("table", "rows before", "rows after", "days", "changed"))
    if not changes:
        yield "(neither the lake nor the messages have rows of these days and vehicles)"
    yield ""
    since, until = result.since or "the first day", result.until or "now"
    yield f"messages decoded again: {result.messages:,}; whole days of UTC, from {since} up to {until}"
    if result.left:
        yield (
            f"{len(result.left):,} days from {result.left[0]} to {result.left[-1]} are left as they are: their raw "
            "messages are not all kept any more"
        )
