"""Each vehicle's odometer against its own last reading: steps back and impossible jumps are kept, and flagged.

What a row is held against depends on what came before it and on nothing else, above all not on how messages were split
into batches: decoded again, the same messages have the same flags.
"""

import polars as pl

MAX_KMH = 200.0  # no light vehicle covers ground faster (vendor facts E.4 no. 17)
_SLACK_M = 10.0  # a reading is whole metres and up to a push old
_WHO = ("provider", "vehicle")
_LAST = {"provider": pl.String(), "vehicle": pl.String(), "time": pl.Datetime("ms", "UTC"), "odometer_m": pl.Float64()}


class OdometerCheck:
    """The newest reading of every vehicle. `latest` are rows to start from, such as the newest of a store.

    `flagged` may be asked again for the same rows, until `keep` says that they are delivered.
    """

    def __init__(self, latest: pl.DataFrame) -> None:
        self._last = self._newest = latest.select(*_LAST).drop_nulls()

    def keep(self) -> None:
        """The rows of the last `flagged` are delivered; the next are held against them."""
        self._last = self._newest

    def flagged(self, status: pl.DataFrame) -> pl.DataFrame:
        """These `status` rows with `odometer_back` and `odometer_jump` among their flags where they apply.

        A row is held against the newest, by its own time, of all that came before it; one that is older is let be.
        """
        read = status.select("sequence", *_LAST).drop_nulls()
        if read.is_empty():
            return status
        known = self._last.with_columns(pl.lit(None, dtype=pl.Int64).alias("sequence"))
        came = pl.concat([known, read.select(known.columns)]).sort("sequence", "time", nulls_last=False)
        newest = came.filter(pl.col("time") == pl.col("time").cum_max().over(_WHO))
        judged = newest.with_columns(_step(), _limit())
        self._newest = judged.group_by(_WHO).last().select(*_LAST)
        wrong = (pl.col("step") < 0) | (pl.col("step") > pl.col("limit"))
        odd = judged.filter(pl.col("sequence").is_not_null() & wrong)
        if odd.is_empty():
            return status
        word = pl.when(pl.col("step") < 0).then(pl.lit("odometer_back")).otherwise(pl.lit("odometer_jump"))
        row = (*_WHO, "time", "sequence")  # a slice of an imported file is many rows of one sequence
        words = odd.group_by(row).agg(word.alias("word"))
        joined = status.join(words, on=row, how="left", maintain_order="left")
        both = pl.concat_list(pl.col("flags").fill_null([]), pl.col("word").fill_null([])).list.unique().list.sort()
        flags = pl.when(both.list.len() > 0).then(both).alias("flags")
        return joined.with_columns(flags).drop("word")


def _step() -> pl.Expr:
    return (pl.col("odometer_m") - pl.col("odometer_m").shift(1).over(_WHO)).alias("step")


def _limit() -> pl.Expr:
    seconds = (pl.col("time") - pl.col("time").shift(1).over(_WHO)).dt.total_milliseconds() / 1000
    return (seconds * MAX_KMH / 3.6 + _SLACK_M).alias("limit")
