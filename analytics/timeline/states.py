"""What a vehicle was doing, without a gap: spans of one state, from its first row to its last.

A state is what readings, counters, sessions, the collector's heartbeats and the settings make of a moment, in this
order: out of service by the settings; riding or paused by the trips; nothing known while the collector was away;
offline by its last word; charging by a session; nothing known where the vehicle was silent for longer than twice its
cadence and had not said that it sleeps; discharging by its last word; else parked.
"""

from collections.abc import Mapping

import polars as pl

from analytics.charging.spans import seconds
from analytics.frames import WHO, before, carried, marked, with_day, with_midnight, within
from analytics.observations.positions import STANDS_KMH
from analytics.trips.segmentation import GAP_S, SPEAKS_S, under_way
from logger.derived_tables import STATES
from logger.tables import shaped

SILENT_CADENCES = 2.0
MOVED_M = 30.0
UNPLACED_S = 10_800.0  # an inferred charge lies somewhere in its window: in a wider one, nobody knows when
_MS = pl.Datetime("ms", "UTC")
_WORDS = {
    "away": "no_data", "offline": "offline", "charging": "charging", "silent": "no_data", "discharging": "discharging",
}  # fmt: skip
_PIECE = ("started_at", "finished_at", "state")
_SPAN = (*WHO, "begin", "end")


def states(
    segments: pl.DataFrame,
    trips: pl.DataFrame,
    observations: pl.DataFrame,
    sessions: pl.DataFrame,
    discharges: pl.DataFrame,
    downtime: pl.DataFrame,
    idle: pl.DataFrame,
    traits: pl.DataFrame,
) -> pl.DataFrame:
    """Spans of one state of each vehicle.

    Parameters
    ----------
    segments, trips : DataFrame of `intervals`, and of `trips` of these
    observations : DataFrame with `provider` `vehicle` `at` `online` `asleep` `way_m`: every row of the vehicle
    sessions, discharges : DataFrames of `SESSIONS` and `DISCHARGES`
    downtime : DataFrame of `DOWNTIME`: when the collector was away
    idle : DataFrame of `IDLE`: when vehicles were out of service
    traits : DataFrame with `provider` `vehicle` `cadence_s`: how often it speaks while parked [s]; where that is null,
        the median of its own spacings at rest; never less than 900 s

    Returns
    -------
    DataFrame of table `states`, by vehicle and time. The spans of a vehicle touch each other and neighbours differ:
    their durations [s] add up to the time from its first row to its last.

    Notes
    -----
    `riding` is a trip, or a trip under way, but for intervals of at most 5 m at speed 0, and gaps of which less than
    half was ridden by the counter, which are `paused`; counters prove a trip, so it is one though the collector was
    away. A hidden trip lies in the middle of its window. `offline` lasts from the reading that says so to the next.
    """
    who = observations.select(WHO).unique()
    every = who.join(downtime, how="cross") if downtime.height else idle.clear()
    spans = {
        "resting": idle.join(who, on=WHO, how="semi"),
        "away": every.select(_SPAN),
        "offline": _offline(observations),
        "charging": _charged(sessions),
        "silent": _silences(observations, traits),
        "discharging": discharges.select(*WHO, begin="started_at", end="finished_at"),
    }
    whole = _cut(_pieces(segments, trips, observations), spans)
    joined = _joined(whole.with_columns(_state().alias("state")))
    lasting = seconds("started_at", "finished_at")
    return shaped(joined.with_columns(pl.col("started_at").alias("time"), lasting.alias("duration_s")), "states")


def _state() -> pl.Expr:
    told = pl.coalesce(*(pl.when(name).then(pl.lit(word)) for name, word in _WORDS.items()), "state")
    riding = pl.col("state").is_in(["riding", "paused"])
    return pl.when("resting").then(pl.lit("out_of_service")).when(riding).then("state").otherwise(told)


# ---- what lies over time -------------------------------------------------------------------------------------------


def _gaps(observations: pl.DataFrame) -> pl.DataFrame:
    rows = marked(carried(observations, "way_m", "asleep"))
    stood = (pl.col("way_m") - before("way_m")).fill_null(0.0) <= MOVED_M
    slept = (stood & before("asleep").fill_null(False)).alias("slept")
    gaps = rows.select(*WHO, before("at").alias("begin"), pl.col("at").alias("end"), stood.alias("stood"), slept)
    return gaps.drop_nulls("begin").with_columns(seconds("begin", "end").alias("gap_s"))


def _silences(observations: pl.DataFrame, traits: pl.DataFrame) -> pl.DataFrame:
    """Gaps between two rows of a vehicle that are longer than twice its cadence, and that it did not sleep through."""
    gaps = _gaps(observations)
    own = gaps.group_by(WHO).agg(pl.col("gap_s").filter("stood").median().alias("own_s"))
    declared = traits.select(*WHO, "cadence_s")
    known = gaps.join(own, on=WHO, how="left").join(declared, on=WHO, how="left")
    cadence_s = pl.max_horizontal(pl.coalesce("cadence_s", "own_s"), pl.lit(SPEAKS_S))
    return known.filter((pl.col("gap_s") > SILENT_CADENCES * cadence_s) & ~pl.col("slept")).select(_SPAN)


def _offline(observations: pl.DataFrame) -> pl.DataFrame:
    rows = marked(carried(observations, "online"))
    following = pl.when(~pl.col("fresh").shift(-1)).then(pl.col("at").shift(-1))
    spans = rows.select(*WHO, pl.col("at").alias("begin"), following.alias("end"), "online")
    return spans.filter(~pl.col("online")).drop_nulls("end").select(_SPAN)


def _charged(sessions: pl.DataFrame) -> pl.DataFrame:
    placed = (pl.col("kind") == "charge") | (seconds("started_at", "finished_at") <= UNPLACED_S)
    return sessions.filter(placed).select(*WHO, begin="started_at", end="finished_at")


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


def by_utc_day(found: pl.DataFrame) -> pl.DataFrame:
    """Table `states_1d` of these rows of `states`: seconds of each state per vehicle and day of UTC.

    A state over midnight is shared between its days. A day has a row if a state covers a part of it, and then 0 for
    states that it did not see.
    """
    spent = daily(found, found.clear().select(*WHO, timezone="state"))
    moment = pl.col("day").str.to_datetime("%Y-%m-%d", time_unit="ms", time_zone="UTC").alias("time")
    sums = [pl.col("duration_s").filter(pl.col("state") == state).sum().alias(f"{state}_s") for state in STATES]
    return shaped(spent.group_by(*WHO, moment, maintain_order=True).agg(sums), "states_1d")


# ---- trips and rests -----------------------------------------------------------------------------------------------


def _pieces(segments: pl.DataFrame, trips: pl.DataFrame, observations: pl.DataFrame) -> pl.DataFrame:
    """Each segment in up to three, before a trip, the trip, after it; neighbours that are whole and alike as one."""
    real = pl.col("ride").is_in(pl.concat([trips["ride"], under_way(segments)]).unique().implode())
    begun = pl.when(real).then(pl.max_horizontal("since", "began_at")).otherwise(pl.col("at"))
    ended = pl.when(real).then(pl.min_horizontal("at", "ended_at")).otherwise(pl.col("at"))
    told = segments.select(
        *WHO,
        "since",
        "at",
        pl.lit("parked").alias("stood"),
        _rode().alias("rode"),
        begun.alias("begun"),
        ended.alias("ended"),
    )
    rows = _alike(told.drop_nulls("since"))
    parts = [("since", "begun", "stood"), ("begun", "ended", "rode"), ("ended", "at", "stood")]
    cut = [
        rows.select(*WHO, *(pl.col(own).alias(name) for own, name in zip(part, _PIECE, strict=True))) for part in parts
    ]
    whole = pl.concat([*cut, *_beyond(segments, observations)])
    return whole.filter(pl.col("started_at") < pl.col("finished_at")).sort(*WHO, "started_at")


def _beyond(segments: pl.DataFrame, observations: pl.DataFrame) -> list[pl.DataFrame]:
    """What lies before the first segment of a vehicle and after its last: rows that tell of no motion."""
    whole = observations.group_by(WHO, maintain_order=True).agg(
        pl.col("at").min().alias("first"), pl.col("at").max().alias("final")
    )
    known = segments.group_by(WHO).agg(pl.col("at").min().alias("from"), pl.col("at").max().alias("to"))
    both = whole.join(known, on=WHO, how="left", maintain_order="left")
    ends = [(pl.col("first"), pl.coalesce("from", "final")), (pl.coalesce("to", "final"), pl.col("final"))]
    parked = pl.lit("parked").alias("state")
    return [both.select(*WHO, begin.alias("started_at"), end.alias("finished_at"), parked) for begin, end in ends]


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


def _rode() -> pl.Expr:
    stood = pl.col("still") & (pl.col("speed_kmh").fill_null(0.0) <= STANDS_KMH)
    rested = (pl.col("dr_s") < pl.col("dt_s") / 2).fill_null(False) & (pl.col("dt_s") > GAP_S)
    still = pl.col("role").is_in(["inside", "park"]) & (stood | rested)
    return pl.when(still).then(pl.lit("paused")).otherwise(pl.lit("riding"))


def _cut(pieces: pl.DataFrame, spans: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Pieces cut where a span begins or ends, and for each kind of span whether the piece lies in one."""
    turns = [
        each.select(*WHO, pl.col(name).cast(_MS).alias("started_at")).drop_nulls()
        for each in spans.values()
        for name in ("begin", "end")
    ]
    starts = pl.concat([pieces.select(*WHO, "started_at"), *turns]).unique().sort("started_at")
    joined = starts.join_asof(
        pieces.sort("started_at").with_columns(pl.col("started_at").alias("from")),
        on="started_at", by=WHO, strategy="backward", check_sortedness=False,
    )  # fmt: skip
    inside = joined.filter(pl.col("started_at") < pl.col("finished_at")).sort(*WHO, "started_at")
    until = pl.min_horizontal("finished_at", pl.col("started_at").shift(-1).over(WHO))
    return inside.with_columns(
        until.alias("finished_at"), *(within(inside, "started_at", each).alias(name) for name, each in spans.items())
    )


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
