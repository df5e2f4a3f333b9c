"""Whether a vehicle was in use at an anchor: by its own word, else by the way it speaks, else by its motion.

A flag of use is a lock that means so, or `moving` (ignition or motor on). A vehicle without one that is silent for most
of its standing time tells by speaking that somebody has it; of one that speaks at one pace for ever, three minutes at
one place are a stop. One that speaks more seldom tells by its counters alone.
"""

import polars as pl

from analytics.frames import before, filled, with_facts
from analytics.observations.positions import DRIVES_KMH, STANDS_KMH, reach_m

STOP_S, REST_S = 180.0, 3600.0
STEP_MS = 4.0  # no slower goes a vehicle on its way from one rise of its odometer to the next
_SHIFT, _PAST, _LAT_M = 1 << 43, 1 << 42, 111_195.0


def flagged(rows: pl.DataFrame, traits: pl.DataFrame) -> pl.DataFrame:
    """Rows with their vehicle's `TRAITS` and `flag`: whether it says that it is in use; null where it does not say.

    Parameters
    ----------
    rows : DataFrame of anchors with `locked` and `moving`
    traits : DataFrame of `TRAITS`
    """
    told = with_facts(rows, traits)
    carried = [filled(name) for name in ("locked", "moving")]
    by_lock = pl.when(pl.col("lock_tells").fill_null(False)).then(carried[0].not_())
    by_motor = pl.when(pl.col("moving_tells").fill_null(False)).then(carried[1])
    return told.with_columns(flag=pl.coalesce(by_lock, by_motor))


def used(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of `evidence.placed` with `used`, null for a vehicle that tells by its counters alone, and `rests`.

    `rests` is true of a segment that is part of a stop, although the vehicle speaks in it; `cut` of one in use with
    which the log of a vehicle without a flag ends.
    """
    known = _resting(rows)
    awake = (pl.col("quiet_s") <= pl.col("silent_s")) & ~pl.col("rests") & ~pl.col("fresh")
    rows = known.with_columns(awake.fill_null(False).alias("awake"))
    soon = pl.when(~pl.col("last")).then(pl.col("awake").shift(-1)).fill_null(False)
    by_motion = pl.when(~pl.col("seldom")).then(pl.col("awake") | soon)
    moved = pl.when(pl.col("count_m").is_not_null() & (pl.col("dt_s") > 60)).then(pl.col("d_m") > 0).otherwise(True)
    fast = ((pl.col("speed_kmh") > DRIVES_KMH) & moved & pl.col("flag").is_not_null()).fill_null(False)
    goes = pl.col("went") & pl.when(~pl.col("last")).then(pl.col("went").shift(-1)).fill_null(False)
    charging = pl.col("charging").fill_null(False) & ~goes
    flag = pl.coalesce("flag", by_motion)
    told = pl.when("idle").then(False).when(fast).then(True).when(charging & flag).then(False).otherwise(flag)
    cut = (pl.col("last") & pl.col("flag").is_null() & told).fill_null(False)
    return rows.with_columns(pl.when(cut).then(False).otherwise(told).alias("used"), cut.alias("cut")).drop("awake")


def _resting(rows: pl.DataFrame) -> pl.DataFrame:
    """`rests`: the segment is part of a stand too long for a trip, although the vehicle speaks."""
    unflagged = rows["flag"].is_null()
    if not unflagged.any():
        return rows.with_columns(rests=pl.lit(False))
    quick = (pl.col("speed_kmh") > STANDS_KMH) | (before("speed_kmh") > STANDS_KMH)
    still = pl.col("still") & ~quick.fill_null(False) & ~pl.col("fresh")
    edge = pl.col("fresh").shift(1).fill_null(True) | pl.col("last")
    known = rows.with_columns(still.fill_null(False).alias("stood"), edge.alias("edge")).with_columns(
        (pl.col("stood").rle_id() + pl.col("fresh").cum_sum()).alias("run")
    )
    heard_s = pl.when(~pl.col("sleeps") | (pl.col("quiet_s") <= pl.col("silent_s"))).then("dt_s").fill_null(0.0)
    stood_s = heard_s.sum().over("run")
    step_m = pl.col("odo_m").filter(pl.col("odo_m") > 0).min().over(pl.col("fresh").cum_sum())
    stop_s = pl.max_horizontal(pl.lit(STOP_S), step_m / STEP_MS)  # between two rises of whole miles nothing stood
    limit = pl.when("sleeps").then(REST_S).otherwise(stop_s)
    outer = ~pl.col("sleeps") & pl.col("edge").any().over("run")
    by_run = pl.col("stood") & ((stood_s >= limit) | outer)
    told = known.with_columns(by_run.alias("rests"))
    if told["lat_deg"].null_count() == told.height:
        return told.drop("stood", "run", "edge")
    return told.drop("stood", "run", "edge").with_columns(pl.col("rests") | _stands(told))


def _stands(rows: pl.DataFrame) -> pl.Series:
    """Whether positions of some minutes about a segment lie at one place; for anchors that are positions."""
    key = pl.col("fresh").cum_sum().cast(pl.Int64) * _SHIFT + pl.col("at").dt.epoch("ms") + _PAST
    keyed = rows.with_columns(key.alias("key"), (-key).alias("yek"))
    east = pl.col("lon_deg") * pl.col("lat_deg").radians().cos()
    heard_s = pl.when(~pl.col("sleeps") | (pl.col("quiet_s") <= pl.col("silent_s"))).then("dt_s").fill_null(0.0)
    found = []
    for span_s, whom in ((STOP_S, ~pl.col("sleeps")), (REST_S, pl.col("sleeps"))):
        width = f"{int(span_s * 1000)}i"
        spread = [
            (each.rolling_max_by("key", width) - each.rolling_min_by("key", width)) * _LAT_M
            for each in (pl.col("lat_deg"), east)
        ]
        full = heard_s.rolling_sum_by("key", width) >= span_s * 0.8
        stands = full & (pl.max_horizontal(spread) <= 2 * reach_m("sigma_m")) & whom & pl.col("lat_deg").is_not_null()
        found.append(stands.fill_null(False).cast(pl.Int8).rolling_max_by("yek", width) > 0)
    by_place = pl.any_horizontal(found) & pl.col("count_m").is_null() & pl.col("speed_kmh").is_null()
    return keyed.select(by_place.alias("rests"))["rests"]
