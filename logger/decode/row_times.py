"""The time of each row: the device's clock where it is usable, else the first receipt of its message."""

from collections.abc import Sequence
from typing import Protocol

import polars as pl

from logger.decode.values import FLAG, TIME_FLAGS
from logger.mapping import Rows, Shape
from logger.tables import table

BEHIND_MS, AHEAD_MS = 30 * 86_400_000, 600_000  # a device time so far behind or ahead of the receipt is a wrong clock
_FIRST_MS = 946_684_800_000  # 2000-01-01: what is older is by a clock that began anew
_REPEAT_MS = 60_000  # vendors repeat an unanswered push within seconds (Segway: once, after 5 s)


class Receipts(Protocol):
    """Remembers messages whose time was replaced, so that a repeat gets the same time and not a new one."""

    def remember(self, identities: Sequence[str], received_at: Sequence[int]) -> list[int]:
        """Return when each of these messages was first received [epoch ms]; durable on return."""


def add_time(frame: pl.DataFrame, rows: Rows, path: str, shape: Shape, receipts: Receipts) -> pl.DataFrame:
    """Add `time`, `clock` and time flags: the device's clock where it is usable, else the message's first receipt.

    A device time is compared with the first receipt, so that a repeat which comes later gets the same time and flag.
    Only messages whose time is, or could become, unusable are remembered.
    """
    if rows.first_seen:
        return _add_first_seen(frame, rows, receipts)
    if "first_at" not in frame.columns:
        off = pl.col("device_at") - pl.col("received_at")
        near = pl.col("device_at") >= _FIRST_MS if rows.history else off > _REPEAT_MS - BEHIND_MS
        sure = near & (off < AHEAD_MS - _REPEAT_MS)
        frame = add_first_receipts(frame, path, shape, receipts, of=~sure.fill_null(False))
    return _choose_time(frame.with_columns(_time_problem(rows)))


_ALL = pl.lit(True)


def add_first_receipts(
    frame: pl.DataFrame, path: str, shape: Shape, receipts: Receipts, of: pl.Expr = _ALL
) -> pl.DataFrame:
    """Add when each message was first received as `first_at`; those that `of` selects are remembered."""
    unsure = frame.filter(of).unique("sequence", keep="first", maintain_order=True)  # a message may make many rows
    unsure = unsure.select("sequence", "received_at", message_identity(path, shape))
    first = receipts.remember(unsure["identity"].to_list(), unsure["received_at"].to_list()) if unsure.height else []
    firsts = unsure.select("sequence", pl.Series("first_at", first, dtype=pl.Int64))
    return frame.join(firsts, on="sequence", how="left", maintain_order="left").with_columns(
        pl.coalesce("first_at", "received_at").alias("first_at")
    )


def _add_first_seen(frame: pl.DataFrame, rows: Rows, receipts: Receipts) -> pl.DataFrame:
    """Add the first receipt of each row's key as its time; nothing is wrong with such a time."""
    names = [field.path for field in rows.fields if field.to in table(rows.table).key]
    identity = pl.concat_str("vehicle", pl.lit(f"first {rows.constants}"), *names, separator="\n", ignore_nulls=True)
    keyed = frame.with_columns(identity.alias("identity"))
    once = keyed.unique("identity", keep="first", maintain_order=True)
    first = receipts.remember(once["identity"].to_list(), once["received_at"].to_list())
    firsts = once.select("identity", pl.Series("time", first, dtype=pl.Int64))
    no_flags = (pl.lit(False).alias(f"{FLAG}{word}") for word in TIME_FLAGS)
    return keyed.join(firsts, on="identity", how="left", maintain_order="left").with_columns(
        pl.lit("received").alias("clock"), *no_flags
    )


def _choose_time(frame: pl.DataFrame) -> pl.DataFrame:
    replaced = pl.col("time_problem").is_not_null()
    return frame.with_columns(
        pl.when(replaced).then("first_at").otherwise("device_at").alias("time"),
        pl.when(replaced).then(pl.lit("received")).otherwise("time_clock").alias("clock"),
        *((pl.col("time_problem") == word).fill_null(False).alias(f"{FLAG}{word}") for word in TIME_FLAGS),
    )


def _time_problem(rows: Rows) -> pl.Expr:
    """The time flag of a row; null where its device time is usable."""
    off = pl.col("device_at") - pl.col("first_at")
    is_behind = pl.col("device_at") < _FIRST_MS if rows.history else off < -BEHIND_MS
    return (
        pl.when(off.is_null())
        .then(pl.lit("time_missing"))
        .when(is_behind)
        .then(pl.lit("time_behind"))
        .when(off > AHEAD_MS)
        .then(pl.lit("time_ahead"))
        .alias("time_problem")
    )


def message_identity(path: str, shape: Shape) -> pl.Expr:
    """A text that a repeat of the message shares with it, and no other message; its receipt where it has none."""
    given = pl.col(shape.identity).str.to_lowercase() if shape.identity else pl.lit(None, dtype=pl.String)
    identity = pl.coalesce(given, pl.col("received_at").cast(pl.String))
    return pl.concat_str(pl.col("vehicle"), pl.lit(path), identity, separator="\n").alias("identity")
