"""Rises of the percent that no vehicle reported as charging."""

import polars as pl

from analytics.charging.charging_rows import MOVED_M
from analytics.charging.spans import overlapping, seconds, under_way
from analytics.charging.swaps import CHARGER_PCT_H, RISE_PCT
from analytics.frames import WHO, before, marked

SETTLES_S = 60.0  # so long after a stop the percent comes back without a charge
PASSES_S, MOVED_PCT, REGEN_PCT_M = 600.0, 5.0, 1.5e-3  # within so long a way, a stop may have been for a charge
PASS_PCT = 10.0  # no pass is so high that rolling down gives more
APART_S, FAR_S, SPACINGS = 1800.0, 10_800.0, 3.0  # between two rises of one charge
FALLS_PCT = 1.0  # and back again, of a percent between two steps
LOOSE_PCT, DENIED_PCT, DENIED_SUM_PCT = 10.0, 3.0, 5.0  # unplugged, or denied, at both ends: more is no recalibration
WARM_PCT_H, SLOW_PCT_H, SUM_PCT = 1.4, 0.8, 5.0  # slower, a battery warms up; slower still, no charger is
SURE_PCT = 8.0  # no battery comes back by so much, however long it takes
DENIED_PCT_H = 2.0
FASTEST_PCT_H = 480.0  # 350 kW into 75 kWh
_ENDS = ("since", "until")


def rises(
    rows: pl.DataFrame, reported: pl.DataFrame, swaps: pl.DataFrame, trips: pl.DataFrame, traits: pl.DataFrame
) -> pl.DataFrame:
    """Charges that only the percent shows.

    Parameters
    ----------
    rows : DataFrame of `CHARGING_ROWS`
    reported : DataFrame with `provider` `vehicle` `rose_from` `rose_to`: spans whose rise is a reported session's
    swaps, trips, traits : as for `sessions`

    Returns
    -------
    DataFrame `provider` `vehicle` `kind` `started_at` `finished_at` `soc_start_pct` `soc_finish_pct` `rose_from`
    `rose_to` `unreported` `doubt`: they began and ended between readings of the percent.

    Notes
    -----
    Rises while the vehicle stood, after the first minute of the stand, are one charge if no fall, no way and not much
    more time lies between them than between those around. Unplugged at both ends is believed up to 10 % at once, a flag
    that denies it up to 3 % at once and 5 % in all. Without a flag, a slow rise is a charge from 1.4 % an hour on, or
    from 0.8 % if it goes on for more than 5 %, or if it is one of more than 8 %. Of packs that are swapped, what rises
    faster than 60 % an hour is none.
    """
    up = _steps(rows).filter((pl.col("step_pct") > 0) & _standing())
    up = up.filter(~overlapping(up, reported.select(*WHO, started_at="rose_from", finished_at="rose_to"), *_ENDS))
    up = up.filter(~overlapping(up, swaps.select(*WHO, started_at="since", finished_at="until"), *_ENDS))
    groups = _grouped(up.filter(~under_way(up, trips, *_ENDS)))
    doubts = swaps.select(WHO).unique().with_columns(doubt=pl.lit("or_swap"))
    known = groups.join(traits.select(*WHO, "swappable"), on=WHO, how="left").join(doubts, on=WHO, how="left")
    swappable = pl.col("swappable").fill_null(False)
    believed = known.filter(_believed() & _slower_than(pl.when(swappable).then(CHARGER_PCT_H).otherwise(FASTEST_PCT_H)))
    names = ("kind", "started_at", "finished_at", "soc_start_pct", "soc_finish_pct", "doubt")
    told = pl.lit("unreported").alias("unreported")
    return believed.select(*WHO, *names, told, rose_from="started_at", rose_to="finished_at")


def _slower_than(pct_h: pl.Expr) -> pl.Expr:
    hours = seconds("started_at", "finished_at") / 3600
    return pl.col("soc_finish_pct") - pl.col("soc_start_pct") <= RISE_PCT + pct_h * hours


# ---- from one percent to the next ----------------------------------------------------------------------------------


def _steps(rows: pl.DataFrame) -> pl.DataFrame:
    """Intervals between two readings of the percent, and what the vehicle said of charging at their ends."""
    flags = rows.with_columns(flag=pl.col("charging").forward_fill().over(WHO))
    told = marked(flags.drop_nulls("own_pct"))
    loose, idle = pl.col("plugged").not_().fill_null(False), pl.col("flag").not_().fill_null(False)
    return told.select(
        *WHO, before("at").alias("since"), pl.col("at").alias("until"), "moved_at", "way_m",
        before("soc_pct").alias("soc_start_pct"), pl.col("soc_pct").alias("soc_finish_pct"),
        (pl.col("soc_pct") - before("soc_pct")).alias("step_pct"),
        (pl.col("way_m") - before("way_m")).fill_null(0.0).alias("moved_m"),
        (loose & loose.shift(1)).alias("loose"), (idle & idle.shift(1)).alias("denied"),
        (pl.col("plugged") | before("plugged")).fill_null(False).alias("plugged"),
    ).drop_nulls("since")  # fmt: skip


def _standing() -> pl.Expr:
    """Whether the vehicle stood, and had stood for a minute when the percent was there."""
    settled = (seconds("moved_at", "until") > SETTLES_S).fill_null(True)
    stood = (pl.col("moved_m") <= MOVED_M) & settled
    regained = MOVED_PCT + (pl.col("moved_m") * REGEN_PCT_M).clip(upper_bound=PASS_PCT)
    return stood | ((seconds("since", "until") > PASSES_S) & (pl.col("step_pct") > regained))


# ---- rises that are one charge -------------------------------------------------------------------------------------


def _grouped(up: pl.DataFrame) -> pl.DataFrame:
    """Rises joined to charges: from where to where, in how many, and what the vehicle said of them."""
    rows = marked(up)
    moved = (pl.col("way_m") - pl.col("moved_m") - before("way_m")).fill_null(0.0) > MOVED_M
    fell = pl.col("soc_start_pct") < before("soc_finish_pct") - FALLS_PCT
    new = (pl.col("fresh") | _apart() | moved | fell).fill_null(True).cum_sum()
    return rows.with_columns(charge=new).group_by(*WHO, "charge", maintain_order=True).agg(
        pl.col("since").first().alias("started_at"), pl.col("until").last().alias("finished_at"),
        pl.col("soc_start_pct").first(), pl.col("soc_finish_pct").last(), pl.col("step_pct").max(),
        pl.col("plugged").any(), pl.col("loose").all(), pl.col("denied").all(), pl.len().alias("rises"),
        pl.when(pl.len() == 1).then(pl.lit("inferred")).otherwise(pl.lit("charge")).alias("kind"),
    )  # fmt: skip


def _apart() -> pl.Expr:
    """Whether more time lies between two rises than between those around them."""
    gap_s = (pl.col("since") - before("until")).dt.total_milliseconds() / 1000
    every_s = (pl.col("until") - before("until")).dt.total_milliseconds() / 1000
    last = pl.col("fresh").shift(-1).fill_null(True)
    around = pl.max_horizontal(pl.when(~pl.col("fresh")).then(every_s.shift(1)), pl.when(~last).then(every_s.shift(-1)))
    return gap_s > (SPACINGS * around).clip(APART_S, FAR_S).fill_null(FAR_S)


def _believed() -> pl.Expr:
    """Whether a charge explains the rise better than a battery that warms up, or a percent that is put right."""
    rise = pl.col("soc_finish_pct") - pl.col("soc_start_pct")
    pct_h = rise / (seconds("started_at", "finished_at") / 3600)
    denied = (pl.col("step_pct") > DENIED_PCT) | ((rise > DENIED_SUM_PCT) & (pct_h > DENIED_PCT_H))
    unasked = (rise > RISE_PCT) & (
        (pct_h >= WARM_PCT_H) | ((rise > SUM_PCT) & (pct_h >= SLOW_PCT_H)) | (rise > SURE_PCT)
    )
    return (
        pl.when(pl.col("loose"))
        .then(pl.col("step_pct") > LOOSE_PCT)
        .when(pl.col("plugged"))
        .then(rise > 1)
        .when("denied")
        .then(denied)
        .otherwise(unasked)
    )
