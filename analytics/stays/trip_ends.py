"""Where trips begin and end: the place at which the vehicle stood, not its first and last fix under way."""

import polars as pl

from analytics.frames import WHO
from analytics.trips.segmentation import EDGE_S

STOOD = 9  # fixes while parked that are asked, those nearest to the start
APART_M, SIGMAS = 50.0, 3.0  # farther from the last of them, it was carried since
_DEGREE_M = 111_195.0  # of latitude, of the mean Earth radius of 6371 km
_ENDS = ("start_lat_deg", "start_lon_deg", "finish_lat_deg", "finish_lon_deg")


def placed(rides: pl.DataFrame, fixes: pl.DataFrame) -> pl.DataFrame:
    """Trips with `start_lat_deg` `start_lon_deg` `finish_lat_deg` `finish_lon_deg` [deg].

    Parameters
    ----------
    rides : DataFrame of `trips`
    fixes : DataFrame of `FIXES`

    Returns
    -------
    `rides` and these columns, null where no fix tells.

    Notes
    -----
    The start is the median, weighted by 1 / sigma², of up to nine last fixes since the ride before, as far as they lie
    within 50 m or three sigma of the last one: a parked vehicle's fixes scatter, and one that was carried stands where
    it was put down. Without such a fix, it is the first under way. The finish is the last fix of the ride, at most 10 s
    after its end.
    """
    numbered = rides.sort(*WHO, "started_at").with_row_index("trip")
    if not rides.height:
        return numbered.drop("trip").with_columns(pl.lit(None, dtype=pl.Float64).alias(name) for name in _ENDS)
    starts = _stood(numbered, fixes).rename({"lat_deg": "start_lat_deg", "lon_deg": "start_lon_deg"})
    under_way = _under_way(numbered, fixes)
    ended = numbered.join(starts, on="trip", how="left").join(under_way, on="trip", how="left").sort("trip")
    begun = [pl.coalesce(name, f"first_{name.removeprefix('start_')}").alias(name) for name in _ENDS[:2]]
    return ended.with_columns(begun).drop("trip", "first_lat_deg", "first_lon_deg")


def _stood(rides: pl.DataFrame, fixes: pl.DataFrame) -> pl.DataFrame:
    """Where each trip's vehicle stood before it."""
    since = pl.col("finished_at").shift(1).over(WHO).alias("since")
    starts = rides.select("trip", *WHO, "started_at", since).sort("started_at")
    asked = fixes.sort("at").join_asof(
        starts, left_on="at", right_on="started_at", by=WHO, strategy="forward", check_sortedness=False
    )
    parked = asked.filter(pl.col("trip").is_not_null() & (pl.col("at") >= pl.col("since")).fill_null(True))
    last = parked.sort("trip", "at").group_by("trip", maintain_order=True).tail(STOOD)
    here = last.filter(_apart_m() <= pl.max_horizontal(pl.lit(APART_M), SIGMAS * pl.col("sigma_m")))
    return here.group_by("trip").agg(median("lat_deg"), median("lon_deg"))


def _apart_m() -> pl.Expr:
    """From the trip's last fix [m]; on a plane, which is right to a thousandth over some kilometres."""
    final = {name: pl.col(name).last().over("trip") for name in ("lat_deg", "lon_deg")}
    east = (pl.col("lon_deg") - final["lon_deg"]) * final["lat_deg"].radians().cos()
    return _DEGREE_M * ((pl.col("lat_deg") - final["lat_deg"]) ** 2 + east**2).sqrt()


def median(name: str) -> pl.Expr:
    """Of a group's fixes the median of this column, weighted by 1 / sigma²."""
    weight = (1 / pl.col("sigma_m") ** 2).sort_by(name)
    half = (weight.cum_sum() >= weight.sum() / 2).arg_max()
    return pl.col(name).sort_by(name).get(half).alias(name)


def _under_way(rides: pl.DataFrame, fixes: pl.DataFrame) -> pl.DataFrame:
    """First and last fix of each trip."""
    until = (pl.col("finished_at") + pl.duration(seconds=int(EDGE_S))).alias("until")
    asked = fixes.sort("at").join_asof(
        rides.select("trip", *WHO, "started_at", until).sort("started_at"),
        left_on="at", right_on="started_at", by=WHO, strategy="backward", check_sortedness=False,
    )  # fmt: skip
    within = asked.filter(pl.col("at") <= pl.col("until")).sort("trip", "at")
    names = ("lat_deg", "lon_deg")
    ends = [pl.col(name).first().alias(f"first_{name}") for name in names]
    return within.group_by("trip").agg(*ends, *(pl.col(name).last().alias(f"finish_{name}") for name in names))
