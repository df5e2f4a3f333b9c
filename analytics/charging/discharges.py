"""Spans in which a vehicle gives energy on purpose: to loads that are plugged into it, or to the grid."""

import polars as pl

from analytics.frames import WHO, marked
from logger.tables import TIME

WORD = "discharging"

DISCHARGES = pl.Schema({"provider": pl.String(), "vehicle": pl.String(), "started_at": TIME, "finished_at": TIME})


def discharges(observations: pl.DataFrame) -> pl.DataFrame:
    """When vehicles say that they discharge.

    Parameters
    ----------
    observations : DataFrame with `provider` `vehicle` `at` `charge_state`, by vehicle and time

    Returns
    -------
    DataFrame of `DISCHARGES` by vehicle and start: each from the first row that says so to the first that says
    something else, or to the last that says so where none does.
    """
    rows = marked(observations.drop_nulls("charge_state"))
    says = pl.col("charge_state") == WORD
    run = ((says != says.shift(1)).fill_null(True) | pl.col("fresh")).cum_sum().alias("run")
    ends = pl.when(~pl.col("fresh").shift(-1)).then(pl.col("at").shift(-1)).otherwise("at").alias("until")
    spans = rows.with_columns(run, ends).filter(says).group_by(*WHO, "run", maintain_order=True).agg(
        pl.col("at").first().alias("started_at"), pl.col("until").last().alias("finished_at")
    )  # fmt: skip
    return spans.select(DISCHARGES.names()).cast(DISCHARGES).filter(pl.col("started_at") < pl.col("finished_at"))
