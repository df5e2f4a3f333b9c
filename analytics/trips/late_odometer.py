"""Which segments share a rise of the odometer that was told late, or in whole kilometres.

A rise belongs to the segments since the odometer was told before. One that its own segment does not explain, because it
is too fast for it, or because the vehicle went on its way while the odometer stood still, belongs to the segments since
the rise before. Among these it is shared as speeds and positions say; the rest by the time in which the vehicle says
that it goes. Where nothing tells when it went, the rest was made as late as it can have been, and may be older.
"""

import polars as pl

from analytics.frames import WHO, before, vehicles_in
from analytics.observations.counters import STEPS_M
from analytics.observations.positions import DRIVES_KMH, STANDS_KMH

SPEED_MS, USUAL_M, FASTER = 5.7, 3000.0, 0.35  # how fast a way of so many metres usually is; longer ones are faster
TOP_MS, SLACK_M = 150 / 3.6 * 1.3, 10.0  # no vehicle is faster
WHOLE_MS = 130 / 3.6  # ... from a stand to a stand
NEARLY = 0.9  # of a rise, and speeds or positions tell all of it: they err by so much
STEP_M = max(STEPS_M)  # a rise of no more may be one step of a coarse odometer
LATE_M, LATE = 200.0, 0.2  # so much way, and of the rise, beside an odometer that stood still: it was late
FAST = 1.5  # times the vehicle's own pace: a rise that is faster was late
EXPLAINED = 0.8  # of a rise that speeds or positions of its own segment tell, it was not late
_GROUP, _MADE = "group", ("way", "open_since")


def usual_s(way: str) -> pl.Expr:
    """How long such a way usually takes [s]: the longer, the faster."""
    return pl.col(way) / usual_ms(pl.col(way))


def usual_ms(way_m: pl.Expr) -> pl.Expr:
    """How fast such a way usually is [m/s]."""
    return SPEED_MS * pl.max_horizontal(pl.lit(1.0), way_m / USUAL_M) ** FASTER


def shared(rows: pl.DataFrame) -> pl.DataFrame:
    """Segments with their part of the odometer's rises.

    Parameters
    ----------
    rows : DataFrame of `evidence.measured`, with `flag` and `other_m`, what speeds or positions tell of the way [m]

    Returns
    -------
    `rows` with `way`, the odometer's metres, null where it has none, and `open_since`: since when they may have been
    made, where nothing but a late odometer tells of them, else null.
    """
    plain = rows.with_columns(pl.col("odo_m").alias("way"), pl.lit(None, rows.schema["at"]).alias("open_since"))
    whose = _sharing(rows)
    if whose.is_empty():
        return plain
    told = plain.drop(_MADE).with_row_index("row").join(whose, on=WHO, how="semi", maintain_order="left")
    parts = _parts(_joined(_grouped(told)))
    shares = told.select("row", shares=True).join(parts, on="row", how="left", maintain_order="left")
    if shares.height == rows.height:
        return rows.hstack(shares.select(_MADE))
    other = plain.with_row_index("row").join(shares, on="row", how="left", maintain_order="left").drop("row")
    chosen = [pl.when("shares").then(f"{name}_right").otherwise(name).alias(name) for name in _MADE]
    return other.with_columns(chosen).drop("shares", *(f"{name}_right" for name in _MADE))


def _sharing(rows: pl.DataFrame) -> pl.DataFrame:
    """Vehicles of which a rise may have been told late.

    The odometer was not always told, or rose too fast, or after it stood still in use or for a way that others tell.
    """
    counts = pl.col("count_m")
    most_ms = pl.when(pl.col("odo_m") > STEP_M).then(WHOLE_MS).otherwise(TOP_MS)
    fast = pl.col("odo_m") > pl.col("dt_s") * most_ms + SLACK_M
    flat = (pl.col("odo_m") <= 0).fill_null(False)
    used = flat & (_goes() | _goes().shift(1).fill_null(False))
    since_use = pl.when(used).then(True).when(~flat).then(False).forward_fill()
    after_use = (pl.col("odo_m") > LATE_M) & since_use.shift(1).fill_null(False)
    went_m = pl.when(flat & (pl.col("other_m") > 0)).then("other_m").otherwise(0.0)
    runs = rows.select(
        *WHO, counts.is_null().alias("untold"), counts.is_not_null().alias("told"), (fast | after_use).alias("odd"),
        went_m.alias("went_m"), (flat.rle_id() + pl.col("fresh").cum_sum()).alias("run"),
    )  # fmt: skip
    far = runs.filter(pl.col("went_m") > 0).group_by("run").agg(pl.col(WHO).first(), pl.col("went_m").sum())
    late = far.filter(pl.col("went_m") > LATE_M).select(WHO)
    odd = vehicles_in(runs.filter(pl.col("untold") | pl.col("odd").fill_null(False)))
    counted = vehicles_in(runs.filter("told"))
    return pl.concat([late, odd]).unique().join(counted, on=WHO, how="semi").sort(WHO)


# ---- which segments a rise belongs to ------------------------------------------------------------------------------


def _grouped(rows: pl.DataFrame) -> pl.DataFrame:
    """Segments with the `group` of those until the odometer was told next, and `rise_m` by then.

    `ridden`: the vehicle may have been on its way; `goes`: it says at its end that it was; `used_s`: for so long.
    """
    counts = pl.col("count_m").forward_fill().over(WHO)
    told = pl.col("count_m").is_not_null()
    since_first = told.cum_sum().over(WHO) - told.cast(pl.UInt32)
    known = rows.with_columns(
        _may_ride().alias("ridden"),
        (counts - counts.shift(1).over(WHO)).alias("rise_m"),
        pl.when(told).then("row").backward_fill().over(WHO).alias(_GROUP),
        since_first.alias("told_before"),
        _goes().alias("goes"),
        _stands().alias("stands"),
    ).with_columns(_used_s().alias("used_s")).drop_nulls(_GROUP).filter(pl.col("told_before") > 0)  # fmt: skip
    return known.with_columns(pl.when("ridden").then("other_m").otherwise(0 * pl.col("other_m")).alias("other_m"))


def _may_ride() -> pl.Expr:
    """Whether the vehicle may have been on its way: in use at an end, not charging, and with riding time, if told."""
    in_use = pl.col("flag").fill_null(True) | pl.col("flag").shift(1).fill_null(True)
    charges = pl.col("charging").fill_null(False) & before("charging").fill_null(False)
    rises = (pl.col("soc_pct") > before("soc_pct")).fill_null(False)
    stood = (pl.col("counted_s") <= 0).fill_null(False)
    return in_use & ~charges & ~rises & ~stood


def _goes() -> pl.Expr:
    """Whether the vehicle says at this moment that it goes."""
    in_use = pl.col("flag").fill_null(False) & pl.col("moving").fill_null(True)
    return in_use | (pl.col("speed_kmh") > DRIVES_KMH).fill_null(False)


def _stands() -> pl.Expr:
    """Whether the vehicle cannot have ridden, or tells at both ends that it stands."""
    slow = (pl.col("speed_kmh") <= STANDS_KMH) & (before("speed_kmh") <= STANDS_KMH)
    return ~_may_ride() | slow.fill_null(False)


def _used_s() -> pl.Expr:
    """How long it says in a segment that it is in use [s]: all of it by both of its ends, half by one."""
    ends = pl.col("goes").cast(pl.Float64) + before("goes").fill_null(False).cast(pl.Float64)
    return pl.when("ridden").then(pl.col("dt_s") * ends / 2).otherwise(0.0).fill_null(0.0)


def _joined(segments: pl.DataFrame) -> pl.DataFrame:
    """Segments with the `group` that shares a rise `group_m`: those since the rise before, where it came late."""
    tellers = segments.group_by(_GROUP, maintain_order=True).agg(
        pl.col(WHO).first(), pl.col("rise_m").last(), pl.col("dt_s").sum(),
        pl.col("ridden").any(), pl.col("stands").all(),
        pl.col("other_m").sum(), pl.col("other_m").is_not_null().all().alias("known"),
        pl.col("goes").any().alias("used"), (pl.col("used_s") > 0).any().alias("touched"),
    )  # fmt: skip
    runs = tellers.with_columns(
        (pl.col("rise_m") <= 0).alias("flat"),
        pl.when(pl.col("rise_m") > 0).then(_GROUP).backward_fill().over(WHO).alias("whole"),
    )
    late = _late(runs).select("whole", joins=pl.lit(True))
    whole = pl.when("joins").then("whole").otherwise(_GROUP).alias("into")
    into = runs.join(late, on="whole", how="left", maintain_order="left").select(_GROUP, whole)
    rises = tellers.select(pl.col(_GROUP).alias("into"), pl.col("rise_m").alias("group_m"))
    groups = into.join(rises, on="into", how="left", maintain_order="left")
    named = segments.join(groups, on=_GROUP, how="left", maintain_order="left")
    return named.drop(_GROUP).rename({"into": _GROUP})


def _late(runs: pl.DataFrame) -> pl.DataFrame:
    """Rises that came late: too fast, or after the vehicle had gone on its way while the odometer stood still."""
    flats = runs.filter("flat").group_by("whole").agg(
        pl.col("other_m").sum().alias("flat_m"), pl.col("used").any().alias("flat_used"),
        pl.col("touched").any().alias("flat_touched"),
    )  # fmt: skip
    judged = runs.join(flats, on="whole", how="left", maintain_order="left")
    rise = pl.col("rise_m")
    fast = rise > pl.col("dt_s") * _most_ms() + SLACK_M
    went = pl.col("flat_m").is_between(pl.max_horizontal(LATE_M, LATE * rise), 2 * rise)
    after_use = (pl.col("flat_used") | (pl.col("stands") & pl.col("flat_touched"))) & (rise > LATE_M)
    known = judged.with_columns(after_use.fill_null(False).alias("after_use"))
    return known.filter((rise > 0) & ((fast | went | pl.col("after_use")) & ~_explained()).fill_null(False))


def _most_ms() -> pl.Expr:
    """How fast a rise can have been made: more slowly where the vehicle stood before it and after it."""
    stood = pl.col("flat").shift(1).over(WHO) & pl.col("flat").shift(-1).over(WHO).fill_null(True)
    return pl.when(stood & (pl.col("rise_m") > STEP_M)).then(WHOLE_MS).otherwise(TOP_MS)


def _explained() -> pl.Expr:
    """Whether the rise was made in its own segments: as speeds and positions tell, else by its pace.

    The own pace of the vehicle is that of rises before which it did not go: of late ones it tells nothing.
    """
    rise, pace_ms = pl.col("rise_m"), pl.col("rise_m") / pl.col("dt_s")
    at_once = (rise > 0) & (~pl.col("after_use") | (rise <= STEP_M))
    own_ms = pace_ms.filter(at_once).median().over(WHO)
    own = (pace_ms <= pl.min_horizontal(FAST * own_ms, _most_ms())) & own_ms.is_not_null()
    usual = pl.col("ridden") & ((usual_s("rise_m") <= pl.col("dt_s")) | own)
    return (
        pl.when(pl.col("known") | (pl.col("other_m") > 0)).then(pl.col("other_m") >= EXPLAINED * rise).otherwise(usual)
    )


# ---- what each has of it -------------------------------------------------------------------------------------------


def _parts(segments: pl.DataFrame) -> pl.DataFrame:
    """Of each `row` its `way`, what falls on it of its group's rise [m], and its `open_since`."""
    several = segments.select(pl.len().over(_GROUP) > 1).to_series()
    whole = pl.lit(None, segments.schema["since"]).alias("open_since")
    alone = segments.filter(~several).select("row", pl.col("group_m").alias("way"), whole)
    return pl.concat([alone, _divide(segments.filter(several))], how="vertical_relaxed")


def _divide(segments: pl.DataFrame) -> pl.DataFrame:
    """As `_parts`, of groups of more than one segment."""
    total, told_m = pl.col("group_m"), pl.col("other_m").sum().over(_GROUP)
    left_m = pl.when(told_m < NEARLY * total).then(total - told_m).otherwise(0.0)
    known = segments.with_columns(told_m.alias("told_m"), left_m.alias("left_m"))
    known = known.with_columns(_open_s().alias("open_s")).with_columns(_said_s().alias("said_s"))
    known = known.with_columns(_rest().alias("rest_m"))
    silent = pl.col("flag").is_null() & (pl.col("said_s").sum().over(_GROUP) <= 0)
    guessed = (pl.col("rest_m") > 0) & silent & (pl.col("group_m") > STEP_M)
    first = pl.col("since").filter(pl.col("open_s") > 0).min().over(_GROUP)
    return known.select("row", _part().alias("way"), pl.when(guessed).then(first).alias("open_since"))


def _part() -> pl.Expr:
    """Of the group's rise what falls on the segment [m]."""
    total, told_m = pl.col("group_m"), pl.col("told_m")
    closed = pl.col("open_s").sum().over(_GROUP) == 0
    scale = pl.when((told_m > 0) & (closed | (pl.col("left_m") == 0))).then(total / told_m).otherwise(1.0)
    last = pl.col("row") == pl.col("row").max().over(_GROUP)
    alone = pl.when(closed & (told_m <= 0) & last).then(total).otherwise(0.0)
    return pl.col("other_m").fill_null(0.0) * scale + pl.col("rest_m") + alone


def _open_s() -> pl.Expr:
    """The time of segments of which nothing but the odometer tells: of those in use, if they can hold so much way."""
    untold = pl.col("other_m").is_null()
    in_use = untold & pl.col("ridden")
    room_m = TOP_MS * pl.when(in_use).then("dt_s").otherwise(0.0).sum().over(_GROUP)
    open_ = pl.when(pl.col("left_m") <= room_m).then(in_use).otherwise(untold)
    return pl.when(open_).then("dt_s").otherwise(0.0).fill_null(0.0)


def _said_s() -> pl.Expr:
    """Of the open time that in which the vehicle says that it goes, if it can hold so much way, else none.

    What is told when the vehicle comes into use, and no more of it was seen, was made before that; a rise of one step
    of a coarse odometer was made at its end.
    """
    wakes = pl.col("goes") & ~before("goes").fill_null(True) & (pl.col("row") == pl.col("row").max().over(_GROUP))
    said_s = pl.when((pl.col("open_s") > 0) & ~wakes).then("used_s").otherwise(0.0).fill_null(0.0)
    holds = said_s.sum().over(_GROUP) * TOP_MS >= pl.col("left_m")
    return pl.when(holds & (pl.col("group_m") > STEP_M)).then(said_s).otherwise(0.0)


def _rest() -> pl.Expr:
    """Of the way that is left what falls on the segment: by the time that it says, else as late as possible."""
    said_s = pl.col("said_s").sum().over(_GROUP)
    by_time = pl.col("left_m") * pl.col("said_s") / said_s
    return pl.when(said_s > 0).then(by_time).otherwise(_latest())


def _latest() -> pl.Expr:
    """What falls on the segment if the way that is left was made at its usual pace, and ended with the group."""
    open_s, left_m = pl.col("open_s"), pl.col("left_m")
    after_s = open_s.cum_sum(reverse=True).over(_GROUP) - open_s
    pace_ms = pl.max_horizontal(usual_ms(left_m), left_m / open_s.sum().over(_GROUP))
    late = pl.min_horizontal(pace_ms * open_s, (left_m - pace_ms * after_s).clip(0.0))
    return pl.when(open_s > 0).then(late).otherwise(0.0)
