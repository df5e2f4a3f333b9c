"""Trips by reconciling counters: what odometer and riding seconds say between two readings, lock and speed only place.

The rules are those of the analytics facts, 1.4; `analytics/trips/intervals.py` says what lies between two readings.
"""

import polars as pl

from analytics.frames import WHO, escaped
from analytics.observations.positions import metres
from analytics.trips.segmentation import EDGE_S, GAP_S, MOVED_M, RAN_S, TELLS_S

CLOCK_S = 2.0  # times and riding seconds are whole seconds
STANDING_S = 60.0  # cadence of pushes while unlocked and standing, at the longest
SOURCES = ("odometer", "speed", "gps")
FAR_M, FAR_SIGMAS = 60.0, 8.0  # from its beginning a trip by positions alone leads at least so far
HIDDEN_M = 150.0  # ... one that nobody saw
REFUSED = 0.1  # of a way: positions that tell so much that cannot be are not sure
SHORTEST_S, LONGEST_S = 10.0, 5 * 3600.0  # of a plausible trip: the advice of the Mobility Data Specification


def trips(steps: pl.DataFrame) -> pl.DataFrame:
    """Rides that have ended, and what of each the counters say.

    Parameters
    ----------
    steps : DataFrame of `intervals`

    Returns
    -------
    DataFrame by vehicle and start: `provider` `vehicle` `ride` (number among `intervals`) and the columns of `trips`
    that counters, lock and clock give.

    Notes
    -----
    `kind` is `observed` where pushes went through, `bridged` where counters close a gap or the collector was away,
    `inferred` where a ride is known by its counters alone: then its window is sure, its place in it is not. A ride that
    is under way has no row. Rides apart by less than 20 s and 30 m are one (a lock that bounced).
    `mean_speed_kmh` is that of riding, without pauses. `coverage` is the share of the readings that the vehicle's
    cadence makes (10 s riding, 60 s standing), null for a vehicle without a lock. Uncertainties hold for 19 of 20
    trips; null where the log begins under way. `flags`: `open_start` (the log begins under way), `open_end` (locked
    unseen, or left standing for an hour), `odometer_reset` (metres are missing), `collector_away`, `outlier` (under
    10 s or over 5 h).
    """
    placed = steps["lat_deg"].null_count() < steps.height
    rides = steps.lazy().drop_nulls("ride").group_by("ride", maintain_order=True).agg(*_sums(), *_reach(placed=placed))
    closed = rides.filter(_is_ride() & pl.col("closed")).with_columns(*_named())
    return closed.sort(*WHO, "started_at").collect()


def _sums() -> list[pl.Expr]:
    role = pl.col("role")
    placed = pl.when(role != "split").then(pl.col("d_m")).otherwise(0.0)
    return [
        *(pl.col(name).first() for name in WHO),
        pl.col("began_at").first().alias("started_at"),
        pl.col("ended_at").last().alias("finished_at"),
        placed.sum().alias("distance_m"),
        pl.col("counted_s").sum().alias("riding_s"),
        pl.col("counted_s").is_not_null().any().alias("counted"),
        *_sources(),
        _kind().alias("kind"),
        *_uncertainties(),
        _start_odometer().alias("start_odometer_m"),
        pl.col("odometer_m").last().alias("finish_odometer_m"),
        (pl.col("ride_time_s").first() - pl.col("counted_s").first().fill_null(0.0)).alias("start_ride_s"),
        pl.col("speed_kmh").max().alias("max_told_kmh"),
        (3.6 * pl.col("leg_ms").max()).alias("max_leg_kmh"),
        pl.col("ambient_c").mean().alias("ambient_c"),
        pl.len().cast(pl.Int64).alias("samples"),
        *_marks(),
    ]


def _marks() -> list[pl.Expr]:
    role = pl.col("role")
    locked = role.last().is_in(["end", "hidden"])
    return [
        pl.col("reset").any().alias("reset"),
        pl.col("down").any().alias("down"),
        (role.first() == "begin").alias("begun"),
        (locked.not_() | pl.col("cut").last()).alias("unlocked"),
        pl.col("flag").is_not_null().any().alias("locks"),
        (locked | ~pl.col("last").any()).alias("closed"),
    ]


def _reach(*, placed: bool) -> list[pl.Expr]:
    """How far positions lead from where it began, and how far they must where nothing else tells of a trip."""
    if not placed:
        return [pl.lit(None, pl.Float64()).alias(name) for name in ("far_m", "least_m")]
    away = metres("lat_deg", "lon_deg", pl.col("lat_before_deg").first(), pl.col("lon_before_deg").first())
    least = pl.max_horizontal(pl.lit(FAR_M), FAR_SIGMAS * pl.col("sigma_m").median())
    hidden = pl.max_horizontal(least, pl.lit(HIDDEN_M))
    return [
        away.rolling_median(3, min_samples=1).max().alias("far_m"),
        pl.when((pl.col("role") == "hidden").any()).then(hidden).otherwise(least).alias("least_m"),
    ]


def _sources() -> list[pl.Expr]:
    """Metres by their source, and those of positions that were refused."""
    by = [pl.col("d_m").filter(pl.col("source") == name).sum().alias(f"{name}_m") for name in SOURCES]
    return [*by, pl.col("off_m").sum().alias("off_m"), _dense().alias("dense")]


def _dense() -> pl.Expr:
    """Whether the vehicle spoke as often as one does that is in somebody's hands."""
    inside = pl.col("dt_s").filter(pl.col("role") == "inside").median()
    return pl.coalesce(inside, pl.col("dt_s").min()) <= TELLS_S


def _kind() -> pl.Expr:
    role = pl.col("role")
    silent = (pl.col("dt_s") > GAP_S) & role.is_in(["inside", "split"])
    unheard = role.is_in(["start", "end"]) & (pl.col("counted_s") > GAP_S).fill_null(False)
    guessed = _open_s() > (pl.col("ended_at").last() - pl.col("began_at").first()).dt.total_seconds()
    return (
        pl.when((role == "hidden").any() | guessed.fill_null(False))
        .then(pl.lit("inferred"))
        .when((pl.col("down") | silent | unheard).any())
        .then(pl.lit("bridged"))
        .otherwise(pl.lit("observed"))
    )


def _start_odometer() -> pl.Expr:
    own = pl.col("odometer_m").first()
    before = pl.coalesce(pl.col("odometer_before_m").first(), own)
    return pl.when(pl.col("role").first() == "split").then(own).otherwise(before)


def _open_s() -> pl.Expr:
    """How much sooner it may have been made, where nothing but a late odometer tells of most of it [s], else null."""
    late_m = pl.col("d_m").filter(pl.col("open_since").is_not_null()).sum()
    sooner_s = (pl.col("began_at").first() - pl.col("open_since").min()).dt.total_milliseconds() / 1000
    return pl.when(late_m >= pl.col("d_m").sum() / 2).then(sooner_s)


def _uncertainties() -> list[pl.Expr]:
    """Of start and finish [s], null where it began before the log; both may be as much too late as nobody knows."""
    start, finish = _start_uncertainty().first(), _finish_uncertainty().last()
    wide = [pl.when(each.is_not_null()).then(pl.max_horizontal(each, _open_s())) for each in (start, finish)]
    return [wide[0].alias("start_uncertainty_s"), wide[1].alias("finish_uncertainty_s")]


def _start_uncertainty() -> pl.Expr:
    """How far the start may lie from where it is said to be [s]: 19 of 20 do not lie farther."""
    left_s = (pl.col("began_at") - pl.col("since")).dt.total_milliseconds() / 1000
    ran_s = pl.when(pl.len() > 1).then((pl.col("at") - pl.col("began_at")).dt.total_milliseconds() / 1000)
    unlocking = (pl.col("counted_s") < EDGE_S).fill_null(False)  # else it rode already when first heard
    heard = pl.when(unlocking).then(pl.min_horizontal(left_s, pl.lit(EDGE_S))).otherwise(_heard(left_s))
    return (
        pl.when(pl.col("role") == "hidden")
        .then(pl.max_horizontal(left_s, ran_s))
        .when(pl.col("role").is_in(["start", "split"]))
        .then(pl.when("down").then(left_s).otherwise(heard) + CLOCK_S)
        .when(pl.col("since").is_not_null())
        .then(pl.lit(TELLS_S))
    )


def _finish_uncertainty() -> pl.Expr:
    left_s = (pl.col("at") - pl.col("ended_at")).dt.total_milliseconds() / 1000
    ran_s = pl.when(pl.len() > 1).then((pl.col("ended_at") - pl.col("since")).dt.total_milliseconds() / 1000)
    told = pl.when(left_s == 0).then(pl.col("dt_s")).when("down").then(left_s).otherwise(_heard(left_s))
    return (
        pl.when(pl.col("role") == "hidden")
        .then(pl.max_horizontal(left_s, ran_s))
        .when(pl.col("role") == "end")
        .then(told + CLOCK_S)
        .otherwise(TELLS_S)
    )


def _heard(left_s: pl.Expr) -> pl.Expr:
    """Of what is left of a silence, what may have been spent unlocked and standing: longer, and it had spoken.

    One that is asked seldom does not speak for that, and may have gone its way at twice the usual pace.
    """
    asked_s = pl.max_horizontal(left_s, pl.col("edge_s") / 2)
    return pl.when("seldom").then(asked_s).otherwise(pl.min_horizontal(left_s, pl.lit(TELLS_S)))


def _is_ride() -> pl.Expr:
    ran = pl.when(pl.col("counted")).then(pl.col("riding_s") >= RAN_S).otherwise(False)
    scattered = (
        (pl.col("gps_m") > 0) & (pl.col("gps_m") >= pl.col("distance_m")) & (pl.col("far_m") <= pl.col("least_m"))
    )
    return ((pl.col("distance_m") >= MOVED_M) & ~scattered.fill_null(False)) | ran


def _named() -> list[pl.Expr]:
    riding = pl.when(pl.col("counted")).then(pl.col("riding_s"))
    by_counter = pl.concat_str(
        *escaped(*WHO),
        *(pl.col(name).round().cast(pl.Int64) for name in ("start_odometer_m", "start_ride_s")),
        separator="/",
        ignore_nulls=True,
    )
    by_time = pl.concat_str(*escaped(*WHO), pl.col("started_at").dt.epoch("ms"), separator="@")
    name = pl.when(pl.col("start_odometer_m").is_not_null()).then(by_counter).otherwise(by_time)
    return [
        _duration_s().alias("duration_s"),
        riding.alias("riding_s"),
        (_duration_s() - riding).clip(0.0).alias("paused_s"),
        name.alias("trip_id"),
        _source().alias("distance_source"),
        _max_speed().alias("max_speed_kmh"),
        pl.when(riding > 0).then(3.6 * pl.col("distance_m") / riding).alias("mean_speed_kmh"),
        _share().alias("coverage"),
        _flags().alias("flags"),
    ]


def _source() -> pl.Expr:
    """What told most of the way."""
    most = pl.max_horizontal(f"{name}_m" for name in SOURCES)
    named = [pl.when((pl.col(f"{name}_m") == most) & (most > 0)).then(pl.lit(name)) for name in SOURCES]
    return pl.coalesce(*named, pl.when(pl.col("start_odometer_m").is_not_null()).then(pl.lit("odometer")))


def _unsure() -> pl.Expr:
    return (pl.col("gps_m") > 0) & (pl.col("off_m") > REFUSED * pl.col("distance_m"))


def _max_speed() -> pl.Expr:
    """The greatest speed that was told, else that of a leg between two positions that are sure [km/h]."""
    by_legs = pl.when(~_unsure()).then("max_leg_kmh")
    return pl.when(pl.col("max_told_kmh") > 0).then("max_told_kmh").otherwise(pl.coalesce(by_legs, "max_told_kmh"))


def _duration_s() -> pl.Expr:
    return (pl.col("finished_at") - pl.col("started_at")).dt.total_milliseconds() / 1000


def _share() -> pl.Expr:
    """Readings of the ride among those that its cadence makes: every 10 s while riding, every 60 s while standing."""
    riding_s = pl.when(pl.col("counted")).then(pl.col("riding_s")).otherwise(_duration_s())
    standing_s = (_duration_s() - riding_s).clip(0.0)
    expected = 1 + riding_s / EDGE_S + standing_s / STANDING_S
    heard = pl.when(pl.col("kind") == "inferred").then(0).otherwise("samples")
    return pl.when("locks").then((heard / expected).clip(0.0, 1.0))


def _flags() -> pl.Expr:
    """What is to be known of a trip before it is used: words in order, null where there is none."""
    told = {
        "collector_away": pl.col("down"),
        "odometer_reset": pl.col("reset"),
        "open_end": pl.col("unlocked"),
        "open_start": pl.col("begun"),
        "positions_unsure": _unsure(),
        "outlier": ~_duration_s().is_between(SHORTEST_S, LONGEST_S),
    }
    words = (
        pl.concat_list([pl.when(there).then(pl.lit(word)) for word, there in told.items()])
        .list.drop_nulls()
        .list.sort()
    )
    return pl.when(words.list.len() > 0).then(words)
