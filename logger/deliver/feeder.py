"""The feeder: reads messages from the spool, decodes them, delivers the rows to one sink, and maintains the sink.

It may be killed at any moment and started again. The sink's cursor moves only after its commit; rows that were
delivered before are left out by their sequence; everything that is kept in memory is rebuilt from what is on disk.
"""

import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import polars as pl

from logger.decode.first_receipts import FirstReceipts
from logger.decode.intake_stats import HOUR_MS
from logger.decode.messages import Source
from logger.decode.pipeline import Pipeline
from logger.decode.result import DecodeResult
from logger.envelope import Batch
from logger.errors import LoggerError, LoginNeeded, Retry
from logger.process_state import FeederState
from logger.spool.log import Spool
from logger.spool.vehicle_index import UNKNOWN_VEHICLE
from logger.stores.contract import Store
from logger.tables import RAW, shaped

log = logging.getLogger(__name__)

COMMIT_S = 1.0  # a lake commit costs 7 ms and a file: one a second is fresh enough and leaves few files
_MAX_WAIT_S = 10.0
_MAINTENANCE_S = 60.0  # of a sink without maintenance of its own: the intake statistics are written
_FULL_BATCH = 1000  # messages; after fewer, the next ones are waited for


class Maintenance(Protocol):
    """What a sink needs beside its rows, every so often. Both methods raise `Retry` and `LoginNeeded`."""

    every_s: float

    def prepare(self) -> None:
        """Do what is needed before the first row."""

    def run(self) -> None:
        """Do what is due."""


class RefusedRows(Protocol):
    """Rows of one batch that a sink will never take."""

    def write(self) -> None:
        """Store them elsewhere. Raises `Retry`."""

    def forget(self) -> None:
        """Drop them: the batch is delivered again from its beginning."""


class Feeder:
    """Delivers the spool to one sink, `step` by `step`; `clock` returns monotonic seconds.

    `maintenance` runs when it is due; `refusals` are written before a batch counts as delivered.
    """

    def __init__(
        self,
        spool: Spool,
        store: Store,
        sources: Mapping[str, Source],
        folder: Path,
        maintenance: Maintenance | None = None,
        refusals: RefusedRows | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._spool, self._store, self._sources, self._sink = spool, store, sources, store.name
        self._receipts = FirstReceipts(folder)
        self._state = FeederState(folder, self._sink)
        self._maintenance, self._refusals, self._clock = maintenance, refusals, clock
        self._maintenance_s = maintenance.every_s if maintenance else _MAINTENANCE_S
        self._next_maintenance = clock() + self._maintenance_s
        self._pipeline: Pipeline | None = None
        self._unwritten_intake = shaped(pl.DataFrame({"sequence": []}), "intake")
        self._failures_in_row = 0
        self._failure: LoggerError | None = None

    def step(self) -> float:
        """Deliver one batch; return how long to wait before the next [s]. Failures are logged, never raised."""
        try:
            began = self._clock()
            count = self._deliver(self._ready_pipeline())
            if self._clock() >= self._next_maintenance:
                self.run_maintenance()
            self._failures_in_row, self._failure = 0, None
            depth = self._spool.depth(self._sink)
            self._state.write(depth)
            is_behind = count >= _FULL_BATCH and depth > 0
            return 0.0 if is_behind else max(0.0, COMMIT_S - (self._clock() - began))
        except (Retry, LoginNeeded) as error:
            return self._fail(error)

    def drain(self, *, or_raise: bool = False) -> None:
        """Deliver all that waits and write the intake statistics; where the sink refuses, give up or raise why."""
        while (depth := self._spool.depth(self._sink)) > 0:
            if self._failure is None:
                self.step()
            if self._failure and or_raise:
                raise self._failure
            if self._failure:
                log.warning("%s does not take more; %d messages stay in the spool", self._sink, depth)
                return
        try:
            self._write_intake()
        except (Retry, LoginNeeded) as error:
            log.warning("%s; the intake statistics are completed at the next start", error)
        self._state.write(0)

    def run_maintenance(self) -> None:
        """Write the intake statistics and do what else the sink needs. Raises `Retry` and `LoginNeeded`."""
        self._next_maintenance = self._clock() + self._maintenance_s
        self._write_intake()
        if self._maintenance:
            self._maintenance.run()

    def close(self) -> None:
        """Close the files."""
        self._receipts.close()

    # ---- one step --------------------------------------------------------------------------------------------------

    def _ready_pipeline(self) -> Pipeline:
        """The pipeline; at the first call, made as it was when the last batch before this process was delivered."""
        if self._pipeline is None:
            if self._maintenance:
                self._maintenance.prepare()
            pipeline = Pipeline(self._sources, self._receipts, self._store.latest("status", "odometer_m"))
            if since := self._first_open_hour():
                pipeline.count(self._spool.read_settled(self._sink, since), since)
            self._pipeline = pipeline
        return self._pipeline

    def _first_open_hour(self) -> int:
        """The hour from which on messages must be counted again [epoch ms].

        Statistics are written hour by hour: where those of the newest hour are stored, the hour before it is complete.
        """
        newest = self._spool.last_archived_at() // HOUR_MS * HOUR_MS
        stored = self._store.scan("intake", datetime.fromtimestamp(newest / 1000, UTC)).head(1).collect()
        return newest if stored.height else max(0, newest - HOUR_MS)

    def _deliver(self, pipeline: Pipeline) -> int:
        batch = self._spool.read(self._sink)
        if not len(batch):
            return 0
        result = pipeline.decode(batch)
        self._write(result)
        self._spool.settle(self._sink, batch.sequences[-1], _vehicles(batch, result))
        pipeline.commit(result)
        self._state.add_messages(len(batch), self._clock())
        return len(batch)

    def _write(self, result: DecodeResult) -> None:
        log.debug("%s commit begins", self._sink)
        if self._refusals:
            self._refusals.forget()
        for table, rows in result.rows.items():
            self._state.add_rows(table, self._store.write(table, rows))
        if self._refusals:
            self._refusals.write()
        log.debug("%s commit ends", self._sink)

    def _write_intake(self) -> None:
        """Write the statistics that changed; what the store refuses is kept for the next time."""
        if self._pipeline is None:
            return
        changed = pl.concat([self._unwritten_intake, self._pipeline.changed_intake()])
        self._unwritten_intake = changed.unique(RAW["intake"].key, keep="last", maintain_order=True)
        self._store.write("intake", self._unwritten_intake)
        self._unwritten_intake = self._unwritten_intake.clear()

    def _fail(self, error: Retry | LoginNeeded) -> float:
        """Note and log a failure; return how long to wait [s], twice as long after each in a row."""
        self._failures_in_row, self._failure = self._failures_in_row + 1, error
        self._state.write_failure(str(error))
        after = error.after if isinstance(error, Retry) else _MAX_WAIT_S
        wait: float = max(after, min(_MAX_WAIT_S, after * 2 ** min(self._failures_in_row - 1, 8)))
        log.error("%s; nothing is lost, again in %.0f s", error, wait)
        return wait


def _vehicles(batch: Batch, result: DecodeResult) -> set[str]:
    """The vehicles of these messages. A slice of a file may hold more vehicles than today's decoder makes rows of."""
    frames = [result.messages, *(rows for table, rows in result.rows.items() if table != "collector")]
    vehicles = {vehicle or UNKNOWN_VEHICLE for frame in frames for vehicle in frame["vehicle"].unique()}
    is_import = any(envelope.source == "import" for envelope in batch.envelopes)
    return vehicles | {UNKNOWN_VEHICLE} if is_import else vehicles
