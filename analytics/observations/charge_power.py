"""Energy as the integral of polled power over sessions. Charging power is smooth; that of a ride is not (facts F4)."""

import polars as pl

from analytics.frames import WHO

GAP_S = 600.0  # between two polls further apart, power is not known
STEADY_S, STEADY = 3600.0, 0.1  # ... but where both tell nearly the same, relative: a charger gives what it can
SAME = "60s"  # percent and power of one poll may come in rows of their own
_SESSION = (*WHO, "started_at")


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
    sums = (
        _steps(sessions, batteries, column)
        .group_by(_SESSION)
        .agg(
            pl.col("finished_at").first(),
            (pl.col("mean_w") * pl.col("dt_s") / 3600).sum().alias("seen_wh"),
            pl.col("dt_s").sum(),
            pl.col("power_w").max().alias("peak_w"),
        )
    )
    covered = pl.col("dt_s") * 1000 / (pl.col("finished_at") - pl.col("started_at")).dt.total_milliseconds()
    return sums.filter(pl.col("dt_s") > 0).select(
        *_SESSION, (pl.col("seen_wh") / covered).alias("power_wh"), covered.alias("power_covered"), "peak_w"
    )


def read_throughout(sessions: pl.DataFrame, batteries: pl.DataFrame, percents: pl.DataFrame) -> pl.DataFrame:
    """The part of sessions between the first poll and the last: when a session truly began and ended does not matter.

    Parameters
    ----------
    sessions, batteries : as of `integrals`
    percents : DataFrame with `provider` `vehicle` `at` `soc_pct` [%]

    Returns
    -------
    DataFrame `provider` `vehicle` `started_at` `read_wh` `read_pct`: the energy of that part and by how much the
    percent rose in it; of sessions without a gap in it whose percent is told with both polls.
    """
    parts = _steps(sessions, batteries, "power_w").group_by(_SESSION).agg(
        (pl.col("mean_w") * pl.col("dt_s") / 3600).sum().alias("read_wh"),
        pl.col("at").first().alias("first_at"), pl.col("at").last().alias("last_at"),
        (pl.col("dt_s").null_count() == 1).alias("whole"),
    ).filter("whole")  # fmt: skip
    told = percents.drop_nulls("soc_pct").select(*WHO, "at", "soc_pct").sort("at")
    for end in ("first", "last"):
        named = told.select(*WHO, pl.col("at").alias(f"{end}_at"), pl.col("soc_pct").alias(f"{end}_pct"))
        parts = parts.sort(f"{end}_at").join_asof(
            named, on=f"{end}_at", by=WHO, strategy="nearest", tolerance=SAME, check_sortedness=False
        )
    read_pct = (pl.col("last_pct") - pl.col("first_pct")).alias("read_pct")
    return parts.select(*_SESSION, "read_wh", read_pct).drop_nulls("read_pct")


def _steps(sessions: pl.DataFrame, batteries: pl.DataFrame, column: str) -> pl.DataFrame:
    """Polls of sessions in order, with the mean power since the poll before, and the time since, null in a gap."""
    spans = sessions.select(*WHO, "started_at", "finished_at").sort("started_at")
    told = batteries.drop_nulls(column).select(*WHO, "at", power_w=column).sort("at")
    inside = told.join_asof(
        spans, left_on="at", right_on="started_at", by=WHO, strategy="backward", check_sortedness=False
    ).filter(pl.col("at") <= pl.col("finished_at"))
    seconds = pl.col("at").diff().dt.total_milliseconds().over(_SESSION) / 1000
    was_w = pl.col("power_w").shift(1).over(_SESSION)
    mean_w = (pl.col("power_w") + was_w) / 2
    steady = (seconds <= STEADY_S) & ((pl.col("power_w") - was_w).abs() <= STEADY * mean_w)
    return inside.with_columns(dt_s=pl.when((seconds <= GAP_S) | steady).then(seconds), mean_w=mean_w)
