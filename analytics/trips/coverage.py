"""The books on distance and on messages: per vehicle and local day, what is in trips, what is not, and what came.

`odometer_m = trips_m + pushed_m + unplaced_m`, to the metre: an interval between two readings belongs, whole, to the
local day of the later one. So the days add up to the odometer whatever the span, and a trip over midnight is shared.
"""

import polars as pl

from analytics.frames import WHO, with_day, with_midnight, zoned
from analytics.trips.segmentation import EDGE_S, SPEAKS_S, under_way
from logger.tables import shaped

MESSAGES = 2  # each time a vehicle speaks, it tells of its status and of its position
_BOOKS = ("odometer_m", "trips_m", "pushed_m", "unplaced_m")


def booked(steps: pl.DataFrame, rides: pl.DataFrame) -> pl.DataFrame:
    """Intervals with the book that their metres go to.

    Parameters
    ----------
    steps : DataFrame of `intervals`
    rides : DataFrame of `trips` of these

    Returns
    -------
    `steps` with `book`: `trips`; `pushed` (locked, out of service, or too short for a trip); `unplaced` (around a stop
    that a gap hides, or of a ride under way). A jump of the odometer has no metres: what was gone in it is not known.
    """
    trip = pl.col("ride").is_in(rides["ride"].implode())
    book = (
        pl.when(pl.col("role") == "split")
        .then(pl.lit("unplaced"))
        .when(pl.col("ride").is_null())
        .then(pl.lit("pushed"))
        .when(trip)
        .then(pl.lit("trips"))
        .when(pl.col("ride").is_in(under_way(steps).implode()))
        .then(pl.lit("unplaced"))
        .otherwise(pl.lit("pushed"))
    )
    return steps.with_columns(book.alias("book"))


def coverage(steps: pl.DataFrame, rides: pl.DataFrame, intake: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """How much of each vehicle's day is in the log.

    Parameters
    ----------
    steps : DataFrame of `intervals`
    rides : DataFrame of `trips` of these
    intake : DataFrame of `intake`
    known : DataFrame with `provider` `vehicle` `timezone`; a vehicle that is not there has UTC

    Returns
    -------
    DataFrame of table `coverage`: metres [m], counts of messages, latency and gap [s]; `time` is the local midnight.

    Notes
    -----
    `expected` is what the vehicle's cadence makes of its riding and standing: two messages (status and position) every
    10 s while riding and every 900 s otherwise, events apart; null for a vehicle that tells of no lock, since nobody
    knows its cadence. `received` counts every message, an hour's wholly on the day in which the hour begins; where
    several sources speak, the median latency is the mean of theirs, weighted by messages. Metres are null for a vehicle
    without an odometer. A day with neither readings nor messages has no row.
    """
    metres = _metres(booked(steps, rides), known)
    counts = _counts(intake, known)
    days = metres.join(counts, on=[*WHO, "day"], how="full", coalesce=True)
    return shaped(with_midnight(zoned(days, known), "time"), "coverage").sort(*WHO, "time")


def _metres(steps: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    metres = pl.when(pl.col("source") == "odometer").then("d_m")
    books = [metres.filter(pl.col("book") == name.removesuffix("_m")).sum().alias(name) for name in _BOOKS[1:]]
    days = with_day(steps, known, "at").group_by(*WHO, "day").agg(
        *books,
        pl.col("dt_s").max().alias("longest_gap_s"),
        _expected().sum().round().cast(pl.Int64).alias("expected"),
        pl.col("flag").is_not_null().any().alias("locks"),
        pl.col("count_m").is_not_null().any().alias("counts"),
    )  # fmt: skip
    whole = days.with_columns(pl.sum_horizontal(_BOOKS[1:]).alias("odometer_m"))
    there = [pl.when("counts").then(pl.col(name)).alias(name) for name in _BOOKS]
    return whole.with_columns(*there, pl.when("locks").then("expected").alias("expected"))


def _expected() -> pl.Expr:
    """Messages of an interval, by the seconds in it that were ridden."""
    begun = pl.max_horizontal("began_at", "since")
    ridden = (pl.min_horizontal("ended_at", "at") - begun).dt.total_milliseconds() / 1000
    riding_s = pl.when(pl.col("ride").is_not_null()).then(ridden).otherwise(0.0).clip(0.0)
    standing_s = (pl.col("dt_s") - riding_s).clip(0.0)
    return MESSAGES * (riding_s / EDGE_S + standing_s / SPEAKS_S)


def _counts(intake: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    weighted = (pl.col("median_latency_s") * pl.col("received")).sum()
    weight = pl.col("received").filter(pl.col("median_latency_s").is_not_null()).sum()
    return (
        with_day(intake, known, "time")
        .group_by(*WHO, "day")
        .agg(
            pl.col("received", "duplicates", "late").sum(),
            pl.when(weight > 0).then(weighted / weight).alias("median_latency_s"),
        )
    )
