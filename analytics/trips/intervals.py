"""What lies between two readings of one vehicle: its role, and the ride that it is part of.

Roles: `park`, `hidden` (a ride between two locked readings, or of a vehicle without a lock), `start`, `inside`, `end`,
`split` (a stop is hidden in a ride's gap), `rest` (a pause too long to be one), `begin` (the first reading, under
way). The rules are those of the analytics facts, 1.4.
"""

import polars as pl

from analytics.frames import WHO, before, carried, marked, within
from analytics.trips.silences import MOVED_M, RAN_S, locked_within

GAP_S, RAN_THROUGH_S = 60.0, 40.0  # a gap in pushes; riding seconds that may lack in it
TELLS_S = 70.0  # an unlocked vehicle speaks at least so often: a longer silence hides when it was locked
SPEAKS_S = 900.0  # cadence of pushes while locked
HIDES_S = 300.0  # a silence of an unlocked vehicle that hides no stop: five messages in a row may be lost, not more
PAUSE_S = 900.0  # standing for no longer, in a silence that was ridden into or out of, is a rider's pause
REST_S = 3600.0  # standing still for so long ends a ride
BOUNCE_S = 20.0  # locked for less is no end, if it was told at once
STANDS_S = 600.0  # a vehicle that tells of no lock, standing for less, is still on its ride
STILL_M = 5.0  # between two readings
EDGE_S = 10.0  # cadence of pushes while riding
SPEED_MS = 5.7  # of a ride of which nothing but the distance is known
_MS = pl.Datetime("ms", "UTC")


def intervals(
    readings: pl.DataFrame,
    downtime: pl.DataFrame | None = None,
    idle: pl.DataFrame | None = None,
    spoken: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Readings as intervals with their roles and rides.

    Parameters
    ----------
    readings : DataFrame of `READINGS`, by vehicle and time
    downtime : DataFrame of `DOWNTIME`: spans in which the collector did not run, disjoint, or None
    idle : DataFrame of `IDLE`: spans in which vehicles were out of service and made no trips, or None
    spoken : DataFrame of `silences.spoken`: when vehicles told a position, or None

    Returns
    -------
    DataFrame of `READINGS` and, of the interval that ends with the reading: `since` (its begin), `dt_s`, `d_m`, `dr_s`
    (null without a counter), `role` (`park`, `hidden`, `start`, `inside`, `end`, `split`, `rest` or `begin`), `down`
    (whether the collector was away in it), `ride` (a number, null outside),
    `began_at` and `ended_at` of a ride that begins or ends in it.

    Notes
    -----
    A vehicle that never tells of a lock is known by its counters alone: every interval in which it went 30 m is a ride,
    and rides between which it stood for less than 10 min are one. Of what counters say of an interval, riding goes
    before standing: so the expected standstill between two such is what lies between them and half of either's rest.

    Between two unlocked readings a vehicle that did not move was within reach: a silence of all that it says hides that
    it was locked. One that was ridden into a silence, or out of it, was out of reach, where nobody can unlock it: it
    stood for its rider, if no longer than a quarter of an hour. Of a vehicle that neither counts riding seconds nor
    tells positions, a silence of more than five minutes hides a stop.
    """
    steps = _down(_steps(readings, idle), downtime)
    hiding = steps.with_columns(locked_within(steps, spoken).alias("hides"))
    known = _rested(hiding.with_columns(_role().alias("role")).drop("hides"))
    after_rest = pl.col("role").is_in(["inside", "end"]) & (before("role") == "rest").fill_null(False)
    new = pl.col("role").is_in(["start", "hidden", "split", "begin"]) | after_rest
    numbered = known.with_columns(pl.when(~pl.col("role").is_in(["park", "rest"])).then(new.cum_sum()).alias("ride"))
    return _bounced(_polled(numbered.with_columns(_start(), _finish())))


def under_way(steps: pl.DataFrame) -> pl.Series:
    """Numbers of the rides that go on at their vehicle's last reading."""
    return steps.filter(pl.col("last") & ~pl.col("role").is_in(["end", "hidden"]))["ride"].drop_nulls()


def _steps(readings: pl.DataFrame, idle: pl.DataFrame | None) -> pl.DataFrame:
    rows = carried(marked(readings), "locked").with_columns(pl.lit(False).alias("idle"))
    if idle is not None and idle.height:
        resting = within(rows, "at", idle)
        rows = rows.with_columns(resting.alias("idle"), (pl.col("locked") | resting).alias("locked"))
    seconds = (pl.col("at") - before("at")).dt.total_milliseconds() / 1000
    return rows.with_columns(
        before("at").alias("since"),
        before("locked").alias("was_locked"),
        before("odometer_m").alias("odometer_before_m"),
        seconds.alias("dt_s"),
        pl.col("fresh").shift(-1).fill_null(True).alias("last"),
        pl.when(pl.col("jump")).then(0.0).otherwise(pl.col("way_m") - before("way_m")).fill_null(0.0).alias("d_m"),
        (pl.col("ride_s") - before("ride_s")).alias("dr_s"),
    )


def _role() -> pl.Expr:
    locked, was = pl.col("locked"), pl.col("was_locked")
    moved = pl.coalesce(pl.col("dr_s") > RAN_S, pl.col("d_m") > MOVED_M)  # locked and not ridden, it was pushed
    turned = pl.col("way_m").is_null() | pl.col("jump") | (pl.col("d_m") > STILL_M)
    ridden = moved & turned & ~(pl.col("idle") & before("idle"))
    return (
        pl.when(pl.col("since").is_null())
        .then(pl.when(locked.not_()).then(pl.lit("begin")).otherwise(pl.lit("park")))
        .when(was & locked)
        .then(pl.when(ridden).then(pl.lit("hidden")).otherwise(pl.lit("park")))
        .when(was.fill_null(True) & ~locked)
        .then(pl.lit("start"))
        .when(~was & locked)
        .then(pl.lit("end"))
        .when(~was & ~locked)
        .then(pl.when(_one_ride()).then(pl.lit("inside")).otherwise(pl.lit("split")))
        .otherwise(pl.when(ridden).then(pl.lit("hidden")).otherwise(pl.lit("park")))
    )


def _one_ride() -> pl.Expr:
    """Whether what lies between two unlocked readings is one ride: short, ridden through, or a pause out of reach."""
    dt, dr = pl.col("dt_s"), pl.col("dr_s")
    ran = (dr >= dt - RAN_THROUGH_S).fill_null(False)
    moved = (dr > RAN_S) | (pl.col("d_m") > MOVED_M)
    paused = (moved & (dt - dr <= PAUSE_S)).fill_null(False)
    return ((dt <= HIDES_S) & ~pl.col("hides")) | ran | paused


def _rested(steps: pl.DataFrame) -> pl.DataFrame:
    """Standing still for too long, unlocked, is no part of a ride."""
    still = (pl.col("role") == "inside") & (pl.col("d_m") <= STILL_M)
    stands = steps.with_columns(still.alias("still")).with_columns(
        (pl.col("still").rle_id() + pl.col("fresh").cum_sum()).alias("run")
    )
    long = stands.filter("still").group_by("run").agg(pl.col("dt_s").sum()).filter(pl.col("dt_s") > REST_S)["run"]
    if not len(long):
        return steps
    rest = pl.col("still") & pl.col("run").is_in(long.implode())
    return stands.with_columns(pl.when(rest).then(pl.lit("rest")).otherwise("role").alias("role")).drop("still", "run")


def _down(steps: pl.DataFrame, downtime: pl.DataFrame | None) -> pl.DataFrame:
    """Whether a span in which the collector was away began before the interval ended and ended after it began."""
    if downtime is None or not downtime.height:
        return steps.with_columns(pl.lit(False).alias("down"))
    spans = downtime.select(pl.col("begin").cast(_MS), pl.col("end").cast(_MS)).sort("begin")
    places = steps.select("at", "since").with_row_index("row").sort("at")
    joined = places.join_asof(spans, left_on="at", right_on="begin", strategy="backward").sort("row")
    return steps.with_columns((joined["end"] > joined["since"]).fill_null(False).alias("down"))


def _start() -> pl.Expr:
    """When the ride began, as far as this interval knows."""
    dr = pl.col("dr_s").clip(0.0)
    ran = pl.duration(milliseconds=(dr.fill_null(0.0) * 1000).cast(pl.Int64))
    early = pl.max_horizontal("since", pl.col("at") - ran)
    at = (
        pl.when(pl.col("role").is_in(["start", "split"]))
        .then(early)
        .when(pl.col("role") == "hidden")
        .then(_middle() - _half_ride())
    )
    return at.otherwise(pl.coalesce("since", "at")).cast(_MS).alias("began_at")


def _finish() -> pl.Expr:
    ran = pl.duration(milliseconds=(pl.col("dr_s").clip(0.0) * 1000).cast(pl.Int64))
    known = (
        pl.when(pl.col("dt_s") <= TELLS_S).then(pl.col("at")).otherwise(pl.min_horizontal("at", pl.col("since") + ran))
    )
    at = (
        pl.when(pl.col("role") == "end")
        .then(pl.coalesce(known, _middle()))
        .when(pl.col("role") == "hidden")
        .then(_middle() + _half_ride())
    )
    return at.otherwise(pl.col("at")).cast(_MS).alias("ended_at")


def _middle() -> pl.Expr:
    return pl.col("since") + (pl.col("at") - pl.col("since")) / 2


def ridden_s() -> pl.Expr:
    """How long was ridden: by its counter, else as long as such a way takes."""
    return pl.min_horizontal(pl.coalesce(pl.col("dr_s"), pl.col("d_m") / SPEED_MS).clip(0.0), "dt_s")


def _half_ride() -> pl.Expr:
    return pl.duration(milliseconds=(ridden_s() * 500).cast(pl.Int64))


def _polled(steps: pl.DataFrame) -> pl.DataFrame:
    """Rides of vehicles without a lock with one number where they stood too shortly for two, and where such begin."""
    rows = steps.with_row_index("row")
    hidden = marked(rows.filter((pl.col("role") == "hidden") & pl.col("locked").is_null()))
    if not hidden.height:
        return steps
    rest_s = pl.col("dt_s") - ridden_s()
    stood_s = (pl.col("since") - before("at")).dt.total_milliseconds() / 1000
    resting_s = stood_s + (rest_s + rest_s.shift(1)) / 2
    one = (resting_s < STANDS_S).fill_null(False) & ~pl.col("fresh")
    whole = hidden.with_columns(pl.when(~one).then("ride").forward_fill().alias("whole"))
    turns = whole.with_columns(
        (pl.col("whole") != pl.col("whole").shift(1)).fill_null(True).alias("first"),
        (pl.col("whole") != pl.col("whole").shift(-1)).fill_null(True).alias("final"),
    ).filter(~(pl.col("first") & pl.col("final")))
    ran = pl.duration(milliseconds=(ridden_s() * 1000).cast(pl.Int64))
    began = pl.when("first").then(pl.col("at") - ran).otherwise("since")
    ended = pl.when("final").then(pl.col("since") + ran).otherwise("at")
    placed = turns.select("row", "whole", began.alias("began"), ended.alias("ended"))
    return _with_pauses(rows.join(placed, on="row", how="left", maintain_order="left"))


def _with_pauses(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with the rides of `whole`, and what lies between two windows of one as its part."""
    between = pl.col("whole").forward_fill() == pl.col("whole").backward_fill()
    ride = pl.coalesce("whole", "ride", pl.when(between).then(pl.col("whole").forward_fill()))
    return rows.with_columns(
        ride.alias("ride"),
        pl.coalesce("began", "began_at").cast(_MS).alias("began_at"),
        pl.coalesce("ended", "ended_at").cast(_MS).alias("ended_at"),
    ).drop("row", "whole", "began", "ended")


def _bounced(steps: pl.DataFrame) -> pl.DataFrame:
    """Rides with one number where the lock between them only bounced."""
    ends = steps.lazy().drop_nulls("ride").group_by("ride", maintain_order=True).agg(
        *(pl.col(name).first() for name in WHO),
        pl.col("began_at").first(),
        pl.col("ended_at").last(),
        pl.col("dt_s").last().alias("told_s"),
        pl.col("way_m").last().alias("last_m"),
        (pl.col("way_m") - pl.col("d_m")).first().alias("first_m"),
        (pl.col("role") == "hidden").any().alias("alone"),
    ).collect()  # fmt: skip
    rides = marked(ends)
    apart_s = (pl.col("began_at") - before("ended_at")).dt.total_milliseconds() / 1000
    apart_m = (pl.col("first_m") - before("last_m")).fill_null(0.0)
    alone = pl.col("alone") | before("alone").fill_null(True) | (before("told_s") > BOUNCE_S + EDGE_S)
    one = ((apart_s > 0) & (apart_s < BOUNCE_S) & (apart_m < MOVED_M) & ~alone).fill_null(False)
    whole = rides.select("ride", pl.when(~one).then("ride").forward_fill().alias("whole"))
    bounced = whole.filter(pl.col("ride") != pl.col("whole"))
    if not bounced.height:
        return steps
    return steps.with_columns(pl.col("ride").replace(bounced["ride"], bounced["whole"]))
