"""What lies between two anchors: how far the vehicle went, and for how long it was ridden.

The odometer tells the way; where it was late, or told in whole kilometres, its rise is shared among the segments since
the rise before, as speeds and positions say, and else as late as the vehicle can have made it. Where there is no
odometer, or it stands still while the vehicle is ridden, speeds tell, else positions.
"""

import polars as pl

from analytics.frames import WHO, before, marked
from analytics.observations.positions import DRIVES_KMH, STANDS_KMH
from analytics.trips.late_odometer import STEP_M, shared, usual_s

GAP_S = 60.0  # speeds further apart are not joined
DEAD_M, COARSE = 300.0, 2.0  # an odometer stood still for a way of so much, and of so many of its steps
LONG_M = 3000.0  # ... while the motor ran: nothing else needs to have been silent
LEADS = 0.3  # ... of which so much leads straight on, or speeds tell
SILENT_M, SILENT = 2000.0, 0.3  # ... and a speed, of a day's way
STRAIGHT, LEAST_STRAIGHT_M = 0.99, 1000.0  # legs and ways that tell how right a speed is
FITS = (0.8, 1.25)  # times as far as a speed says, dense positions lead straight on
NEAR_S = 10.0  # motion is judged over no less
WENT_M, WENT_MS, STILL_M, STILL_MS = 30.0, 1.0, 5.0, 0.3  # either makes a segment one of motion, or of a stand
_SHIFT = 1 << 43  # more milliseconds than any log has


def measured(anchors: pl.DataFrame) -> pl.DataFrame:
    """Segments with what each source of evidence tells of them.

    Parameters
    ----------
    anchors : DataFrame of anchors, by vehicle and time, with `path_m` and `speed_kmh`

    Returns
    -------
    `anchors` with `since` and `dt_s`; `odo_m` (null where the odometer is not told at both ends), `speed_m` (null where
    speeds lie apart by more than 60 s), `gps_m` (null without positions), `off_m`, what of these was too fast, and
    `line_m`, what was straight; `counted_s`, riding seconds.
    """
    rows = marked(anchors)
    dt_s = (pl.col("at") - before("at")).dt.total_milliseconds() / 1000
    rides_kmh = pl.when(pl.col("speed_kmh") > STANDS_KMH).then("speed_kmh").otherwise(0.0 * pl.col("speed_kmh"))
    kmh = (rides_kmh + rides_kmh.shift(1)) / 2
    known = rows.with_columns(
        before("at").alias("since"),
        dt_s.alias("dt_s"),
        (pl.col("count_m") - before("count_m")).alias("odo_m"),
        pl.when(dt_s <= GAP_S).then(dt_s * kmh / 3.6).alias("speed_m"),
        (pl.col("path_m") - before("path_m")).alias("gps_m"),
        (pl.col("refused_m") - before("refused_m")).alias("off_m"),
        (pl.col("straight_m") - before("straight_m")).alias("line_m"),
        (pl.col("ride_s") - before("ride_s")).clip(0.0).alias("counted_s"),
        pl.col("fresh").shift(-1).fill_null(True).alias("last"),
    )
    return _scaled(known)


def _scaled(rows: pl.DataFrame) -> pl.DataFrame:
    """Speeds scaled to dense positions on straight legs, day by day; a speed that says 0 all day says nothing."""
    if not (rows["speed_m"].is_not_null() & rows["gps_m"].is_not_null()).any():
        return rows
    dense = pl.col("speed_m").is_not_null() & pl.col("gps_m").is_not_null() & (pl.col("dt_s") <= GAP_S)
    straight = (
        dense & (pl.col("gps_m") > 0) & (pl.col("line_m") >= STRAIGHT * pl.col("gps_m")) & (pl.col("speed_m") > 0)
    )
    day = pl.col("at").dt.truncate("1d").alias("day")
    sums = rows.with_columns(day).group_by(*WHO, "day").agg(
        pl.col("gps_m").filter(straight).sum().alias("straight_m"),
        pl.col("speed_m").filter(straight).sum().alias("same_m"),
        pl.col("gps_m").sum().alias("whole_m"), pl.col("speed_m").filter(pl.col("gps_m") > 0).sum().alias("said_m"),
        pl.col("odo_m").sum().alias("odo_day_m"),
    )  # fmt: skip
    ratio = pl.when(pl.col("straight_m") >= LEAST_STRAIGHT_M).then(pl.col("straight_m") / pl.col("same_m"))
    dead = (pl.col("whole_m") > SILENT_M) & (pl.col("said_m") < SILENT * pl.col("whole_m")) & (pl.col("odo_day_m") <= 0)
    other = ~ratio.is_between(*FITS).fill_null(True)  # a speed of another unit says nothing, too
    factor = pl.when(dead | other).then(None).otherwise(ratio.fill_null(1.0)).alias("factor")
    told = rows.with_columns(day).join(sums.select(*WHO, "day", factor), on=[*WHO, "day"], how="left",
                                       maintain_order="left")  # fmt: skip
    return told.with_columns(pl.col("speed_m") * pl.col("factor")).drop("day", "factor")


# ---- the way -------------------------------------------------------------------------------------------------------


def placed(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of `measured` with `d_m`, `source` and `dr_s`.

    Parameters
    ----------
    rows : DataFrame of `measured` with `flag`: whether the vehicle says that it is in use, null where it does not say

    Returns
    -------
    `rows` with `d_m`, the way [m]; `source` (`odometer`, `speed`, `gps`, null where nothing tells); `open_since`,
    as in `late_odometer.shared`; `dr_s`, the time ridden [s], which is `estimated` where no counter
    tells it, as long as such a way usually takes; and `edge_s`, how long before its end or after its begin a trip
    began or ended in it: the same, or as long as it took at the pace of the segments beside it; `went` and `still`,
    whether the vehicle moved or stood.
    """
    told = shared(rows.with_columns(_other().alias("other_m")))
    alive = _alive(told)
    source = (
        pl.when(pl.col("way").is_not_null())
        .then(pl.lit("odometer"))
        .when(pl.col("other_m").is_null())
        .then(None)
        .when(pl.col("speed_m").is_not_null() & (pl.col("other_m") == pl.col("speed_m")))
        .then(pl.lit("speed"))
        .otherwise(pl.lit("gps"))
    )
    known = alive.with_columns(source.alias("source"), pl.coalesce("way", "other_m").fill_null(0.0).alias("d_m"))
    known = known.with_columns(pl.min_horizontal(usual_s("d_m"), "dt_s").alias("usual_s"))
    pace_ms = pl.col("d_m") / pl.col("dt_s")
    beside = pl.max_horizontal(
        pl.when(~pl.col("fresh")).then(pace_ms.shift(1)), pl.when(~pl.col("last")).then(pace_ms.shift(-1))
    )
    usual = pl.col("usual_s")
    soonest = pl.min_horizontal(usual, pl.when(beside > 0).then(pl.col("d_m") / beside))
    told = known.with_columns(
        pl.coalesce("counted_s", usual).fill_null(0.0).alias("dr_s"),
        pl.coalesce("counted_s", soonest).fill_null(0.0).alias("edge_s"),
        pl.col("counted_s").is_null().alias("estimated"),
    ).drop("way", "other_m", "usual_s")
    return told.with_columns(_motion(told))


def _motion(rows: pl.DataFrame) -> list[pl.Series]:
    """`went` and `still` of each segment, by the way of the last ten seconds where segments are shorter.

    A second's way at walking pace is less than a position or an odometer tells.
    """
    near = rows.select(way_m="d_m", span_s="dt_s")
    short = pl.col("dt_s") < NEAR_S
    if rows.select(short.any()).item():
        key = pl.col("fresh").cum_sum().cast(pl.Int64) * _SHIFT + pl.col("at").dt.epoch("ms")
        sums = [
            pl.when(short).then((1000 * pl.col(name)).round()).otherwise(0.0).cast(pl.Int64)  # whole: they sum alike
            .rolling_sum_by("key", f"{int(1000 * NEAR_S)}i") / 1000
            for name in ("d_m", "dt_s")
        ]  # fmt: skip
        near = rows.with_columns(key.alias("key")).select(
            way_m=pl.when(short).then(sums[0]).otherwise("d_m"), span_s=pl.when(short).then(sums[1]).otherwise("dt_s")
        )
    speed_ms = pl.col("way_m") / pl.col("span_s")
    went = ((pl.col("way_m") > WENT_M) | (speed_ms > WENT_MS)).fill_null(False)
    still = (pl.col("way_m") <= STILL_M) | (speed_ms < STILL_MS)
    return near.select(went=went, still=(still & ~went).fill_null(False)).get_columns()


def _other() -> pl.Expr:
    """What speeds say, else positions: a speed beside which positions run away says nothing."""
    away = (pl.col("gps_m") > 3 * pl.col("speed_m") + 100).fill_null(False)
    return pl.when(pl.col("speed_m").is_not_null() & ~away).then("speed_m").otherwise("gps_m")


def _alive(rows: pl.DataFrame) -> pl.DataFrame:
    """Without an odometer that stands still while the vehicle goes on its way, as flag or speed say, and positions.

    Where speeds do not tell of the way, positions do if they lead straight on for a part of it, and the odometer told
    nothing all day, or the motor ran for a long way: two that agree that a vehicle stood are right against positions.
    """
    said = (pl.col("flag").fill_null(False)) | (pl.col("speed_kmh") > DRIVES_KMH).fill_null(False)
    there = pl.col("gps_m").is_null() | (pl.col("gps_m") > 0)
    sure = pl.col("flag").fill_null(False) | pl.col("gps_m").is_not_null()
    runs = pl.col("flag").fill_null(False) & pl.col("moving").fill_null(False)
    on = (said & before("said").fill_null(False)) | pl.col("runs") | before("runs").fill_null(False)
    flat = (pl.col("way") <= 0) & (pl.col("other_m") > 0) & on & there & sure
    still = (pl.col("way") <= 0).fill_null(False)
    known = rows.with_columns(said.alias("said"), runs.alias("runs")).with_columns(
        flat.fill_null(False).alias("flat"), (still.rle_id() + pl.col("fresh").cum_sum()).alias("run")
    )
    names = ("other_m", "line_m", "speed_m")
    far = (
        known.filter("flat")
        .group_by("run")
        .agg(pl.col(WHO).first(), pl.col("runs").any(), *(pl.col(n).sum().alias(f"whole_{n}") for n in names))
    )
    far = far.filter(pl.col("whole_other_m") > DEAD_M)
    if not far.height:
        return rows
    return rows.with_columns(pl.when(~_dead(known, far)).then("way").alias("way"))


def _dead(rows: pl.DataFrame, far: pl.DataFrame) -> pl.Series:
    """Whether the odometer stood still though the vehicle went; `far` are the runs in which others tell of a way."""
    day = pl.col("at").dt.truncate("1d").alias("day")
    whose = rows.with_columns(day).join(far.select(WHO).unique(), on=WHO, how="semi")
    steps = whose.group_by(WHO).agg(
        pl.col("way").filter(pl.col("way") > 0).min().fill_null(0.0).clip(0.0, STEP_M).alias("step_m")
    )
    silent = whose.group_by(*WHO, "day").agg((pl.col("way").sum() <= 0).alias("silent"))
    told = far.join(steps, on=WHO)
    flats = rows.select(*WHO, day, "run", "flat").with_row_index("row").filter("flat").join(told.drop(WHO), on="run")
    other = pl.col("whole_other_m")
    quiet = pl.col("silent") | (pl.col("runs") & (other > LONG_M))
    leads = (pl.col("whole_speed_m") > LEADS * other) | (quiet & (pl.col("whole_line_m") > LEADS * other))
    dead = flats.join(silent, on=[*WHO, "day"]).filter((other > COARSE * pl.col("step_m")) & leads)["row"]
    return rows.select(pl.int_range(pl.len(), dtype=pl.UInt32).is_in(dead.implode()).alias("dead"))["dead"]
