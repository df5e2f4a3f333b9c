"""Segments with their roles, and the trips that they make.

Roles: `park`, `hidden` (ridden between two anchors out of use, or of a vehicle that tells by counters alone), `start`,
`inside`, `end`, `split` (a stop is hidden in a trip's gap), `rest` (a pause too long to be one), `begin` (the first
anchor, under way). The rules are those of the analytics facts, 1.4.
"""

import polars as pl

from analytics.frames import WHO, before, marked
from analytics.observations.positions import DRIVES_KMH, STANDS_KMH

MOVED_M, RAN_S = 30.0, 20.0  # less than both is no trip
HEARD_S, LOST = 50.0, 5  # seconds, and messages in a row: a longer silence is no loss on the way
GAP_S, RAN_THROUGH_S = 60.0, 40.0  # a gap in what is told; riding seconds that may lack in it
TELLS_S = 70.0  # a vehicle in use speaks at least so often: a longer silence hides when it ended
SPEAKS_S = 900.0  # cadence while out of use
HIDES_S = 300.0  # a silence in use that hides no stop
PAUSE_S = 900.0  # standing for no longer, in a silence that was ridden into or out of, is a rider's pause
REST_S = 3600.0  # standing still for so long ends a trip
BOUNCE_S = 20.0  # out of use for less, by its flag, is no end if it was told at once
STANDS_S = 600.0  # a vehicle that tells by counters alone, standing for less, is still on its trip
UNSEEN_S = 1800.0  # ... where no poll saw it stand: two polls around a trip are likelier than two trips between three
UNSEEN = 0.75  # ... or, of polls that lie far apart, so much of the time between two
STILL_M = 5.0  # between two anchors
OFTEN_S = 30.0  # a vehicle that speaks at least so often tells when it sets off
MISSED = 4.0  # times its cadence while parked: a silence that is no loss on the way
LATER = 1.03  # than its cadence while parked, and a vehicle was not carried from one place to the other
EDGE_S = 10.0  # cadence while riding
_MS = pl.Datetime("ms", "UTC")


def segmented(rows: pl.DataFrame) -> pl.DataFrame:
    """Segments with their roles and trips.

    Parameters
    ----------
    rows : DataFrame of segments with `used`, `d_m`, `dr_s`, `estimated`, `idle`, `down`, `hides`

    Returns
    -------
    `rows` with `role`, `ride` (a number, null outside), `began_at` and `ended_at` of a trip that begins or ends in it.

    Notes
    -----
    Between two anchors in use a vehicle that did not move was within reach: a silence of all that it says hides that it
    was out of use. One that was ridden into a silence, or out of it, was out of reach: it stood for its rider, if no
    longer than a quarter of an hour. A silence of more than five minutes of which no counter tells hides a stop, unless
    its way takes all of its time. What was ridden in a silence of four times the cadence while parked, before a vehicle
    is heard of at a stand, and often from then on, is a trip of its own.
    """
    known = rows.with_columns(before("used").alias("was_used"))
    roled = _one_sided(known.with_columns(_role().alias("role")))
    roled = _rested(
        roled.with_columns(pl.when(_stood_at_first()).then(pl.lit("hidden")).otherwise("role").alias("role"))
    )
    goes_on = pl.col("role").is_in(["inside", "end"])
    new = pl.col("role").is_in(["start", "hidden", "split", "begin"]) | (
        goes_on & before("role").is_in(["rest", "hidden"]).fill_null(False)
    )
    numbered = roled.with_columns(pl.when(~pl.col("role").is_in(["park", "rest"])).then(new.cum_sum()).alias("ride"))
    return _bounced(_polled(numbered.with_columns(_start(), _finish())))


def under_way(segments: pl.DataFrame) -> pl.Series:
    """Numbers of the trips that go on at their vehicle's last anchor."""
    return segments.filter(pl.col("last") & ~pl.col("role").is_in(["end", "hidden"]))["ride"].drop_nulls()


def _role() -> pl.Expr:
    used, was = pl.col("used"), pl.col("was_used")
    moved = pl.when("estimated").then(pl.col("d_m") > MOVED_M).otherwise(pl.col("dr_s") > RAN_S)
    turned = (pl.col("d_m") > STILL_M) | pl.col("source").is_null() | pl.col("reset")
    ridden = moved & turned & ~(pl.col("idle") & before("idle")) & ~_carried()
    return (
        pl.when(pl.col("since").is_null())
        .then(pl.when(used).then(pl.lit("begin")).otherwise(pl.lit("park")))
        .when(~was & ~used)
        .then(pl.when(ridden).then(pl.lit("hidden")).otherwise(pl.lit("park")))
        .when(~was.fill_null(False) & used)
        .then(pl.lit("start"))
        .when(was & ~used)
        .then(pl.lit("end"))
        .when(was & used)
        .then(pl.when(_one_trip()).then(pl.lit("inside")).otherwise(pl.lit("split")))
        .otherwise(pl.when(ridden).then(pl.lit("hidden")).otherwise(pl.lit("park")))
    )


def _stood_at_first() -> pl.Expr:
    """Whether a vehicle that was long silent stands when it is first heard of, and then speaks often.

    It did not begin this trip in the silence: the way that it made there was another.
    """
    soon = pl.when(~pl.col("last")).then(pl.col("dt_s").shift(-1)) <= OFTEN_S
    stands = pl.col("speed_kmh") <= STANDS_KMH
    silent = pl.col("dt_s") > MISSED * pl.max_horizontal("cadence_s", pl.lit(SPEAKS_S))
    return ((pl.col("role") == "start") & (pl.col("d_m") > MOVED_M) & stands & silent & soon).fill_null(False)


def _carried() -> pl.Expr:
    """Whether positions alone tell of a way that the vehicle would have spoken of, had it been ridden."""
    near = pl.col("dt_s") <= LATER * pl.col("cadence_s")
    return (pl.col("source") == "gps").fill_null(False) & pl.col("used").is_not_null() & near.fill_null(False)


def _one_trip() -> pl.Expr:
    """Whether what lies between two anchors in use is one trip: short, ridden through, or a pause out of reach."""
    dt, dr = pl.col("dt_s"), pl.col("dr_s")
    ran = (dr >= dt - RAN_THROUGH_S).fill_null(False)
    moved = pl.when("estimated").then(pl.col("d_m") > MOVED_M).otherwise((dr > RAN_S) | (pl.col("d_m") > MOVED_M))
    paused = (moved & (dt - dr <= PAUSE_S)).fill_null(False)
    return ((dt <= HIDES_S) & ~pl.col("hides")) | ran | paused


def _one_sided(segments: pl.DataFrame) -> pl.DataFrame:
    """The way of a silence that hides a stop is of the trip on its other side where the vehicle stands on one.

    A flag of use that falls late, or rises early, is told in silences in which nothing moves: these are no trips.
    """
    still = (pl.col("role") == "split") & (pl.col("d_m") <= STILL_M)
    stands = still.shift(-1).fill_null(False) & ~pl.col("last")
    stood = still.shift(1).fill_null(False) & ~pl.col("fresh")
    moved = (pl.col("role") == "split") & (pl.col("d_m") > MOVED_M)
    one = pl.when(stands & stood).then(pl.lit("hidden")).when(stands).then(pl.lit("end")).when(stood).then(
        pl.lit("start")
    )  # fmt: skip
    return segments.with_columns(pl.when(moved).then(one).otherwise(None).fill_null(pl.col("role")).alias("role"))


def _rested(segments: pl.DataFrame) -> pl.DataFrame:
    """Standing still for too long, in use, is no part of a trip."""
    stood = (pl.col("role") == "inside") & (pl.col("d_m") <= STILL_M) & pl.col("still")
    stands = segments.with_columns(stood.alias("stood")).with_columns(
        (pl.col("stood").rle_id() + pl.col("fresh").cum_sum()).alias("run")
    )
    long = stands.filter("stood").group_by("run").agg(pl.col("dt_s").sum()).filter(pl.col("dt_s") > REST_S)["run"]
    if not len(long):
        return segments
    rest = pl.col("stood") & pl.col("run").is_in(long.implode())
    return stands.with_columns(pl.when(rest).then(pl.lit("rest")).otherwise("role").alias("role")).drop("stood", "run")


def _start() -> pl.Expr:
    """When the trip began, as far as this segment knows."""
    ran = pl.duration(milliseconds=(pl.col("edge_s").clip(0.0) * 1000).cast(pl.Int64))
    early = pl.max_horizontal("since", pl.col("at") - ran)
    at = (
        pl.when(pl.col("role").is_in(["start", "split"]))
        .then(early)
        .when(pl.col("role") == "hidden")
        .then(_middle() - _half_ride())
    )
    return at.otherwise(pl.coalesce("since", "at")).cast(_MS).alias("began_at")


def _finish() -> pl.Expr:
    ran = pl.duration(milliseconds=(pl.col("edge_s").clip(0.0) * 1000).cast(pl.Int64))
    known = (
        pl.when((pl.col("dt_s") <= TELLS_S) & pl.col("flag").is_not_null())
        .then(pl.col("at"))
        .otherwise(pl.min_horizontal("at", pl.col("since") + ran))
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


def _half_ride() -> pl.Expr:
    return pl.duration(milliseconds=(pl.min_horizontal("dr_s", "dt_s") * 500).cast(pl.Int64))


def _polled(segments: pl.DataFrame) -> pl.DataFrame:
    """Trips by counters alone with one number where the vehicle stood too shortly for two, and where such begin.

    A vehicle that tells at the reading between two rises that it drives has not stood there. Where it tells nothing of
    that, and is known to repeat what does not change, one trip around a poll is likelier than a trip on either side.
    """
    repeats = ((pl.col("d_m") <= 0) & pl.col("since").is_not_null()).any().over(WHO)
    rows = segments.with_row_index("row").with_columns(repeats.alias("repeats"))
    hidden = marked(rows.filter((pl.col("role") == "hidden") & pl.col("flag").is_null()))
    if not hidden.height:
        return segments
    ridden_s = pl.min_horizontal("dr_s", "dt_s")
    rest_s = pl.col("dt_s") - ridden_s
    stood_s = (pl.col("since") - before("at")).dt.total_milliseconds() / 1000
    woke = ~pl.col("repeats") & (stood_s == 0)  # a log of changes: the way before the first of them was made at its end
    resting_s = stood_s + (rest_s + pl.when(woke).then(0.0).otherwise(rest_s.shift(1))) / 2
    drives = (before("speed_kmh") > DRIVES_KMH) | before("moving")
    seen = drives.fill_null(False) & (stood_s == 0)
    stands = (before("speed_kmh") <= STANDS_KMH) | before("moving").not_()
    unseen = pl.col("repeats") & (stood_s == 0) & ~stands.fill_null(False)
    unseen_s = pl.max_horizontal(pl.lit(UNSEEN_S), UNSEEN * (pl.col("dt_s") + before("dt_s")) / 2)
    stands_s = pl.when(unseen).then(unseen_s).otherwise(STANDS_S)
    one = ((resting_s < stands_s) | seen).fill_null(False) & ~pl.col("fresh") & ~pl.col("charged")
    whole = hidden.with_columns(pl.when(~one).then("ride").forward_fill().alias("whole"))
    turns = whole.with_columns(
        (pl.col("whole") != pl.col("whole").shift(1)).fill_null(True).alias("first"),
        (pl.col("whole") != pl.col("whole").shift(-1)).fill_null(True).alias("final"),
    ).filter(~(pl.col("first") & pl.col("final")))
    ran = pl.duration(milliseconds=(pl.min_horizontal("edge_s", "dt_s") * 1000).cast(pl.Int64))
    began = pl.when("first").then(pl.col("at") - ran).otherwise("since")
    ended = pl.when("final").then(pl.col("since") + ran).otherwise("at")
    placed = turns.select("row", "whole", began.alias("began"), ended.alias("ended"))
    return _with_pauses(rows.join(placed, on="row", how="left", maintain_order="left"))


def _with_pauses(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with the trips of `whole`, and what lies between two windows of one as its part."""
    between = pl.col("whole").forward_fill() == pl.col("whole").backward_fill()
    ride = pl.coalesce("whole", "ride", pl.when(between).then(pl.col("whole").forward_fill()))
    return rows.with_columns(
        ride.alias("ride"),
        pl.coalesce("began", "began_at").cast(_MS).alias("began_at"),
        pl.coalesce("ended", "ended_at").cast(_MS).alias("ended_at"),
    ).drop("row", "repeats", "whole", "began", "ended")


def _bounced(segments: pl.DataFrame) -> pl.DataFrame:
    """Trips with one number where the flag of use between them only bounced."""
    ends = segments.lazy().drop_nulls("ride").group_by("ride", maintain_order=True).agg(
        *(pl.col(name).first() for name in WHO),
        pl.col("began_at").first(),
        pl.col("ended_at").last(),
        pl.col("dt_s").last().alias("told_s"),
        pl.col("way_m").last().alias("last_m"),
        (pl.col("way_m") - pl.col("d_m")).first().alias("first_m"),
        (pl.col("role") == "hidden").any().alias("alone"),
    ).collect()  # fmt: skip
    trips = marked(ends)
    apart_s = (pl.col("began_at") - before("ended_at")).dt.total_milliseconds() / 1000
    apart_m = (pl.col("first_m") - before("last_m")).fill_null(0.0)
    alone = pl.col("alone") | before("alone").fill_null(True) | (before("told_s") > BOUNCE_S + EDGE_S)
    one = ((apart_s > 0) & (apart_s < BOUNCE_S) & (apart_m < MOVED_M) & ~alone).fill_null(False)
    whole = trips.select("ride", pl.when(~one).then("ride").forward_fill().alias("whole"))
    bounced = whole.filter(pl.col("ride") != pl.col("whole"))
    if not bounced.height:
        return segments
    return segments.with_columns(pl.col("ride").replace(bounced["ride"], bounced["whole"]))
