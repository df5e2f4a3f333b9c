"""Spans in which a vehicle gives energy on purpose: to loads that are plugged into it, or to the grid."""

import polars as pl

from analytics.charging.charging_rows import MOVED_M
from analytics.frames import WHO, marked
from logger.tables import TIME

WORD = "discharging"
DRAWS_W, FELL_PCT, NEAR_S = 500.0, 2.0, 10_800.0  # so much power, in any sign, while the percent falls by more

DISCHARGES = pl.Schema({"provider": pl.String(), "vehicle": pl.String(), "started_at": TIME, "finished_at": TIME})


def discharges(observations: pl.DataFrame, batteries: pl.DataFrame) -> pl.DataFrame:
    """When vehicles say that they discharge, or power says so where no word does.

    Parameters
    ----------
    observations : DataFrame with `provider` `vehicle` `at` `charge_state` `soc_pct` `way_m`, by vehicle and time
    batteries : DataFrame of `BATTERIES`, by vehicle and time

    Returns
    -------
    DataFrame of `DISCHARGES` by vehicle and start: each from the first row that says so to the first that says
    something else, or to the last that says so where none does. Power says so while a vehicle stands, at 500 W or more
    of either sign, if the percent falls by more than 2 % meanwhile.
    """
    words = _runs(marked(observations.drop_nulls("charge_state")), pl.col("charge_state") == WORD)
    powers = marked(_powers(observations, batteries))
    draws = (pl.col("power_w").abs() >= DRAWS_W) & (pl.col("came_m") <= MOVED_M)
    by_power = _apart(_runs(powers, draws.fill_null(False)).filter(pl.col("fell_pct") > FELL_PCT), words)
    spans = pl.concat([each.select(DISCHARGES.names()).cast(DISCHARGES) for each in (words, by_power)])
    return spans.filter(pl.col("started_at") < pl.col("finished_at")).sort(*WHO, "started_at")


def _apart(spans: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """Those of these spans that overlap none of the others."""
    twos = spans.join(others.select(*WHO, begin="started_at", end="finished_at"), on=WHO)
    overlap = (pl.col("started_at") < pl.col("end")) & (pl.col("finished_at") > pl.col("begin"))
    key = [*WHO, "started_at"]
    return spans.join(twos.filter(overlap), on=key, how="anti", maintain_order="left")


def _runs(rows: pl.DataFrame, says: pl.Expr) -> pl.DataFrame:
    """Spans of the rows that say so, one after the other, and by how much the percent fell in each."""
    run = ((says != says.shift(1)).fill_null(True) | pl.col("fresh")).cum_sum().alias("run")
    ends = (
        pl.when(~pl.col("fresh").shift(-1)).then(pl.col(name).shift(-1)).otherwise(name).alias(until)
        for name, until in (("at", "until"), ("soc_pct", "soc_until_pct"))
    )
    return rows.with_columns(run, *ends).filter(says).group_by(*WHO, "run", maintain_order=True).agg(
        pl.col("at").first().alias("started_at"), pl.col("until").last().alias("finished_at"),
        (pl.col("soc_pct").first() - pl.col("soc_until_pct").last()).alias("fell_pct"),
    )  # fmt: skip


def _powers(observations: pl.DataFrame, batteries: pl.DataFrame) -> pl.DataFrame:
    """Readings of power with the percent then, and how far the vehicle went from the reading before to the next."""
    told = batteries.select(*WHO, "at", "power_w").drop_nulls("power_w").with_row_index("row").sort("at")
    known = observations.select(*WHO, "at", "way_m", pl.col("soc_pct").forward_fill().over(WHO)).sort("at")
    rows = told.join_asof(known, on="at", by=WHO, check_sortedness=False).sort("row").drop("row")
    near = (pl.col("at") - pl.col("at").shift(1)).dt.total_milliseconds() <= 1000 * NEAR_S
    since_m = pl.when(near).then(pl.col("way_m") - pl.col("way_m").shift(1).over(WHO))
    until_m = pl.col("way_m").shift(-1).over(WHO) - pl.col("way_m")
    return rows.with_columns((since_m + until_m.fill_null(0.0)).alias("came_m"))
