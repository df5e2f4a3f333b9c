"""Trips of vehicles that tell their speed and have no odometer: the speed is integrated, the rest is as ever.

Of a vehicle that has no lock either, a silence of three minutes is as good as one; where it speaks at one pace for
ever, standing for three minutes is.
"""

import polars as pl

from analytics.frames import WHO, before, carried, marked
from analytics.trips.intervals import GAP_S, intervals
from analytics.trips.trips import trips

STANDS_KMH = 1.0  # no faster than that is standing
STOP_S = 180.0  # standing for so long is parking (analytics facts, 1.5)


def speed_trips(
    readings: pl.DataFrame, downtime: pl.DataFrame | None = None, spoken: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Trips by integrated speed.

    Parameters
    ----------
    readings : DataFrame of `READINGS`, by vehicle and time; rows without a speed say nothing
    downtime, spoken : as for `intervals`

    Returns
    -------
    DataFrame by vehicle and start with the columns of `trips.trips` and `distance_source` (`speed`).

    Notes
    -----
    `distance_m` is a lower bound where a silence lies within: nobody knows how fast it was then.
    """
    parked = _parked(integrated(readings))
    told = trips(intervals(parked, downtime, spoken=spoken))
    return told.with_columns(pl.lit("speed").alias("distance_source"))


def integrated(readings: pl.DataFrame) -> pl.DataFrame:
    """`READINGS` with `way_m` by the trapezoidal rule over speeds at most 60 s apart; odometers are left out.

    Speeds are taken as true and as linear between two readings.
    """
    rows = marked(readings.filter(pl.col("speed_kmh").is_not_null()))
    seconds = (pl.col("at") - before("at")).dt.total_milliseconds() / 1000
    leg_m = seconds * (pl.col("speed_kmh") + before("speed_kmh")) / 2 / 3.6
    counted = pl.when(seconds <= GAP_S).then(leg_m).fill_null(0.0).cum_sum()
    summed = rows.with_columns(counted.alias("way_m"))
    first_m = pl.when("fresh").then("way_m").forward_fill()
    none = pl.lit(None, pl.Float64).alias("odometer_m")
    return summed.with_columns(pl.col("way_m") - first_m, none, pl.lit(False).alias("jump")).drop("fresh")


def _parked(readings: pl.DataFrame) -> pl.DataFrame:
    """`locked` where nobody told: a long silence begins in the reading, or it is part of a long stand."""
    rows = carried(marked(readings), "locked").with_columns((pl.col("speed_kmh") <= STANDS_KMH).alias("stands"))
    runs = rows.with_columns(
        (pl.col("stands").rle_id() + pl.col("fresh").cum_sum()).alias("run"),
        ((pl.col("at").shift(-1) - pl.col("at")).dt.total_milliseconds() / 1000).alias("next_s"),
        pl.col("fresh").shift(-1).fill_null(True).alias("last"),
    )
    silent = pl.col("last") | (pl.col("next_s") > STOP_S)
    stood_s = (pl.col("at").max() - pl.col("at").min()).over("run").dt.total_milliseconds() / 1000
    still = silent | (pl.col("stands") & (stood_s > STOP_S) & ~_sleeps())
    return runs.with_columns(pl.coalesce("locked", still).alias("locked")).select(readings.columns)


def _sleeps() -> pl.Expr:
    """Whether the vehicle is silent for most of the time that it stands: then speaking tells that somebody has it."""
    stands_s = pl.when(pl.col("stands") & ~pl.col("last")).then("next_s").fill_null(0.0)
    silent_s = pl.when(pl.col("next_s") > STOP_S).then(stands_s).fill_null(0.0)
    return silent_s.sum().over(WHO) > 0.5 * stands_s.sum().over(WHO)
