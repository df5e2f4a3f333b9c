"""Energy as the integral of polled power over sessions. Charging power is smooth; that of a ride is not (facts F4)."""

import polars as pl

from analytics.frames import WHO, marked

GAP_S = 600.0  # between two polls further apart, power is not known
STEADY_S, STEADY = 3600.0, 0.1  # ... but where both tell nearly the same, relative: a charger gives what it can
SAME = "60s"  # percent and power of one poll may come in rows of their own
NOTHING_W, FROZEN_S, FROZEN_ROWS, MOVED_M = 20.0, 3600.0, 4, 30.0  # so much the same for so long, over such a way
_SESSION = (*WHO, "started_at")


def measured_power(batteries: pl.DataFrame, observations: pl.DataFrame) -> pl.DataFrame:
    """Battery queries without powers that nobody measured.

    Parameters
    ----------
    batteries : DataFrame of `BATTERIES`, by vehicle and time
    observations : DataFrame with `provider` `vehicle` `at` `charging` `way_m`

    Returns
    -------
    `batteries` with `power_w` null where one value stays for an hour over a way, as a cloud keeps it, and where it is
    0 though the vehicle says that it charges, between two polls that give the same.
    """
    told = marked(batteries.select(*WHO, "at", "power_w").with_row_index("row").drop_nulls("power_w"))
    if told.is_empty():
        return batteries
    said = observations.select(*WHO, "at", "charging", "way_m").sort("at")
    known = told.sort("at").join_asof(said, on="at", by=WHO, check_sortedness=False).sort("row")
    run = ((pl.col("power_w") != pl.col("power_w").shift(1)) | pl.col("fresh")).fill_null(True).cum_sum()
    out = known.with_columns(run.alias("run")).filter(_is_frozen() | _is_interrupted())["row"]
    stays = ~pl.int_range(pl.len(), dtype=pl.UInt32).is_in(out.implode())
    return batteries.with_columns(pl.when(stays).then("power_w").alias("power_w"))


def _is_frozen() -> pl.Expr:
    """Whether a power is one of a run of the same for so long that the vehicle stood and went in it.

    That of a vehicle between two short ways may well be 0, unless it charges.
    """
    says = (pl.col("power_w") != 0) | pl.col("charging").fill_null(False)
    first_at, last_at = pl.col("at").first().over("run"), pl.col("at").last().over("run")
    way_m = pl.col("way_m").last().over("run") - pl.col("way_m").first().over("run")
    long = (last_at - first_at).dt.total_milliseconds() >= 1000 * FROZEN_S
    return long & (pl.len().over("run") >= FROZEN_ROWS) & (way_m > MOVED_M) & says


def _is_interrupted() -> pl.Expr:
    """Whether no power is told of a vehicle that charges, between two polls of which a charge would be integrated."""
    flows = pl.col("power_w") > NOTHING_W
    ends = []
    for name in ("at", "power_w"):
        told = pl.when(flows).then(name)
        ends.append((told.forward_fill().over(WHO), told.backward_fill().over(WHO)))
    seconds = (ends[0][1] - ends[0][0]).dt.total_milliseconds() / 1000
    return (pl.col("power_w").abs() <= NOTHING_W) & pl.col("charging") & _is_known_between(seconds, *ends[1])


def _is_known_between(seconds: pl.Expr, was_w: pl.Expr, is_w: pl.Expr) -> pl.Expr:
    """Whether power is known between two polls: they are near, or tell nearly the same."""
    steady = (seconds <= STEADY_S) & ((is_w - was_w).abs() <= STEADY * (is_w + was_w).abs() / 2)
    return (seconds <= GAP_S) | steady


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
    near = _is_known_between(seconds, was_w, pl.col("power_w"))
    return inside.with_columns(dt_s=pl.when(near).then(seconds), mean_w=(pl.col("power_w") + was_w) / 2)
