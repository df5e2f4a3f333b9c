"""Energy as the integral of polled power over sessions. Charging power is smooth; that of a ride is not (facts F4)."""

import polars as pl

from analytics.frames import WHO

GAP_S = 600.0  # between two polls further apart, power is not known


def integrals(sessions: pl.DataFrame, batteries: pl.DataFrame, column: str) -> pl.DataFrame:
    """Trapezoids over sessions.

    Parameters
    ----------
    sessions : DataFrame with `provider` `vehicle` `started_at` `finished_at`; those of a vehicle do not overlap
    batteries : DataFrame of `BATTERIES`
    column : the power to integrate [W]

    Returns
    -------
    DataFrame of the sessions with two polls or more: `provider` `vehicle` `started_at`, `power_wh` (what the polls
    cover, carried to the whole session), `power_covered` (their share of its duration), `peak_w`.
    """
    spans = sessions.select(*WHO, "started_at", "finished_at").sort("started_at")
    told = batteries.drop_nulls(column).select(*WHO, "at", power_w=column).sort("at")
    inside = told.join_asof(
        spans, left_on="at", right_on="started_at", by=WHO, strategy="backward", check_sortedness=False
    ).filter(pl.col("at") <= pl.col("finished_at"))
    session = (*WHO, "started_at")
    seconds = pl.col("at").diff().dt.total_milliseconds().over(session) / 1000
    mean_w = (pl.col("power_w") + pl.col("power_w").shift(1).over(session)) / 2
    steps = inside.with_columns(dt_s=pl.when(seconds <= GAP_S).then(seconds), mean_w=mean_w)
    sums = steps.group_by(session).agg(
        pl.col("finished_at").first(),
        (pl.col("mean_w") * pl.col("dt_s") / 3600).sum().alias("seen_wh"),
        pl.col("dt_s").sum(),
        pl.col("power_w").max().alias("peak_w"),
    )
    covered = pl.col("dt_s") * 1000 / (pl.col("finished_at") - pl.col("started_at")).dt.total_milliseconds()
    return sums.filter(pl.col("dt_s") > 0).select(
        *session, (pl.col("seen_wh") / covered).alias("power_wh"), covered.alias("power_covered"), "peak_w"
    )
