"""Positions of a vehicle: gated, outliers left out, and the way that they tell.

The rules are those of the analytics facts, 1.2 and 1.5.
"""

import polars as pl

from analytics.frames import WHO, before, marked, ordered
from analytics.schemas import FIXES

UERE_M, MAX_HDOP, MIN_SATELLITES = 5.0, 5.0, 4
AROUND, TO_AND_FRO, MOSTLY, LEG_OF_SIGMA = 25, 0.8, 0.6, 1.67  # fixes about one place tell how they scatter
STILL_M, STILL_SIGMAS = 40.0, 3.0  # fixes of a standing vehicle lie so near each other
LEG_SIGMAS = 4.0  # a leg is longer than so many of its errors
TOP_MS = 150 / 3.6 * 1.3  # no leg is faster
USUAL = 4.0  # times as fast as a vehicle usually is, a leg is doubted
DENSE_S = 60.0  # between fixes so near in time, nothing of the way is missed
EVERY_S = 10.0  # nearer than that, legs are noise
LATE_S = 60.0  # a position that repeats for no longer may be late
STANDS_KMH = 3.0  # a vehicle that stands may tell such a speed: its sensor's noise, or a hand that pushes it
DRIVES_KMH = 5.0  # faster than that is no standing: such a speed outranks every flag
MOVES_MS = 2.0  # a leg as fast as that is ridden
SLOW_LEGS, SLOW_S, LEADS = 6, 200.0, 0.85  # legs that lead on, one with the other, for so much of their way
STRAIGHT, STRAIGHT_M, _LEGS = 0.985, 100.0, 3  # of a way of so much, its ends are apart by so much of it
_DEGREE_M = 111_195.0  # of latitude, on a sphere of 6,371 km

# The way of a vehicle until each of its positions [m], what of it was `refused` and what was `straight`, and how fast
# the leg to it was.
PATH = pl.Schema({**FIXES, **dict.fromkeys(("path_m", "refused_m", "straight_m", "leg_ms"), pl.Float64())})


def gate() -> pl.Expr:
    """Why a row of `location` is no position; null where it is one. A latitude or longitude of 0 is a missing one."""
    lat, lon = pl.col("lat_deg"), pl.col("lon_deg")
    nowhere = lat.is_null() | lon.is_null() | (lat == 0) | (lon == 0) | (lat.abs() > 90) | (lon.abs() > 180)
    return (
        pl.when(nowhere)
        .then(pl.lit("no_position"))
        .when(pl.col("fix_valid").is_not_null() & ~pl.col("fix_valid"))
        .then(pl.lit("fix_invalid"))
        .when(pl.col("satellites") < MIN_SATELLITES)
        .then(pl.lit("few_satellites"))
        .when(pl.col("hdop") > MAX_HDOP)
        .then(pl.lit("poor_hdop"))
    )


def fixes(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of `location` with `at` as `FIXES`, by vehicle and time, without outliers and what is no position."""
    sigma = (pl.col("hdop").fill_null(1.0).clip(0.5) * UERE_M).alias("sigma_m")
    good = ordered(rows.filter(gate().is_null()).with_columns(sigma), "at", "received_at", "sequence")
    one = good.select(*FIXES, "hdop").unique([*WHO, "at"], keep="last", maintain_order=True)
    return without_outliers(scattered(one).select(FIXES.names()).cast(FIXES))


def scattered(found: pl.DataFrame) -> pl.DataFrame:
    """Fixes with `sigma_m` as large as those around them scatter, where no `hdop` tells it.

    Fixes about one place lead to and fro, so that two legs lead no farther than one; the median leg between two of
    them is 1.67 of their standard errors.
    """
    rows = marked(found)
    if not rows["hdop"].null_count():
        return rows
    legs = rows.with_columns(leg_m().alias("leg_m"), leg_m(2).alias("two_m"))
    legs = legs.with_columns((pl.col("leg_m") + before("leg_m")).alias("both_m"))
    turns = (pl.col("two_m") < TO_AND_FRO * pl.col("both_m")).cast(pl.Float64)
    around = legs.with_columns(
        turns.rolling_mean(AROUND, min_samples=3, center=True).over(WHO).alias("turning"),
        pl.col("leg_m").rolling_median(AROUND, min_samples=3, center=True).over(WHO).alias("usual_m"),
    )
    wide = pl.max_horizontal("sigma_m", pl.col("usual_m") / LEG_OF_SIGMA)
    jitters = pl.col("hdop").is_null() & (pl.col("turning") > MOSTLY)
    return around.with_columns(pl.when(jitters.fill_null(False)).then(wide).otherwise("sigma_m").alias("sigma_m"))


def without_outliers(found: pl.DataFrame) -> pl.DataFrame:
    """Without fixes that lie far from the middle of the five around them, and could not have been reached from it."""
    rows = marked(found)
    leg_ms = leg_m() / ((pl.col("at") - before("at")).dt.total_milliseconds() / 1000)
    known = rows.with_columns((leg_ms > TOP_MS).fill_null(False).alias("fast"))
    if known["fast"].any():
        middle = {name: pl.col(name).rolling_median(5, center=True) for name in ("lat_deg", "lon_deg")}
        amid = ~pl.any_horizontal(pl.col("fresh").shift(by).fill_null(True) for by in (-2, -1, 0, 1))
        off_m = metres("lat_deg", "lon_deg", middle["lat_deg"], middle["lon_deg"])
        off = (off_m > reach_m("sigma_m")) & (off_m > pl.max_horizontal(leg_m(), leg_m(-1)) / 2)
        out = off & (pl.col("fast") | pl.col("fast").shift(-1)) & amid
        known = known.filter(~out.fill_null(False))
    return _without_reflections(known)


def _without_reflections(rows: pl.DataFrame) -> pl.DataFrame:
    """Without a fix that lies far from both its neighbours, which lie near each other."""
    known = marked(rows)
    last = pl.col("fresh").shift(-1).fill_null(True)
    into, on = leg_m(), leg_m(-1)
    across = metres(
        pl.col("lat_deg").shift(1), pl.col("lon_deg").shift(1), pl.col("lat_deg").shift(-1), pl.col("lon_deg").shift(-1)
    )
    lies_m = pl.min_horizontal(into, on)
    out = (lies_m > reach_m("sigma_m")) & (across < lies_m / 2) & ~pl.col("fresh") & ~last
    return known.filter(~out.fill_null(False)).select(FIXES.names())


# ---- the way -------------------------------------------------------------------------------------------------------


def path(found: pl.DataFrame) -> pl.DataFrame:
    """The way along positions.

    Parameters
    ----------
    found : DataFrame of `FIXES`, by vehicle and time

    Returns
    -------
    DataFrame of `PATH`, by vehicle and time; fixes much nearer than 10 s to the one before are left out.

    Notes
    -----
    A leg is the chord less the noise of its ends (sqrt(d² - s1² - s2²)); one within the noise is none, so that a parked
    vehicle makes no way, unless it is one of six that lead on together, as those of a slow vehicle do: then it is as
    much of the chord as these lead on. A position that repeats to the last digit is late: a leap after it is held
    against the time since it was first told. A leg faster than 195 km/h is refused, and so is one four times as fast as
    the vehicle's legs are before and after it.
    """
    rows = _thinned(_unrepeated(found))
    dt_s = (pl.col("at") - before("at")).dt.total_milliseconds() / 1000
    legs = rows.with_columns(leg_m().alias("chord_m"), both_m().alias("both_m"), dt_s.alias("dt_s"))
    noiseless = (pl.col("chord_m") ** 2 - pl.col("both_m") ** 2).clip(0.0).sqrt()
    far = pl.col("chord_m") > pl.max_horizontal(pl.lit(STILL_M), STILL_SIGMAS * pl.col("both_m"))
    leg_ms = noiseless / pl.col("dt_s")
    went = far | ((leg_ms > MOVES_MS) & (pl.col("chord_m") > LEG_SIGMAS * pl.col("both_m")))
    slow_m = pl.col("chord_m") * _lead_share()
    known = legs.with_columns(
        pl.max_horizontal(pl.when(went | slow_m.is_not_null()).then(noiseless), slow_m).fill_null(0.0).alias("d_m"),
        leg_ms.fill_null(0.0).alias("leg_ms"),
    )
    refused = _refused()
    made = known.with_columns(refused.alias("refused"))
    kept = pl.when("refused").then(0.0).otherwise("d_m")
    off = pl.when("refused").then("d_m").otherwise(0.0)
    return made.with_columns(
        kept.cum_sum().over(WHO).alias("path_m"),
        off.cum_sum().over(WHO).alias("refused_m"),
        pl.when(_straight()).then(kept).otherwise(0.0).cum_sum().over(WHO).alias("straight_m"),
        pl.when("refused").then(None).otherwise("leg_ms").alias("leg_ms"),
    ).select(PATH.names())  # fmt: skip


def _lead_share() -> pl.Expr:
    """How much of it the leg leads on, if it is one of some whose ends lie far apart: the vehicle goes slowly."""
    there = (pl.col(name).shift(SLOW_LEGS) for name in ("lat_deg", "lon_deg"))
    inside = ~pl.any_horizontal(pl.col("fresh").shift(by).fill_null(True) for by in range(SLOW_LEGS))
    apart_m = metres("lat_deg", "lon_deg", *there)
    whole_m = pl.sum_horizontal(pl.col("chord_m").shift(by) for by in range(SLOW_LEGS))
    soon = (pl.col("at") - pl.col("at").shift(SLOW_LEGS)).dt.total_milliseconds() <= 1000 * SLOW_S
    leads = inside & soon & (apart_m > reach_m("sigma_m")) & (apart_m > LEADS * whole_m)
    share = pl.when(leads).then(apart_m / whole_m)
    return pl.max_horizontal(share.shift(-by) for by in range(SLOW_LEGS))


def _straight() -> pl.Expr:
    """Whether the leg is one of three in a row that lead on straight, as near as errors let one see."""
    there = (pl.col(name).shift(_LEGS) for name in ("lat_deg", "lon_deg"))
    inside = ~pl.any_horizontal(pl.col("fresh").shift(by).fill_null(True) for by in range(_LEGS))
    whole = pl.sum_horizontal(pl.col("chord_m").shift(by) for by in range(_LEGS))
    ends = inside & (metres("lat_deg", "lon_deg", *there) >= STRAIGHT * whole) & (whole > STRAIGHT_M)
    return pl.any_horizontal(ends.shift(-by).fill_null(False) for by in range(_LEGS))


def _refused() -> pl.Expr:
    fast = pl.col("leg_ms") > TOP_MS
    last = before("leg_ms")
    coming = pl.when(~pl.col("fresh").shift(-1)).then(pl.col("leg_ms").shift(-1))
    usual = pl.max_horizontal(last, coming, pl.lit(TOP_MS / USUAL / 2))
    return (fast | (pl.col("leg_ms") > USUAL * usual)).fill_null(False)


def _thinned(rows: pl.DataFrame) -> pl.DataFrame:
    """About one position in ten seconds of a vehicle that tells more."""
    slot = pl.col("at").dt.epoch("ms") // int(1000 * EVERY_S)
    near = (pl.col("at") - before("at")).dt.total_milliseconds() < 800 * EVERY_S
    return marked(rows.filter(~(near & (slot == slot.shift(1))).fill_null(False)))


def _unrepeated(found: pl.DataFrame) -> pl.DataFrame:
    """Without repeats of a position that are late: told for a minute at most, or left by a leap."""
    rows = marked(found)
    same = ((pl.col("lat_deg") == before("lat_deg")) & (pl.col("lon_deg") == before("lon_deg"))).fill_null(False)
    told = rows.with_columns(same.alias("same"))
    if not told["same"].any():
        return rows
    dt_s = (pl.col("at") - before("at")).dt.total_milliseconds() / 1000
    leaps = (leg_m() / dt_s > TOP_MS).shift(-1).fill_null(False).alias("leaps")
    runs = told.with_columns((~pl.col("same")).cum_sum().alias("run"), dt_s.alias("dt_s"), leaps)
    lasted_s = pl.when("same").then("dt_s").otherwise(0.0).sum().over("run")
    late = pl.col("leaps").any().over("run") | (lasted_s <= LATE_S)
    return marked(runs.filter(~(pl.col("same") & late)).drop("fresh", "same", "run", "dt_s", "leaps"))


def leg_m(rows: int = 1) -> pl.Expr:
    """The chord to the row one or two before, or one after [m]; null at a vehicle's border."""
    edge = pl.col("fresh") if rows > 0 else pl.col("fresh").shift(-1).fill_null(True)
    if rows > 1:
        edge = edge | pl.col("fresh").shift(1).fill_null(True)
    there = (pl.col(name).shift(rows) for name in ("lat_deg", "lon_deg"))
    return pl.when(~edge).then(metres("lat_deg", "lon_deg", *there))


def both_m() -> pl.Expr:
    """The standard error of a leg [m]."""
    return (pl.col("sigma_m") ** 2 + before("sigma_m") ** 2).sqrt()


def reach_m(sigma: str) -> pl.Expr:
    """Fixes of a standing vehicle lie within so much of each other [m]."""
    return pl.max_horizontal(pl.lit(STILL_M), STILL_SIGMAS * pl.col(sigma))


def metres(lat: str | pl.Expr, lon: str | pl.Expr, other_lat: pl.Expr, other_lon: pl.Expr) -> pl.Expr:
    """Of the chord, on the plane that touches the sphere there: good for the kilometres between two fixes."""
    lat, lon = (pl.col(each) if isinstance(each, str) else each for each in (lat, lon))
    turn = ((lon - other_lon + 540) % 360) - 180  # over the date line too
    east = turn * ((lat + other_lat) / 2).radians().cos()
    return ((lat - other_lat) ** 2 + east**2).sqrt() * _DEGREE_M
