"""Where vehicles stood and where they were on their way: fixes told apart by rides, those of a standing vehicle as one.

The rules are those of the analytics facts, 1.2: a parked vehicle stands at the median of its fixes.
"""

import math

import polars as pl

from analytics.frames import WHO
from analytics.stays.places import EARTH_M
from analytics.stays.trip_ends import APART_M, SIGMAS, median
from analytics.trips.segmentation import BOUNCE_S, under_way

_OUTING = (*WHO, "outing")
_DEGREE_M = EARTH_M * math.pi / 180

# A row is one position of a vehicle: where it stood (`stood`) from its first fix there to its last, or a single fix.
# `outing` counts the rides begun before it, in what was read. `told` is true of a vehicle that tells when it is ridden,
# by a lock or a counter; `sure_from` and `sure_to` are when the first ride after a rest began, and the last before one:
# a part of the log tells what the whole tells of the time between them.
WHEREABOUTS = pl.Schema(
    {
        "provider": pl.String(),
        "vehicle": pl.String(),
        "began_at": pl.Datetime("ms", "UTC"),
        "ended_at": pl.Datetime("ms", "UTC"),
        "lat_deg": pl.Float64(),
        "lon_deg": pl.Float64(),
        "sigma_m": pl.Float64(),
        "stood": pl.Boolean(),
        "told": pl.Boolean(),
        "outing": pl.Int64(),
        "sure_from": pl.Datetime("ms", "UTC"),
        "sure_to": pl.Datetime("ms", "UTC"),
    }
)


def whereabouts(fixes: pl.DataFrame, steps: pl.DataFrame, rides: pl.DataFrame) -> pl.DataFrame:
    """Where vehicles were, one position after the other.

    Parameters
    ----------
    fixes : DataFrame of `FIXES`, by vehicle and time
    steps : DataFrame of `intervals`
    rides : DataFrame of `trips` of these

    Returns
    -------
    DataFrame of `WHEREABOUTS`, by vehicle and time; positions and `sigma_m` as in `fixes`.

    Notes
    -----
    Between two rides a vehicle stands. It stands elsewhere than before only where two fixes in a row say so, farther
    than 50 m and three sigma: what one fix says is a reflection, or a glimpse of a van. The position of a stand is the
    median of its fixes, weighted by 1 / sigma². A vehicle of which neither lock nor counter tells when it is ridden
    stands nowhere: each of its fixes counts alone.
    """
    placed = _stands(_between_rides(fixes, steps, rides))
    stood = placed.drop_nulls("stand").group_by("stand", maintain_order=True).agg(
        pl.col(*WHO, "told", "outing", "sure_from", "sure_to").first(), pl.col("at").first().alias("began_at"),
        pl.col("at").last().alias("ended_at"), median("lat_deg"), median("lon_deg"), pl.col("sigma_m").median(),
    ).with_columns(stood=pl.lit(True))  # fmt: skip
    single = placed.filter(pl.col("stand").is_null()).with_columns(began_at="at", ended_at="at", stood=pl.lit(False))
    both = [frame.select(WHEREABOUTS.names()).cast(WHEREABOUTS) for frame in (stood, single)]
    return pl.concat(both).sort(*WHO, "began_at", "ended_at", "lat_deg", "lon_deg")


def _between_rides(fixes: pl.DataFrame, steps: pl.DataFrame, rides: pl.DataFrame) -> pl.DataFrame:
    """Fixes with what `WHEREABOUTS` say of their vehicle, and `rested`: no ride was under way."""
    windows = _windows(steps, rides)
    tells = pl.any_horizontal(pl.col("flag", "count_m").is_not_null().any())
    who = steps.group_by(WHO).agg(tells.alias("told")).join(_sure(windows, steps), on=WHO, how="left")
    joined = fixes.with_row_index("row").sort("at").join_asof(
        windows, left_on="at", right_on="left_at", by=WHO, check_sortedness=False
    ).sort("row").join(who, on=WHO, how="left", maintain_order="left")  # fmt: skip
    riding = (pl.col("outing") > 0) & (pl.col("back_at").is_null() | (pl.col("at") <= pl.col("back_at")))
    told = joined.with_columns(pl.col("told").fill_null(False), pl.col("outing").fill_null(0))
    return told.with_columns(rested=pl.col("told") & ~riding)


def _sure(windows: pl.DataFrame, steps: pl.DataFrame) -> pl.DataFrame:
    """`sure_from` and `sure_to` of each vehicle."""
    rests = steps.filter((pl.col("role") == "park") & (pl.col("dt_s") >= BOUNCE_S))
    ends = rests.group_by(WHO).agg(pl.col("at").min().alias("first_at"), pl.col("since").max().alias("last_at"))
    left = pl.col("left_at")
    return windows.join(ends, on=WHO).group_by(WHO).agg(
        left.filter(left >= pl.col("first_at")).min().alias("sure_from"),
        left.filter(pl.col("back_at") <= pl.col("last_at")).max().alias("sure_to"),
    )  # fmt: skip


def _windows(steps: pl.DataFrame, rides: pl.DataFrame) -> pl.DataFrame:
    """Each ride from `left_at` to `back_at`, null while it goes on, with its number among the vehicle's."""
    going = under_way(steps)
    real = steps.filter(pl.col("ride").is_in(pl.concat([rides["ride"], going]).unique().implode()))
    back = pl.when(~pl.col("ride").is_in(going.implode())).then("ended_at")
    whole = real.group_by("ride", maintain_order=True).agg(
        pl.col(WHO).first(), pl.col("began_at").first().alias("left_at"), back.last().alias("back_at")
    )
    number = pl.int_range(1, pl.len() + 1).over(WHO).cast(pl.Int64).alias("outing")
    return whole.sort(*WHO, "left_at").with_columns(number).sort("left_at").drop("ride")


# ---- stands --------------------------------------------------------------------------------------------------------


def _stands(fixes: pl.DataFrame) -> pl.DataFrame:
    """Fixes with the number of their `stand`, null where the vehicle did not stand."""
    rows = _runs(fixes.filter("rested"))
    found = rows.join(_places(rows), on="run").select("row", "stand")
    return fixes.join(found, on="row", how="left", maintain_order="left")


def _runs(rows: pl.DataFrame) -> pl.DataFrame:
    """Fixes between two rides with a `run` that ends where the next one lies elsewhere; a single fix apart is none."""
    fresh = _other(_OUTING)
    known = rows.with_columns(fresh=fresh, final=fresh.shift(-1).fill_null(True))
    sides = {name: (_or(name, 1, "fresh"), _or(name, -1, "final")) for name in ("lat_deg", "lon_deg")}
    middles = {
        f"mid_{name}": pl.sum_horizontal(name, *each) - pl.max_horizontal(name, *each) - pl.min_horizontal(name, *each)
        for name, each in sides.items()
    }
    smooth = known.with_columns(**middles)
    return smooth.with_columns(run=(pl.col("fresh") | _apart("mid_lat_deg", "mid_lon_deg")).cum_sum())


def _places(rows: pl.DataFrame) -> pl.DataFrame:
    """Each run's `stand`; runs of a single fix are none, and neighbours at one place are one."""
    runs = rows.group_by("run", maintain_order=True).agg(
        pl.col(_OUTING).first(), median("lat_deg"), median("lon_deg"), pl.col("sigma_m").median(), pl.len().alias("n")
    )
    alone = pl.col("n").sum().over(_OUTING) == 1
    long = runs.filter((pl.col("n") > 1) | alone)
    elsewhere = _other(_OUTING) | _apart("lat_deg", "lon_deg")
    return long.select("run", elsewhere.cum_sum().alias("stand"))


def _other(names: tuple[str, ...]) -> pl.Expr:
    return pl.any_horizontal((pl.col(name) != pl.col(name).shift(1)).fill_null(True) for name in names)


def _or(name: str, rows: int, edge: str) -> pl.Expr:
    """What the neighbour says; at an edge, what the row itself says."""
    return pl.when(edge).then(name).otherwise(pl.col(name).shift(rows))


def _apart(lat: str, lon: str) -> pl.Expr:
    """Whether the row before lies farther than errors explain; on a plane, good for such distances."""
    north = pl.col(lat) - pl.col(lat).shift(1)
    east = (((pl.col(lon) - pl.col(lon).shift(1) + 540) % 360) - 180) * pl.col(lat).radians().cos()
    return (_DEGREE_M * (north**2 + east**2).sqrt() > reach_m(pl.col("sigma_m").shift(1))).fill_null(False)


def reach_m(other_sigma_m: pl.Expr) -> pl.Expr:
    """Two positions of errors `sigma_m` and this one that lie no farther apart may be one place [m]."""
    return pl.max_horizontal(pl.lit(APART_M), SIGMAS * (pl.col("sigma_m") ** 2 + other_sigma_m**2).sqrt())
