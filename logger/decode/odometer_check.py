"""Each vehicle's odometer against its own last reading: steps back and impossible jumps stay, with a flag.

The reading that a row is compared with depends on the messages before it alone, above all not on how they were split
into batches: decoded again, the same messages get the same flags.
"""

import polars as pl

MAX_KMH = 200.0  # no light vehicle is faster: a reading that implies more is in another unit, or of another vehicle
_TOLERANCE_M = 10.0  # a reading is whole metres, and as old as the time between two pushes
_VEHICLE = ("provider", "vehicle")
_LAST = {"provider": pl.String(), "vehicle": pl.String(), "time": pl.Datetime("ms", "UTC"), "odometer_m": pl.Float64()}


class OdometerCheck:
    """The newest reading of every vehicle; `latest` are rows to start from, such as the newest ones of a store.

    `check` may be called again with the same rows, with the same result, until `commit`.
    """

    def __init__(self, latest: pl.DataFrame) -> None:
        self._last = self._uncommitted = latest.select(*_LAST).drop_nulls()

    def check(self, status: pl.DataFrame) -> pl.DataFrame:
        """Return these `status` rows, `odometer_back` or `odometer_jump` among their flags where it applies.

        A row is compared with the newest reading, by its own time, of all rows before it; an older row is not checked.
        """
        readings = status.select("sequence", *_LAST).drop_nulls()
        if readings.is_empty():
            return status
        last = self._last.with_columns(pl.lit(None, dtype=pl.Int64).alias("sequence"))
        ordered = pl.concat([last, readings.select(last.columns)]).sort("sequence", "time", nulls_last=False)
        newest = ordered.filter(pl.col("time") == pl.col("time").cum_max().over(_VEHICLE))
        self._uncommitted = newest.group_by(_VEHICLE).last().select(*_LAST)
        flags = newest.with_columns(_flag().alias("flag")).filter(pl.col("sequence").is_not_null()).drop_nulls("flag")
        return status if flags.is_empty() else _add_flags(status, flags)

    def commit(self) -> None:
        """Compare the next rows with those of the last `check`, too: they are delivered."""
        self._last = self._uncommitted


def _flag() -> pl.Expr:
    """The flag of a reading, null where it may follow the reading before it."""
    step_m = pl.col("odometer_m") - pl.col("odometer_m").shift(1).over(_VEHICLE)
    seconds = (pl.col("time") - pl.col("time").shift(1).over(_VEHICLE)).dt.total_milliseconds() / 1000
    limit_m = seconds * MAX_KMH / 3.6 + _TOLERANCE_M
    return pl.when(step_m < 0).then(pl.lit("odometer_back")).when(step_m > limit_m).then(pl.lit("odometer_jump"))


def _add_flags(status: pl.DataFrame, flagged: pl.DataFrame) -> pl.DataFrame:
    row = (*_VEHICLE, "time", "sequence")  # a slice of an imported file is many rows of one sequence
    joined = status.join(flagged.group_by(row).agg("flag"), on=row, how="left", maintain_order="left")
    both = pl.concat_list(pl.col("flags").fill_null([]), pl.col("flag").fill_null([])).list.unique().list.sort()
    return joined.with_columns(pl.when(both.list.len() > 0).then(both).alias("flags")).drop("flag")
