"""The result of decoding: rows by table, a line per message for the intake statistics, and rows of `quarantine`."""

import hashlib
from collections.abc import Sequence

import msgspec
import polars as pl

from logger.decode.values import finish_rows
from logger.envelope import Batch

MESSAGES = {
    "sequence": pl.Int64(), "source": pl.String(), "provider": pl.String(), "vehicle": pl.String(),
    "received_at": pl.Int64(), "device_at": pl.Int64(), "identity": pl.String(),
}  # fmt: skip


class DecodeResult(msgspec.Struct):
    """Rows by table, and one line per readable message (columns `MESSAGES`) for the intake statistics."""

    rows: dict[str, pl.DataFrame]
    messages: pl.DataFrame

    @property
    def quarantined(self) -> int:
        """How many messages are in quarantine."""
        return self.rows["quarantine"].height if "quarantine" in self.rows else 0


def merge_results(parts: Sequence[DecodeResult]) -> DecodeResult:
    """Return several results as one."""
    tables: dict[str, list[pl.DataFrame]] = {}
    for part in parts:
        for name, rows in part.rows.items():
            if not rows.is_empty():
                tables.setdefault(name, []).append(rows)
    messages = [part.messages for part in parts if not part.messages.is_empty()]
    return DecodeResult(
        {name: pl.concat(frames) for name, frames in tables.items()},
        pl.concat(messages) if messages else pl.DataFrame(schema=MESSAGES),
    )


def quarantine_messages(
    batch: Batch, reasons: Sequence[str], provider: str = "none", vehicles: Sequence[str | None] | None = None
) -> DecodeResult:
    """Return these messages as rows of `quarantine`, each with its reason and its bytes."""
    rows = pl.DataFrame(
        {
            "provider": [provider] * len(batch),
            "vehicle": [vehicle or "none" for vehicle in vehicles or [None] * len(batch)],
            "time": [envelope.received_at for envelope in batch.envelopes],
            "received_at": [envelope.received_at for envelope in batch.envelopes],
            "via": [envelope.via for envelope in batch.envelopes],
            "clock": ["received"] * len(batch),
            "sequence": batch.sequences,
            "message": [hashlib.blake2b(envelope.body, digest_size=16).hexdigest() for envelope in batch.envelopes],
            "source": [envelope.source for envelope in batch.envelopes],
            "path": [envelope.path for envelope in batch.envelopes],
            "reason": list(reasons),
            "body": [envelope.body for envelope in batch.envelopes],
        }
    )
    return DecodeResult({"quarantine": finish_rows(rows, "quarantine")}, pl.DataFrame(schema=MESSAGES))
