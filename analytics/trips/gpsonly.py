"""Trips of vehicles of which nothing is known but positions.

A leg is what lies between two fixes of one vehicle. Most vehicles that stand speak seldom: one that does tells by its
silence that it stands, and by speaking at its riding cadence that somebody has it, moving or not. Of a vehicle that
speaks at one pace for ever, three minutes in one place are a stop. The rules are those of the analytics facts, 1.5.
"""

import polars as pl

from analytics.frames import WHO, before, marked

STILL_M, STILL_SIGMAS = 40.0, 3.0  # a stop's fixes lie so near each other
STOP_S = 180.0
MOVES_MS = 2.0  # a leg as fast as that is ridden
CREEPS_MS = 1.0  # a gap between ridden legs, crossed at least so fast, was ridden too
CADENCE_S, CADENCES = 10.0, 4.5  # of riding, where nobody moved; so many of them are a silence
BRIDGE_S = 900.0  # a longer silence may hide a stop
SPEAKS_S = 930.0  # a vehicle that stands speaks at least so often; found elsewhere after less, it was carried
REST_S = 3600.0
TRIP_M, TRIP_SIGMAS = 60.0, 8.0  # from its beginning a trip leads at least so far
HIDDEN_M = 150.0  # ... one that nobody saw
TOP_MS = 150 / 3.6 * 1.3
CURVED, SPEED_MS = 1.25, 5.7  # road for a metre of chord; of a ride of which nothing but the way is known
_LAT_M = 111_195.0  # of a degree, on a sphere of 6,371 km
_SHIFT, _PAST = 1 << 43, 1 << 42
_MS = pl.Datetime("ms", "UTC")
_UNTOLD = ("riding_s", "paused_s", "start_odometer_m", "finish_odometer_m", "start_ride_s", "ambient_c", "coverage")


def gps_trips(fixes: pl.DataFrame) -> pl.DataFrame:
    """Trips by positions alone.

    Parameters
    ----------
    fixes : DataFrame of `FIXES`, by vehicle and time

    Returns
    -------
    DataFrame by vehicle and start with the columns of `trips.trips` and `distance_source` (`gps`), start and finish
    positions [deg]. Counters are null.

    Notes
    -----
    `distance_m` sums chords less their noise (sqrt(d² - s1² - s2²)), so that it is a lower bound of the way; only
    where nobody saw the vehicle is the chord lengthened by 1.25. `inferred`: found elsewhere after a silence; a ride
    and a van look the same. `bridged`: a silence lies within, before or after it.
    `flags`: `open_start` and `open_end` where the log begins or ends under way. `mean_speed_kmh` is that of
    legs that move.
    """
    legs = _roles(_legs(_plausible(fixes)))
    rides = legs.filter(pl.col("ride").is_not_null()).group_by("ride", maintain_order=True).agg(*_sums())
    real = rides.filter((pl.col("kind") == "inferred") | (pl.col("far_m") > pl.col("least_m")))
    return real.with_columns(*_named()).drop("far_m", "least_m").sort(*WHO, "started_at")


# ---- legs ----------------------------------------------------------------------------------------------------------


def _plausible(fixes: pl.DataFrame) -> pl.DataFrame:
    """Without a fix that lies far from both its neighbours, which lie near each other: a reflection."""
    rows = marked(fixes.unique([*WHO, "at"], keep="first", maintain_order=True))
    last = pl.col("fresh").shift(-1).fill_null(True)
    sides = rows.select(_way(1).alias("into"), _way(-1).alias("out"), _across().alias("across"))
    lies_m = pl.min_horizontal(sides["into"], sides["out"])
    out = (lies_m > _reach()) & (sides["across"] < lies_m / 2) & ~pl.col("fresh") & ~last
    return marked(rows.filter(~out.fill_null(False)))


def _way(rows: int) -> pl.Expr:
    return _metres(pl.col("lat_deg"), pl.col("lon_deg"), pl.col("lat_deg").shift(rows), pl.col("lon_deg").shift(rows))


def _across() -> pl.Expr:
    lat, lon = pl.col("lat_deg"), pl.col("lon_deg")
    return _metres(lat.shift(1), lon.shift(1), lat.shift(-1), lon.shift(-1))


def _metres(lat: pl.Expr, lon: pl.Expr, other_lat: pl.Expr, other_lon: pl.Expr) -> pl.Expr:
    """Of the chord, on the plane that touches the sphere there: good for the kilometres between two fixes."""
    turn = ((lon - other_lon + 540) % 360) - 180  # over the date line too
    east = turn * ((lat + other_lat) / 2).radians().cos()
    return ((lat - other_lat) ** 2 + east**2).sqrt() * _LAT_M


def _reach() -> pl.Expr:
    return pl.max_horizontal(pl.lit(STILL_M), STILL_SIGMAS * pl.col("sigma_m"))


def _legs(fixes: pl.DataFrame) -> pl.DataFrame:
    both = (pl.col("sigma_m") ** 2 + before("sigma_m") ** 2).sqrt()
    rows = fixes.with_columns(
        before("at").alias("since"),
        before("lat_deg").alias("last_lat_deg"),
        before("lon_deg").alias("last_lon_deg"),
        ((pl.col("at") - before("at")).dt.total_milliseconds() / 1000).alias("dt_s"),
        pl.when(~pl.col("fresh")).then(_way(1)).alias("chord_m"),
        both.alias("both_m"),
    ).with_columns(
        (pl.col("chord_m") ** 2 - pl.col("both_m") ** 2).clip(0.0).sqrt().alias("d_m"),
        (pl.col("chord_m") <= pl.max_horizontal(pl.lit(STILL_M), STILL_SIGMAS * pl.col("both_m"))).alias("still"),
    )
    return _stopped(rows.join(_paces(rows), on=WHO, how="left", maintain_order="left"))


def _paces(legs: pl.DataFrame) -> pl.DataFrame:
    """By vehicle: `silent_s`, a silence that its riding cadence does not explain, and whether it `sleeps` standing."""
    dt, moves = pl.col("dt_s"), (pl.col("d_m") / pl.col("dt_s") > MOVES_MS) & (pl.col("dt_s") <= STOP_S)
    silent = (CADENCES * dt.filter(moves).median().fill_null(CADENCE_S)).alias("silent_s")
    quiet_s = dt.filter(pl.col("still") & (dt > STOP_S)).sum()
    return legs.group_by(WHO).agg(silent, (quiet_s > 0.5 * dt.filter("still").sum()).alias("sleeps"))


def _stopped(legs: pl.DataFrame) -> pl.DataFrame:
    """`rests`: the leg is part of a stand that is too long for a trip, although the vehicle speaks."""
    key = pl.col("fresh").cum_sum().cast(pl.Int64) * _SHIFT + pl.col("at").dt.epoch("ms") + _PAST
    keyed = legs.with_columns(key.alias("key"), (-key).alias("yek"))
    east = pl.col("lon_deg") * pl.col("lat_deg").radians().cos()
    found = []
    heard_s = pl.when(~pl.col("sleeps") | (pl.col("dt_s") <= pl.col("silent_s"))).then("dt_s").fill_null(0.0)
    for span_s, whom in ((STOP_S, ~pl.col("sleeps")), (REST_S, pl.col("sleeps"))):
        width = f"{int(span_s * 1000)}i"
        spread = [
            (each.rolling_max_by("key", width) - each.rolling_min_by("key", width)) * _LAT_M
            for each in (pl.col("lat_deg"), east)
        ]
        full = heard_s.rolling_sum_by("key", width) >= span_s * 0.8
        stands = full & (pl.max_horizontal(spread) <= 2 * _reach()) & whom
        found.append(stands.fill_null(False).cast(pl.Int8).rolling_max_by("yek", width) > 0)
    return keyed.with_columns(pl.any_horizontal(found).alias("rests")).drop("key", "yek")


# ---- trips ---------------------------------------------------------------------------------------------------------


def _roles(legs: pl.DataFrame) -> pl.DataFrame:
    """`role` of each leg, and the number of its `ride`."""
    speed = pl.col("d_m") / pl.col("dt_s")
    awake = (pl.col("dt_s") <= pl.col("silent_s")) & ~pl.col("rests") & ~pl.col("fresh")
    rows = legs.with_columns(awake.fill_null(False).alias("awake"), speed.alias("speed_ms"))
    with_sides = rows.with_columns(
        before("awake").fill_null(False).alias("was"),
        pl.when(~pl.col("fresh").shift(-1)).then(pl.col("awake").shift(-1)).fill_null(False).alias("will"),
    ).with_columns(_role().alias("role"))
    new = (pl.col("role") == "hidden") | (
        pl.col("role").is_in(["start", "on", "end"])
        & (~before("role").is_in(["start", "on"]) | (pl.col("role") == "start")).fill_null(True)
    )
    numbered = with_sides.with_columns(pl.when(pl.col("role") != "park").then(new.cum_sum()).alias("ride"))
    opens, closes = pl.col("fresh").shift(1).fill_null(False), pl.col("fresh").shift(-1).fill_null(True)
    return numbered.with_columns(*_edges(), opens.alias("opens"), closes.alias("closes"))


def _role() -> pl.Expr:
    went = ~pl.col("still") & (pl.col("speed_ms") <= TOP_MS) & ~pl.col("rests")
    ridden = (pl.col("speed_ms") >= CREEPS_MS) & (pl.col("dt_s") <= BRIDGE_S)
    far = pl.col("chord_m") > pl.max_horizontal(pl.lit(HIDDEN_M), TRIP_SIGMAS * pl.col("both_m"))
    return (
        pl.when("awake")
        .then(pl.lit("on"))
        .when(went & pl.col("was") & pl.col("will") & ridden)
        .then(pl.lit("on"))
        .when(went & pl.col("will"))
        .then(pl.lit("start"))
        .when(went & pl.col("was"))
        .then(pl.lit("end"))
        .when(went & far & (pl.col("dt_s") > SPEAKS_S))
        .then(pl.lit("hidden"))
        .otherwise(pl.lit("park"))
    )


def _edges() -> list[pl.Expr]:
    """When a ride begins or ends in a leg: the way of a silence takes as long as such ways do."""
    took_s = pl.min_horizontal(pl.col("chord_m") * CURVED / SPEED_MS, "dt_s")
    took = pl.duration(milliseconds=(took_s * 1000).cast(pl.Int64))
    spare = (pl.col("at") - pl.col("since") - took) / 2
    role = pl.col("role")
    began = pl.when(role == "start").then(pl.col("at") - took).when(role == "hidden").then(pl.col("since") + spare)
    ended = pl.when(role == "end").then(pl.col("since") + took).when(role == "hidden").then(pl.col("at") - spare)
    return [
        began.otherwise("since").cast(_MS).alias("began_at"),
        ended.otherwise("at").cast(_MS).alias("ended_at"),
        pl.when(role == "hidden").then((pl.col("dt_s") - took_s) / 2).otherwise(took_s / 2).alias("unsure_s"),
    ]


def _sums() -> list[pl.Expr]:
    seen = pl.col("role") == "on"
    way = pl.when(seen).then("d_m").otherwise(pl.col("d_m") * CURVED)
    went = ~pl.col("still") | (pl.col("speed_ms") > MOVES_MS)
    away = _metres(pl.col("lat_deg"), pl.col("lon_deg"), _start("lat_deg"), _start("lon_deg"))
    return [
        *(pl.col(name).first() for name in WHO),
        pl.col("began_at").first().alias("started_at"),
        pl.col("ended_at").last().alias("finished_at"),
        pl.when(went).then(way).otherwise(0.0).sum().alias("distance_m"),
        (3.6 * pl.when(went).then(way).sum() / pl.when(went).then("dt_s").sum()).fill_nan(None).alias("mean_speed_kmh"),
        _kind().alias("kind"),
        pl.col("unsure_s").first().alias("start_uncertainty_s"),
        pl.col("unsure_s").last().alias("finish_uncertainty_s"),
        (3.6 * pl.when(seen).then("speed_ms").max()).alias("max_speed_kmh"),
        pl.len().cast(pl.Int64).alias("samples"),
        pl.col("opens").first().alias("begun"),
        pl.col("closes").last().alias("unlocked"),
        *(_start(name).alias(f"start_{name}") for name in ("lat_deg", "lon_deg")),
        *(pl.col(name).last().alias(f"finish_{name}") for name in ("lat_deg", "lon_deg")),
        away.rolling_median(3, min_samples=1).max().alias("far_m"),
        pl.max_horizontal(pl.lit(TRIP_M), TRIP_SIGMAS * pl.col("sigma_m").median()).alias("least_m"),
    ]


def _kind() -> pl.Expr:
    return (
        pl.when((pl.col("role") == "hidden").any())
        .then(pl.lit("inferred"))
        .when((pl.col("dt_s") > pl.col("silent_s")).any())
        .then(pl.lit("bridged"))
        .otherwise(pl.lit("observed"))
    )


def _start(name: str) -> pl.Expr:
    return pl.col(f"last_{name}").first()


def _named() -> list[pl.Expr]:
    duration = (pl.col("finished_at") - pl.col("started_at")).dt.total_milliseconds() / 1000
    name = pl.concat_str(*WHO, pl.col("started_at").dt.epoch("ms"), separator="@")
    words = {"open_end": pl.col("unlocked"), "open_start": pl.col("begun")}
    flags = pl.concat_list(pl.when(told).then(pl.lit(word)) for word, told in words.items()).list.drop_nulls()
    return [
        duration.alias("duration_s"),
        name.alias("trip_id"),
        pl.when(flags.list.len() > 0).then(flags).alias("flags"),
        pl.lit("gps").alias("distance_source"),
        *(pl.lit(None, pl.Float64).alias(untold) for untold in _UNTOLD),
        *(pl.lit(False).alias(untrue) for untrue in ("counted", "reset", "down", "locks")),
        pl.lit(True).alias("closed"),
    ]
