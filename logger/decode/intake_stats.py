"""Intake statistics: how many messages came, how many twice and how late, per vehicle, source and hour of receipt.

The figures of an hour are a function of the messages received in it and of nothing else. So they are the same after
any number of restarts: messages that are not in memory are read again from the archive.
"""

import polars as pl

from logger.decode.result import DecodeResult
from logger.tables import TIME, shaped

HOUR_MS = 3_600_000
LATE_MS = 60_000  # a message is late where it comes more than a minute after its own time
_KEY = ("provider", "vehicle", "source")
_LAST = {**dict.fromkeys(_KEY, pl.String()), "key": pl.UInt32(), "received_at": pl.Int64(), "sequence": pl.Int64()}
_OPEN_HOURS = 2  # the newest and the one before it, for messages that cross the turn


class _Hour:
    """The messages of one hour, 16 bytes each, and the last receipt of each key: provider, vehicle and source."""

    def __init__(self) -> None:
        self._messages = pl.DataFrame(schema={"key": pl.UInt32, "identity": pl.UInt64, "latency_ms": pl.Int32})
        self._last = pl.DataFrame(schema=_LAST)

    def add(self, messages: pl.DataFrame) -> None:
        newest = messages.group_by(_KEY).agg(pl.col("received_at", "sequence").max())
        numbered = self._number(newest)
        last = pl.concat([self._last, numbered]).group_by(_KEY)
        self._last = last.agg(pl.col("key", "received_at", "sequence").max())
        latency = (pl.col("received_at") - pl.col("device_at")).clip(-(2**31), 2**31 - 1).cast(pl.Int32)
        compact = messages.join(numbered.select(*_KEY, "key"), on=_KEY, maintain_order="left").select(
            "key", pl.col("identity").hash(seed=7), latency.alias("latency_ms")
        )
        self._messages = pl.concat([self._messages, compact], rechunk=False)

    def _number(self, newest: pl.DataFrame) -> pl.DataFrame:
        """These keys with their numbers, new ones behind those that are known."""
        known = newest.join(self._last.select(*_KEY, "key"), on=_KEY, how="left", maintain_order="left")
        numbers = (known["key"].is_null().cum_sum() - 1 + self._last.height).cast(pl.UInt32)
        return known.with_columns(pl.coalesce("key", numbers)).select(*_LAST)

    def rows(self, hour: int) -> pl.DataFrame:
        """The `intake` rows of this hour [epoch ms]."""
        once = pl.col("identity").is_first_distinct()
        sums = self._messages.group_by("key").agg(
            received=pl.len().cast(pl.Int64),
            duplicates=(pl.len() - pl.col("identity").n_unique()).cast(pl.Int64),
            late=(pl.col("latency_ms") > LATE_MS).sum().cast(pl.Int64),
            median_latency_s=pl.col("latency_ms").filter(once).median().truediv(1000).round(4),
        )
        rows = self._last.join(sums, on="key").with_columns(
            pl.lit(hour, dtype=pl.Int64).cast(TIME).alias("time"),
            pl.col("received_at").cast(TIME),
            pl.lit("push").alias("via"),
            pl.lit("server").alias("clock"),
        )
        return shaped(rows, "intake")


class IntakeStats:
    """The counts of the newest hours: `add` messages in the order of the spool, take the `changed_rows`."""

    def __init__(self) -> None:
        self._hours: dict[int, _Hour] = {}
        self._changed: set[int] = set()

    def add(self, result: DecodeResult) -> None:
        """Count the messages of a batch; each counts once, however many rows it made."""
        for (hour,), messages in result.messages.group_by(pl.col("received_at") // HOUR_MS * HOUR_MS):
            assert isinstance(hour, int)
            self._hours.setdefault(hour, _Hour()).add(messages)
            self._changed.add(hour)

    def changed_rows(self) -> pl.DataFrame:
        """Return the `intake` rows of the hours that changed since the last call, and forget hours that are over."""
        rows = [self._hours[hour].rows(hour) for hour in sorted(self._changed)]
        self._changed.clear()
        for hour in sorted(self._hours)[:-_OPEN_HOURS]:
            del self._hours[hour]
        return pl.concat(rows) if rows else shaped(pl.DataFrame({"sequence": []}), "intake")
