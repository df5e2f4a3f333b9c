"""The books on intake: per vehicle, source and hour of receipt, how much came, how much twice, how late.

The figures of an hour are a function of the messages received in it and nothing else, so that they are the same after
any number of restarts: what is not in memory is read again from the day files.
"""

import polars as pl

from logger.decode.result import DecodeResult
from logger.tables import TIME, shaped

HOUR_MS = 3_600_000
LATE_MS = 60_000  # a message that comes a minute after its own time is late
_WHO = ("provider", "vehicle", "source")
_LAST = {**dict.fromkeys(_WHO, pl.String()), "who": pl.UInt32(), "received_at": pl.Int64(), "sequence": pl.Int64()}
_OPEN_HOURS = 2  # the newest and the one before it, for messages that cross the turn


class _Hour:
    """The messages of one hour, 16 bytes each, and when each vehicle's last one came."""

    def __init__(self) -> None:
        self.messages = pl.DataFrame(schema={"who": pl.UInt32, "identity": pl.UInt64, "latency_ms": pl.Int32})
        self.last = pl.DataFrame(schema=_LAST)

    def add(self, messages: pl.DataFrame) -> None:
        newest = messages.group_by(_WHO).agg(pl.col("received_at", "sequence").max())
        known = newest.join(self.last.select(*_WHO, "who"), on=_WHO, how="left", maintain_order="left")
        new = known["who"].is_null()
        numbers = (new.cum_sum() - 1 + self.last.height).cast(pl.UInt32)
        numbered = known.with_columns(pl.coalesce("who", numbers)).select(*_LAST)
        self.last = pl.concat([self.last, numbered]).group_by(_WHO).agg(pl.col("who", "received_at", "sequence").max())
        latency = (pl.col("received_at") - pl.col("device_at")).clip(-(2**31), 2**31 - 1).cast(pl.Int32)
        slim = messages.join(numbered.select(*_WHO, "who"), on=_WHO, maintain_order="left").select(
            "who", pl.col("identity").hash(seed=7), latency.alias("latency_ms")
        )
        self.messages = pl.concat([self.messages, slim], rechunk=False)

    def sums(self, hour: int) -> pl.DataFrame:
        """`intake` rows of this hour [epoch ms]."""
        once = pl.col("identity").is_first_distinct()
        sums = self.messages.group_by("who").agg(
            received=pl.len().cast(pl.Int64),
            duplicates=(pl.len() - pl.col("identity").n_unique()).cast(pl.Int64),
            late=(pl.col("latency_ms") > LATE_MS).sum().cast(pl.Int64),
            median_latency_s=pl.col("latency_ms").filter(once).median().truediv(1000).round(4),
        )
        rows = self.last.join(sums, on="who").with_columns(
            pl.lit(hour, dtype=pl.Int64).cast(TIME).alias("time"),
            pl.col("received_at").cast(TIME),
            pl.lit("push").alias("via"),
            pl.lit("server").alias("clock"),
        )
        return shaped(rows, "intake")


class IntakeStats:
    """Counts of the hours still open: `count` messages in the order of the spool, `rows` tells what changed."""

    def __init__(self) -> None:
        self._hours: dict[int, _Hour] = {}
        self._changed: set[int] = set()

    def count(self, decoded: DecodeResult) -> None:
        """Add the messages of a batch; each is counted once, whatever it made."""
        for (hour,), part in decoded.messages.group_by(pl.col("received_at") // HOUR_MS * HOUR_MS):
            assert isinstance(hour, int)
            self._hours.setdefault(hour, _Hour()).add(part)
            self._changed.add(hour)

    def rows(self) -> pl.DataFrame:
        """`intake` rows of the hours that changed since the last call; hours that are over are then let go."""
        made = [self._hours[hour].sums(hour) for hour in sorted(self._changed)]
        self._changed.clear()
        for hour in sorted(self._hours)[:-_OPEN_HOURS]:
            del self._hours[hour]
        return pl.concat(made) if made else shaped(pl.DataFrame({"sequence": []}), "intake")
