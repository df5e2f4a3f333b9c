"""Spans of time: of a collector that was away, of a vehicle out of service, and what of a moment lies within one."""

import polars as pl

from analytics.steps import WHO

_MS = pl.Datetime("ms", "UTC")
AWAY_S = 150.0  # the collector speaks every minute: two in a row that are not there are no accident
DOWNTIME = pl.Schema({"begin": _MS, "end": _MS})
IDLE = pl.Schema({"provider": pl.String(), "vehicle": pl.String(), "begin": _MS, "end": _MS})


def downtime(heartbeats: pl.LazyFrame) -> pl.DataFrame:
    """Spans in which the collector did not run.

    Parameters
    ----------
    heartbeats : LazyFrame of `collector`, in any order

    Returns
    -------
    DataFrame with `begin` and `end`: the heartbeats around each silence of more than 150 s, disjoint, by time. Before
    the first heartbeat and after the last nothing is known, so nothing is said.
    """
    beats = heartbeats.select(pl.col("time").cast(_MS).alias("end")).unique().sort("end").collect()
    spans = beats.select(pl.col("end").shift(1).alias("begin"), "end").drop_nulls()
    return spans.filter((pl.col("end") - pl.col("begin")).dt.total_milliseconds() > 1000 * AWAY_S).cast(DOWNTIME)


def out_of_service(vehicles: pl.LazyFrame) -> pl.DataFrame:
    """Spans in which vehicles were out of service, by the rows of `vehicles`: each holds until the vehicle's next.

    Returns
    -------
    DataFrame with `provider` `vehicle` `begin` `end`, disjoint, by vehicle and time; `end` is null while it lasts.
    """
    told = vehicles.select(*WHO, pl.col("time").cast(_MS), "in_service").drop_nulls("in_service").collect()
    rows = told.sort(*WHO, "time").with_columns(pl.col("in_service").rle_id().over(WHO).alias("run"))
    turns = rows.unique([*WHO, "run"], keep="first", maintain_order=True)
    ended = turns.with_columns(pl.col("time").shift(-1).over(WHO).alias("end"))
    return ended.filter(~pl.col("in_service")).select(*WHO, pl.col("time").alias("begin"), "end").cast(IDLE)


def within(rows: pl.DataFrame, time: str, spans: pl.DataFrame) -> pl.Series:
    """Whether each row's moment lies in a span of its vehicle: its begin counts, its end does not."""
    if not spans.height:
        return pl.repeat(False, rows.height, eager=True)
    placed = rows.select(*WHO, time).with_row_index("row").sort(time)
    asked = spans.sort("begin").rename({"begin": time, "end": "until"}).with_columns(pl.lit(True).alias("begun"))
    joined = placed.join_asof(asked, on=time, by=WHO, strategy="backward", check_sortedness=False)
    ended = pl.col("until").is_not_null() & (pl.col("until") <= pl.col(time))
    return joined.sort("row").select((pl.col("begun").fill_null(False) & ~ended).alias("in"))["in"]
