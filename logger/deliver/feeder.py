"""The feeder: reads the spool, decodes, delivers to each sink, keeps house. May die at any moment and start again.

What makes that harmless: a sink's cursor moves only after its commit; a row that was delivered before is left out by
its sequence; and whatever else is kept in memory is rebuilt from what is on disk.
"""

import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import polars as pl

from logger.decode.first_receipts import FirstReceipts
from logger.decode.intake_stats import HOUR_MS, IntakeStats
from logger.decode.messages import Source, decode
from logger.decode.odometer_check import OdometerCheck
from logger.decode.result import DecodeResult
from logger.envelope import Batch
from logger.errors import LoggerError, LoginNeeded, Retry
from logger.process_state import FeederState
from logger.spool.log import Spool
from logger.spool.vehicle_index import UNKNOWN_VEHICLE
from logger.stores.contract import Store
from logger.tables import RAW

log = logging.getLogger(__name__)

COMMIT_S = 1.0  # a lake commit costs 7 ms and a file: one a second is fresh enough and leaves few files
_MAX_WAIT_S = 10.0
_EVERY_S = 60.0  # books on intake


class Maintenance(Protocol):
    """What a sink needs beside its rows, every so often. Raises `Retry` and `LoginNeeded`."""

    every_s: float

    def open(self) -> None:
        """Before the first row."""

    def keep(self) -> None:
        """From time to time."""


class RefusedRows(Protocol):
    """Rows that a sink will never take."""

    def write(self) -> None:
        """Put them where they are safe. Raises `Retry`."""

    def forget(self) -> None:
        """The batch is tried again from its beginning."""


class Feeder:
    """One sink's way out of the spool, `step` by `step`; `clock` tells monotonic seconds.

    `house` is kept when it is due; `refusals` are written before a batch counts as delivered.
    """

    def __init__(
        self,
        spool: Spool,
        store: Store,
        sources: Mapping[str, Source],
        folder: Path,
        house: Maintenance | None = None,
        refusals: RefusedRows | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._spool, self._store, self._sources, self._sink = spool, store, sources, store.name
        self._memory = FirstReceipts(folder)
        self._state = FeederState(folder, self._sink)
        self._house, self._refusals, self._clock = house, refusals, clock
        self._every_s = house.every_s if house else _EVERY_S
        self._next_house = clock() + self._every_s
        self._odometers: OdometerCheck | None = None
        self._intake = IntakeStats()
        self._books = self._intake.rows()
        self._failures_in_row = 0
        self._failure: LoggerError | None = None

    def step(self) -> float:
        """Deliver one batch; returns how long to wait before the next [s]. Failures are logged, never raised."""
        try:
            began = self._clock()
            self._start()
            count = self._deliver()
            if self._clock() >= self._next_house:
                self.keep_house()
            self._failures_in_row, self._failure = 0, None
            self._state.write(self._spool.depth(self._sink))
            busy = count >= 1000 and self._spool.depth(self._sink) > 0
            return 0.0 if busy else max(0.0, COMMIT_S - (self._clock() - began))
        except (Retry, LoginNeeded) as error:
            self._failures_in_row, self._failure = self._failures_in_row + 1, error
            self._state.write_failure(str(error))
            after = error.after if isinstance(error, Retry) else _MAX_WAIT_S
            wait: float = max(after, min(_MAX_WAIT_S, after * 2 ** min(self._failures_in_row - 1, 8)))
            log.error("%s; nothing is lost, again in %.0f s", error, wait)
            return wait

    def drain(self, *, or_raise: bool = False) -> None:
        """Deliver all that waits, the books included; gives up, or raises why, where the sink does or just did."""
        while (depth := self._spool.depth(self._sink)) > 0:
            if self._failure is None:
                self.step()
            if self._failure and or_raise:
                raise self._failure
            if self._failure:
                log.warning("%s does not take more; %d messages stay in the spool", self._sink, depth)
                return
        try:
            self._write_books()
        except (Retry, LoginNeeded) as error:
            log.warning("%s; the books on intake are made up at the next start", error)
        self._state.write(0)

    def close(self) -> None:
        """Let go of the files."""
        self._memory.close()

    def _start(self) -> None:
        if self._odometers is None:
            if self._house:
                self._house.open()
            odometers, intake = OdometerCheck(self._store.latest("status", "odometer_m")), IntakeStats()
            hour = self._first_open_hour()
            for batch in self._spool.settled_since(self._sink, hour) if hour else ():
                since = [at for at, envelope in enumerate(batch.envelopes) if envelope.received_at >= hour]
                intake.count(self._decoded(batch.part(since[0], len(batch)) if since else batch.part(0, 0)))
            self._odometers, self._intake = odometers, intake

    def _first_open_hour(self) -> int:
        """From when on the books must be made up [epoch ms]: once they hold an hour, the one before it is whole."""
        newest = self._spool.last_settled_at() // HOUR_MS * HOUR_MS
        booked = self._store.scan("intake", datetime.fromtimestamp(newest / 1000, UTC)).head(1).collect()
        return newest if booked.height else max(0, newest - HOUR_MS)

    def _write_books(self) -> None:
        """Write what has changed in the books; what the lake refuses is kept for the next time."""
        fresh = pl.concat([self._books, self._intake.rows()])
        self._books = fresh.unique(RAW["intake"].key, keep="last", maintain_order=True)
        self._store.write("intake", self._books)
        self._books = self._books.clear()

    def _deliver(self) -> int:
        batch = self._spool.read(self._sink)
        if not len(batch):
            return 0
        decoded = self._decoded(batch)
        if self._odometers and "status" in decoded.rows:
            decoded.rows["status"] = self._odometers.flagged(decoded.rows["status"])
        self._write(decoded)
        self._spool.settle(self._sink, batch.sequences[-1], _heard(batch, decoded))
        if self._odometers and "status" in decoded.rows:
            self._odometers.keep()
        self._intake.count(decoded)
        self._state.add_messages(len(batch), self._clock())
        return len(batch)

    def _write(self, decoded: DecodeResult) -> None:
        log.debug("%s commit begins", self._sink)
        if self._refusals:
            self._refusals.forget()
        for table, rows in decoded.rows.items():
            self._state.add_rows(table, self._store.write(table, rows))
        if self._refusals:
            self._refusals.write()
        log.debug("%s commit ends", self._sink)

    def _decoded(self, batch: Batch) -> DecodeResult:
        log.debug("decode begins")
        decoded = decode(batch, self._sources, self._memory)
        log.debug("decode ends")
        return decoded

    def keep_house(self) -> None:
        """Write the books, and whatever else the sink needs from time to time. Raises `Retry` and `LoginNeeded`."""
        self._next_house = self._clock() + self._every_s
        self._write_books()
        if self._house:
            self._house.keep()


def _heard(batch: Batch, decoded: DecodeResult) -> set[str]:
    """Whom these messages speak of. A slice of a file may hold more than today's decoder makes of it."""
    frames = [decoded.messages, *(rows for table, rows in decoded.rows.items() if table != "collector")]
    told = {vehicle or UNKNOWN_VEHICLE for frame in frames for vehicle in frame["vehicle"].unique()}
    return told | {UNKNOWN_VEHICLE} if any(envelope.source == "import" for envelope in batch.envelopes) else told
