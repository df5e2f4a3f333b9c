"""Anchors: the observations that tell of motion. What lies between two of a vehicle is a segment.

A row that tells of motion (a flag of use, a counter, a speed) is one; a position, for a vehicle or a time of which no
such row is near; any row, for a vehicle that tells neither. All others are heartbeats: that the vehicle spoke at all.
"""

import polars as pl

from analytics.frames import before, filled, marked

LONELY_S = 3600.0  # positions on the way, so far from any other sign of motion, are anchors
_ON_ALL_ROWS = ("soc_pct", "charging", "charge_state", "plugged", "online", "ambient_c")
_TELLS = ("locked", "moving", "odometer_m", "ride_time_s", "speed_kmh")


def anchored(observations: pl.DataFrame) -> pl.DataFrame:
    """Observations with `anchor`, and `quiet_s`: how long at most nothing was told since the anchor before [s].

    Parameters
    ----------
    observations : DataFrame of `OBSERVATIONS`, by vehicle and time
    """
    rows = marked(observations)
    tells = pl.any_horizontal(pl.col(_TELLS).is_not_null())
    known = rows.with_columns(tells.alias("tells"))
    if known["tells"].all():
        told = known.with_columns(anchor=pl.lit(True))
    else:
        near, who = pl.when("tells").then("at"), pl.col("fresh").cum_sum()
        apart = [
            (pl.col("at") - near.forward_fill().over(who)).dt.total_milliseconds() / 1000,
            (near.backward_fill().over(who) - pl.col("at")).dt.total_milliseconds() / 1000,
        ]
        lonely = pl.all_horizontal((each > LONELY_S).fill_null(True) for each in apart) & _moved()
        ever, placed = pl.col("tells").any().over(who), pl.col("lat_deg").is_not_null()
        nowhere = ~(ever | placed.any().over(who))
        told = known.with_columns(anchor=pl.col("tells") | nowhere | (placed & (lonely | ~ever)))
    gap_s = ((pl.col("at") - before("at")).dt.total_milliseconds() / 1000).alias("gap_s")
    number = pl.col("anchor").cast(pl.Int64).cum_sum().shift(1).fill_null(0).alias("segment")
    numbered = told.with_columns(gap_s, number)
    if told["anchor"].all():
        return numbered.with_columns(quiet_s="gap_s").drop("tells", "segment", "gap_s")
    quiet = numbered.group_by("segment", maintain_order=True).agg(pl.col("gap_s").max().alias("quiet_s"))
    begins = pl.col("fresh") | (pl.col("segment") != pl.col("segment").shift(1))
    last = [filled(name, begins) for name in _ON_ALL_ROWS if numbered[name].null_count() < numbered.height]
    return (
        numbered.with_columns(last)
        .join(quiet, on="segment", how="left", maintain_order="left")
        .drop("tells", "segment", "gap_s")
    )


def _moved() -> pl.Expr:
    """Whether the way along positions rises to the row or from it."""
    way = pl.col("path_m")
    into, on = way - before("path_m"), pl.when(~pl.col("fresh").shift(-1)).then(way.shift(-1)) - way
    return (into > 0).fill_null(False) | (on > 0).fill_null(False)
