"""From messages to rows that can be delivered: decoding, the odometer check and the intake statistics, in this order.

The feeder and `voltrail replay` take every batch through the same pipeline: the rows are a function of the messages in
the order of the log, however they are split into batches and however often delivery fails.
"""

import logging
from collections.abc import Iterable, Mapping

import polars as pl

from logger.decode.intake_stats import IntakeStats
from logger.decode.messages import Source, decode
from logger.decode.odometer_check import OdometerCheck
from logger.decode.result import DecodeResult
from logger.decode.row_times import Receipts
from logger.envelope import Batch

log = logging.getLogger(__name__)


class Pipeline:
    """Takes batches in the order of the log: `decode`, deliver the rows, `commit`.

    A batch whose delivery failed is decoded again, with the same result. `last_readings` are the `status` rows with
    which each vehicle's next reading is compared.
    """

    def __init__(self, sources: Mapping[str, Source], receipts: Receipts, last_readings: pl.DataFrame) -> None:
        self._sources, self._receipts = sources, receipts
        self._odometers = OdometerCheck(last_readings)
        self._intake = IntakeStats()

    def decode(self, batch: Batch) -> DecodeResult:
        """Return the rows of this batch, with flags of odometers."""
        result = self._decode(batch)
        if "status" in result.rows:
            result.rows["status"] = self._odometers.check(result.rows["status"])
        return result

    def commit(self, result: DecodeResult) -> None:
        """Count the messages of the last `decode`, whose rows are delivered, and compare the next rows with them."""
        if "status" in result.rows:
            self._odometers.commit()
        self._intake.add(result)

    def count(self, batches: Iterable[Batch], since: int) -> None:
        """Count messages received from `since` [epoch ms] on that were delivered by a process before this one."""
        for batch in batches:
            self._intake.add(self._decode(_received_since(batch, since)))

    def changed_intake(self) -> pl.DataFrame:
        """Return the `intake` rows of the hours that changed since the last call."""
        return self._intake.changed_rows()

    def _decode(self, batch: Batch) -> DecodeResult:
        log.debug("decode begins")
        result = decode(batch, self._sources, self._receipts)
        log.debug("decode ends")
        return result


def _received_since(batch: Batch, since: int) -> Batch:
    pairs = zip(batch.sequences, batch.envelopes, strict=True)
    received = [(sequence, envelope) for sequence, envelope in pairs if envelope.received_at >= since]
    return Batch([sequence for sequence, _ in received], [envelope for _, envelope in received])
