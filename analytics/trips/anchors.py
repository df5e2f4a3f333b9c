"""Anchors: the observations that tell of motion. What lies between two of a vehicle is a segment.

A row that tells of motion (a flag of use, a counter, a speed) is one; a position, for a vehicle or a time of which no
such row is near; any row, for a vehicle that tells neither. All others are heartbeats: that the vehicle spoke at all.
No anchor is what a cloud tells again amid a drive.
"""

import polars as pl

from analytics.frames import WHO, before, filled, marked
from analytics.trips.late_odometer import FAST, usual_s

LONELY_S = 3600.0  # positions on the way, so far from any other sign of motion, are anchors
_ON_ALL_ROWS = ("soc_pct", "charging", "charge_state", "plugged", "online", "ambient_c")
MOTION = ("locked", "moving", "odometer_m", "ride_time_s", "speed_kmh")
REPEATS_S = 120.0  # a stand of less ends no trip, whoever tells it
TAKES_ALL = 0.9  # of the time since the rise before, a rise usually takes: the vehicle drove on
_REPEATED = (*MOTION, "soc_pct", "charging", "charge_state", "plugged", "lat_deg", "lon_deg")


def anchored(observations: pl.DataFrame) -> pl.DataFrame:
    """Observations with `anchor`, and `quiet_s`: how long at most nothing was told since the anchor before [s].

    Parameters
    ----------
    observations : DataFrame of `OBSERVATIONS`, by vehicle and time
    """
    rows = marked(observations)
    tells = pl.any_horizontal(pl.col(MOTION).is_not_null())
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
    told = _without_repeats(told)
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


def _without_repeats(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of which those are no anchors that a cloud told again amid a drive.

    They tell what the last rise did, or an odometer of before it. The next rise takes all of the time since then, and
    would be a leap beside the rises around it.
    """
    counts = pl.col("count_m").is_not_null().any().over(pl.col("fresh").cum_sum())
    way = pl.when(counts).then("count_m").otherwise("path_m").alias("way")
    told = marked(rows.select(*WHO, "at", "anchor", way).with_row_index("row").filter("anchor"))
    since_s = pl.when(~pl.col("fresh")).then((pl.col("at") - pl.col("at").shift(1)).dt.total_milliseconds() / 1000)
    rise_m = pl.when(~pl.col("fresh")).then(pl.col("way") - filled("way").shift(1))
    known = told.with_columns(since_s.alias("dt_s"), rise_m.alias("rise_m")).with_columns(
        (pl.col("fresh") | (pl.col("rise_m") > 0).fill_null(False)).alias("rose")
    ).with_columns(pl.col("rose").cum_sum().alias("run"))  # fmt: skip
    leaps = known.filter("rose").filter(_leaps()).select(pl.col("run") - 1)
    if leaps.is_empty():
        return rows
    runs = known.select("row", "run", "rose").join(leaps, on="run", how="semi", maintain_order="left")
    again = runs.hstack(rows.select("count_m", *_REPEATED)[runs["row"]]).filter(_told_again())["row"]
    stays = ~pl.int_range(pl.len(), dtype=pl.UInt32).is_in(again.implode())
    return rows.with_columns(pl.col("anchor") & stays)


def _told_again() -> pl.Expr:
    """Whether all since a rise is as it was told there, or of before it."""
    older = pl.col("count_m").is_null() & pl.col("odometer_m").is_not_null()
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).first().over("run")) for name in _REPEATED)
    return (same | older).all().over("run") & ~pl.col("rose")


def _leaps() -> pl.Expr:
    """Whether a rise after a stand takes all of its time, and is faster than the rise before it and the one after."""
    pace_ms, last = pl.col("rise_m") / pl.col("dt_s"), pl.col("fresh").shift(-1).fill_null(True)
    since_s = (pl.col("at") - pl.col("at").shift(1)).dt.total_milliseconds() / 1000
    beside_ms = pl.max_horizontal(pace_ms.shift(1), pl.when(~last).then(pace_ms.shift(-1)))
    drove = pace_ms.shift(1) > 0
    stood = since_s - pl.col("dt_s") >= REPEATS_S
    return drove & stood & (pace_ms > FAST * beside_ms) & (usual_s("rise_m") >= TAKES_ALL * since_s) & ~pl.col("fresh")
