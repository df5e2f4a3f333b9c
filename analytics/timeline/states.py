"""What a vehicle was doing, without a gap: stretches of one state, from its first reading to its last.

A state is what readings, counters, the collector's heartbeats and the settings make of a moment, in this order: out of
service by the settings; riding or paused by the trips; nothing known while the collector was away, or where the vehicle
was silent for longer than twice its cadence; else what the reading before said.
"""

import polars as pl

from analytics.frames import WHO, before, carried, marked, with_day, with_midnight, within
from analytics.trips.intervals import GAP_S, SPEAKS_S, STILL_M, under_way
from logger.tables import shaped

SILENT_S = 2 * SPEAKS_S
_MS = pl.Datetime("ms", "UTC")
_PIECE = ("started_at", "finished_at", "state")


def states(steps: pl.DataFrame, rides: pl.DataFrame, downtime: pl.DataFrame, idle: pl.DataFrame) -> pl.DataFrame:
    """Stretches of one state of each vehicle.

    Parameters
    ----------
    steps : DataFrame of `intervals`
    rides : DataFrame of `trips` of these
    downtime : DataFrame of `DOWNTIME`: when the collector was away
    idle : DataFrame of `IDLE`: when vehicles were out of service

    Returns
    -------
    DataFrame of table `states`, by vehicle and time. The stretches of a vehicle touch each other and neighbours differ:
    their durations [s] add up to the time from its first reading to its last.

    Notes
    -----
    `riding` is a trip, or a ride under way, but for intervals of at most 5 m at speed 0, and gaps of which less than
    half was ridden by the counter, which are `paused`; counters prove a ride, so it is one though the collector was
    away. A hidden ride lies in the middle of its window. `charging` and `offline` last from the reading that says
    so to the next.
    """
    pieces = _pieces(steps, rides)
    whole = _cut(pieces, downtime, idle)
    told = pl.when("away").then(pl.lit("no_data")).otherwise("state")
    riding = pl.col("state").is_in(["riding", "paused"])
    state = pl.when("resting").then(pl.lit("out_of_service")).when(riding).then("state").otherwise(told)
    joined = _joined(whole.with_columns(state.alias("state")))
    seconds = (pl.col("finished_at") - pl.col("started_at")).dt.total_milliseconds() / 1000
    return shaped(joined.with_columns(pl.col("started_at").alias("time"), seconds.alias("duration_s")), "states")


def daily(found: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """How long each vehicle was in each state on each local day.

    Parameters
    ----------
    found : DataFrame of `states`
    known : DataFrame with `provider` `vehicle` `timezone`; a vehicle that is not there has UTC

    Returns
    -------
    DataFrame with `provider` `vehicle` `day` `state` `duration_s` [s]. A day on which clocks change has 23 or 25 hours.
    """
    begun = with_day(found, known, "started_at").rename({"day": "first"}).drop("timezone")
    ended = with_day(begun, known, "finished_at").rename({"day": "final"})
    dates = pl.date_ranges(pl.col("first").str.to_date(), pl.col("final").str.to_date())
    days = ended.with_columns(dates.alias("date")).explode("date")
    named = days.with_columns(pl.col("date").dt.strftime("%Y-%m-%d").alias("day"))
    after = named.with_columns(pl.col("date").dt.offset_by("1d").dt.strftime("%Y-%m-%d").alias("day"))
    until = with_midnight(after.with_row_index("row"), "until").sort("row")["until"]
    since = with_midnight(named.with_row_index("row"), "since").sort("row")["since"]
    begin, end = pl.max_horizontal("started_at", since), pl.min_horizontal("finished_at", until)
    spent = named.with_columns(((end - begin).dt.total_milliseconds() / 1000).alias("duration_s"))
    sums = spent.filter(pl.col("duration_s") > 0).group_by(*WHO, "day", "state").agg(pl.col("duration_s").sum())
    return sums.sort(*WHO, "day", "state")


def _pieces(steps: pl.DataFrame, rides: pl.DataFrame) -> pl.DataFrame:
    """Each interval in up to three, before a ride, the ride, after it; neighbours that are whole and alike as one."""
    real = pl.col("ride").is_in(pl.concat([rides["ride"], under_way(steps)]).unique().implode())
    begun = pl.when(real).then(pl.max_horizontal("since", "began_at")).otherwise(pl.col("at"))
    ended = pl.when(real).then(pl.min_horizontal("at", "ended_at")).otherwise(pl.col("at"))
    told = carried(steps, "charging", "online").select(
        *WHO, "since", "at", _stood().alias("stood"), _rode().alias("rode"), begun.alias("begun"), ended.alias("ended")
    )
    rows = _alike(told.drop_nulls("since"))
    parts = [("since", "begun", "stood"), ("begun", "ended", "rode"), ("ended", "at", "stood")]
    cut = [
        rows.select(*WHO, *(pl.col(own).alias(name) for own, name in zip(part, _PIECE, strict=True))) for part in parts
    ]
    return pl.concat(cut).filter(pl.col("started_at") < pl.col("finished_at")).sort(*WHO, "started_at")


def _alike(rows: pl.DataFrame) -> pl.DataFrame:
    """Neighbours that were wholly stood or wholly ridden, in one way, as one: most intervals are."""
    stood = pl.col("begun") == pl.col("at")
    rode = (pl.col("begun") == pl.col("since")) & (pl.col("ended") == pl.col("at"))
    known = marked(rows).with_columns(pl.when(stood).then("stood").when(rode).then("rode").alias("whole"))
    same = pl.col("whole") == before("whole")
    runs = known.with_columns((~same.fill_null(False)).cum_sum().alias("run")).group_by("run", maintain_order=True)
    first = pl.col(*WHO, "since", "stood", "rode").first()
    begun = pl.when(stood.first()).then(pl.col("at").last()).otherwise(pl.col("begun").first())
    return runs.agg(first, pl.col("at").last(), begun.alias("begun"), pl.col("ended").last())


def _stood() -> pl.Expr:
    said = {"charging": pl.col("charging"), "offline": pl.col("online").not_()}
    was = {state: word.shift(1).fill_null(False) for state, word in said.items()}
    return (
        pl.when(was["offline"])
        .then(pl.lit("offline"))
        .when(pl.col("dt_s") > SILENT_S)
        .then(pl.lit("no_data"))
        .when(was["charging"])
        .then(pl.lit("charging"))
        .otherwise(pl.lit("parked"))
    )


def _rode() -> pl.Expr:
    stood = (pl.col("d_m") <= STILL_M) & (pl.col("speed_kmh").fill_null(0.0) == 0)
    rested = (pl.col("dr_s") < pl.col("dt_s") / 2).fill_null(False) & (pl.col("dt_s") > GAP_S)
    still = pl.col("role").is_in(["inside", "park"]) & (stood | rested)
    return pl.when(still).then(pl.lit("paused")).otherwise(pl.lit("riding"))


def _cut(pieces: pl.DataFrame, downtime: pl.DataFrame, idle: pl.DataFrame) -> pl.DataFrame:
    """Pieces cut where a span begins or ends, with `away` and `resting`."""
    who = pieces.select(WHO).unique()
    every = who.join(downtime, how="cross") if downtime.height else idle.clear()
    spans = pl.concat([every.select(idle.columns), idle.join(who, on=WHO, how="semi")])
    turns = [spans.select(*WHO, pl.col(name).alias("started_at")).drop_nulls() for name in ("begin", "end")]
    starts = pl.concat([pieces.select(*WHO, "started_at"), *turns]).unique().sort("started_at")
    joined = starts.join_asof(
        pieces.sort("started_at").with_columns(pl.col("started_at").alias("from")),
        on="started_at", by=WHO, strategy="backward", check_sortedness=False,
    )  # fmt: skip
    inside = joined.filter(pl.col("started_at") < pl.col("finished_at")).sort(*WHO, "started_at")
    until = pl.min_horizontal("finished_at", pl.col("started_at").shift(-1).over(WHO))
    away, resting = within(inside, "started_at", every), within(inside, "started_at", idle)
    return inside.with_columns(until.alias("finished_at"), away.alias("away"), resting.alias("resting"))


def _joined(pieces: pl.DataFrame) -> pl.DataFrame:
    """Neighbours of one state as one."""
    rows = marked(pieces)
    new = pl.col("fresh") | (pl.col("state") != pl.col("state").shift(1))
    return (
        rows.with_columns(new.fill_null(True).cum_sum().alias("run"))
        .group_by("run", maintain_order=True)
        .agg(pl.col(*WHO, "started_at", "state").first(), pl.col("finished_at").last())
        .drop("run")
    )
