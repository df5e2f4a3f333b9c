"""The trip finder: observations as segments between anchors, with their way, their role and their trip."""

import polars as pl

from analytics.frames import WHO, before, carried, filled, within
from analytics.schemas import OBSERVATIONS
from analytics.trips.anchors import MOTION, anchored
from analytics.trips.evidence import measured, placed
from analytics.trips.in_use import flagged, used
from analytics.trips.segmentation import HEARD_S, LOST, MOVED_M, RAN_S, segmented
from analytics.trips.traits import learned

_TELLS = ("charging", "charge_state", "plugged", "online", "soc_pct")
_WAYS = ("path_m", "refused_m", "straight_m")
LIVE_S = 3600.0  # a last word that was received later is of a recording that ended, not of a trip under way
_MS = pl.Datetime("ms", "UTC")


def segments(
    observations: pl.DataFrame,
    traits: pl.DataFrame,
    downtime: pl.DataFrame | None = None,
    idle: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """What lies between two anchors of each vehicle.

    Parameters
    ----------
    observations : DataFrame of `OBSERVATIONS`, by vehicle and time
    traits : DataFrame of `TRAITS`
    downtime : DataFrame of `DOWNTIME`: spans in which the collector did not run, disjoint, or None
    idle : DataFrame of `IDLE`: spans in which vehicles were out of service and made no trips, or None
    """
    told = flagged(_measured(observations), traits)
    if idle is not None and idle.height:
        resting = within(told, "at", idle)
        told = told.with_columns(resting.alias("idle"), pl.when(resting).then(False).otherwise("flag").alias("flag"))
    else:
        told = told.with_columns(idle=pl.lit(False))
    way = used(placed(told)).with_columns(pl.col("d_m").cum_sum().over(pl.col("fresh").cum_sum()).alias("way_m"))
    sure = pl.when(pl.col("count_m").is_not_null()).then("odometer_m").alias("odometer_m")
    way = (
        way.with_columns(sure)
        .with_columns(filled("odometer_m"))
        .with_columns(
            before("odometer_m").alias("odometer_before_m"),
            *(before(f"{name}_deg").alias(f"{name}_before_deg") for name in ("lat", "lon")),
        )
    )
    live = (pl.col("received_at") - pl.col("at")).dt.total_seconds() <= LIVE_S
    known = _down(way, downtime).with_columns(
        charged=before("charging").fill_null(False), last=pl.col("last") & live.fill_null(True)
    )
    return segmented(known.with_columns(_hides(known, observations).alias("hides")))


def learnt_traits(observations: pl.DataFrame) -> pl.DataFrame:
    """What vehicles tell of their traits, as `traits.learned`; of all that they ever told."""
    return learned(placed(_measured(observations).with_columns(flag=pl.lit(None, pl.Boolean()))))


def _measured(observations: pl.DataFrame) -> pl.DataFrame:
    rows = anchored(_interpolated(observations))
    return measured((rows if rows["anchor"].all() else rows.filter("anchor")).drop("anchor"))


def travelled(observations: pl.DataFrame, segments: pl.DataFrame) -> pl.DataFrame:
    """Observations of what vehicles told, with `way_m`: their way so far, by whatever told it.

    Rows that are no anchors are left out where they tell nothing but a position, or tell of motion: a cloud's repeats.
    """
    own = segments.select(*WHO, "at", "way_m", anchor=pl.lit(True))
    rows = observations.drop("way_m").join(own, on=[*WHO, "at"], how="left", maintain_order="left")
    says = ~pl.col("placed") | pl.any_horizontal(pl.col(_TELLS).is_not_null())
    told = pl.col("anchor").fill_null(False) | (says & ~pl.any_horizontal(pl.col(MOTION).is_not_null()))
    known = carried(rows.filter(told).drop("anchor"), "way_m")
    return known.with_columns(pl.col("way_m").fill_null(0.0)).select(OBSERVATIONS.names())


def _interpolated(rows: pl.DataFrame) -> pl.DataFrame:
    """Ways along positions of rows without one: on a straight line between those around them."""
    if not rows["path_m"].null_count() or rows["path_m"].null_count() == rows.height:
        return rows
    seconds = pl.col("at").dt.epoch("ms") / 1000
    there = pl.when(pl.col("path_m").is_not_null()).then(seconds)
    names = {"seconds": there, **{name: pl.col(name) for name in _WAYS}}
    ends = rows.with_columns(
        *(each.forward_fill().over(WHO).alias(f"{name}_0") for name, each in names.items()),
        *(each.backward_fill().over(WHO).alias(f"{name}_1") for name, each in names.items()),
    )
    span_s = pl.col("seconds_1") - pl.col("seconds_0")
    share = pl.when(span_s > 0).then((seconds - pl.col("seconds_0")) / span_s).otherwise(0.0)
    made = [
        pl.coalesce(pl.col(f"{name}_0") + share * (pl.col(f"{name}_1") - pl.col(f"{name}_0")), f"{name}_0", f"{name}_1")
        .alias(name)
        for name in _WAYS
    ]  # fmt: skip
    return ends.with_columns(made).drop(f"{name}_{side}" for name in names for side in (0, 1))


def _down(rows: pl.DataFrame, downtime: pl.DataFrame | None) -> pl.DataFrame:
    """Whether a span in which the collector was away began before the segment ended and ended after it began."""
    if downtime is None or not downtime.height:
        return rows.with_columns(pl.lit(False).alias("down"))
    spans = downtime.select(pl.col("begin").cast(_MS), pl.col("end").cast(_MS)).sort("begin")
    places = rows.select("at", "since").with_row_index("row").sort("at")
    joined = places.join_asof(spans, left_on="at", right_on="begin", strategy="backward").sort("row")
    return rows.with_columns((joined["end"] > joined["since"]).fill_null(False).alias("down"))


def _hides(rows: pl.DataFrame, observations: pl.DataFrame) -> pl.Series:
    """Whether a vehicle in use must have been out of use between two anchors.

    True where it stood, in use before and after, and said nothing at all for longer than 50 s and for five times as
    long as between two positions of that UTC day.
    """
    if not observations["placed"].any():
        return pl.repeat(False, rows.height, eager=True)
    stood = (pl.col("d_m") <= MOVED_M) & (pl.col("dr_s").fill_null(0.0) <= RAN_S)
    asked = stood & (pl.col("quiet_s") > HEARD_S) & ~pl.col("down") & pl.col("used") & before("used")
    heard = observations.filter("placed").select(
        *WHO, "at", ((pl.col("at") - pl.col("at").shift(1).over(WHO)).dt.total_milliseconds() / 1000).alias("gap_s")
    )
    day = pl.col("at").dt.truncate("1d").alias("day")
    paces = heard.filter(pl.col("gap_s") <= 180.0).group_by(*WHO, day).agg(pl.col("gap_s").median().alias("pace_s"))
    told = rows.with_columns(
        asked.fill_null(False).alias("asked"), pl.col("since").dt.truncate("1d").alias("day")
    ).join(paces, on=[*WHO, "day"], how="left", maintain_order="left")
    most_s = pl.max_horizontal(pl.lit(HEARD_S), LOST * pl.col("pace_s"))
    return told.select(
        (pl.col("asked") & (pl.col("quiet_s") > most_s) & pl.col("pace_s").is_not_null())
        .fill_null(False)
        .alias("hides")
    )["hides"]
