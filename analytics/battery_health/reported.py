"""What a vehicle itself says of its battery, day by day: methods `reported` and `range_full`."""

import polars as pl

from analytics.battery_health import reasons
from analytics.battery_health.ratios import interval
from analytics.frames import WHO
from analytics.observations.capacity import CONTENT_SD, REPORTED_SD, said_by_day
from logger.tables import shaped

LEAST_AH, LEAST_SOH_PCT = 1.0, 10.0  # a fraction is told in place of a percent, or nothing
LEAST_PCT = 30.0  # below, a whole percent is too coarse beside a range (analytics facts, 3.3)
PERCENT_SD = 0.29  # of a whole percent
FOLLOWS = ("vernier", "fixed_factor")  # answers of check `range` by which a range tells of the battery
PROJECTED_SD = 0.01  # relative, of a range that the vehicle projects itself
_DAY = (*WHO, "time")
_ESTIMATE = pl.lit("estimate").alias("verdict")


def reported(batteries: pl.DataFrame, readings: pl.DataFrame) -> pl.DataFrame:
    """Rows of `battery_health` of method `reported`: of each day the median of what the vehicle says.

    Parameters
    ----------
    batteries : DataFrame of `BATTERIES`
    readings : DataFrame with `provider` `vehicle` `at` `soc_pct` [%]

    Returns
    -------
    DataFrame by vehicle and time, the start of the day (UTC): `capacity_wh`, `capacity_ah` and `soh_pct`, with the
    interval of a figure that errs by 3 %. Where no capacity is told, it is the content over the percent, which errs by
    4 %. A capacity of the data sheet (`nominal_wh`) is none, and what no battery that drives a person has says nothing:
    less than 100 Wh (it may be kWh), 1 Ah or 10 %.
    """
    least = {"charge_ah": LEAST_AH, "soh_pct": LEAST_SOH_PCT}
    own = [pl.col(name).filter(pl.col(name) >= value).median() for name, value in least.items()]
    said = pl.any_horizontal(pl.col(*least, "capacity_wh", "energy_wh") > 0)
    days = _by_day(batteries.filter(said)).agg(*own, pl.len().cast(pl.Int64).alias("n"))
    capacities = said_by_day(batteries, readings).rename({"day": "time"})
    known = days.join(capacities, on=_DAY, how="left", maintain_order="left").with_columns(
        capacity_wh=pl.coalesce("reported", "content")
    )
    sd = pl.when(pl.col("reported").is_not_null()).then(REPORTED_SD).otherwise(CONTENT_SD)
    told = known.filter(pl.any_horizontal(pl.col(*least, "capacity_wh").is_not_null()))
    by_content = pl.col("reported").is_null() & pl.col("content").is_not_null()
    made = told.with_columns(
        *interval(pl.col("capacity_wh"), sd, "capacity_wh"),
        *interval(pl.col("soh_pct"), pl.lit(REPORTED_SD), "soh_pct"),
        pl.col("charge_ah").alias("capacity_ah"),
        pl.when(pl.col("soh_pct").is_not_null()).then(pl.lit(reasons.ITS_OWN)).alias("reference"),
        pl.when(by_content).then(pl.lit(reasons.BY_CONTENT)).otherwise(pl.lit(reasons.REPORTED)).alias("reason"),
        method=pl.lit("reported"),
    )  # fmt: skip
    return _shape(made.with_columns(_ESTIMATE))


def range_full(ranges: pl.DataFrame, meanings: pl.DataFrame) -> pl.DataFrame:
    """Rows of `battery_health` of method `range_full`: of each day the range at a full charge.

    Parameters
    ----------
    ranges : DataFrame with `provider` `vehicle` `at` `soc_pct` `range_m` `range_full_m`
    meanings : DataFrame `provider` `vehicle` `meaning`: what the model's range says, an answer of check `range`

    Returns
    -------
    DataFrame by vehicle and time, the start of the day (UTC): `range_full_m` with its interval, where the vehicle
    projects it, or where the model's range follows the percent (`vernier`, `fixed_factor`), by what was told at 30 % or
    more. A range that follows the last rides tells nothing of the battery: there is no row.
    """
    projected = pl.col("range_full_m").filter(pl.col("range_full_m") > 0)
    near = (pl.col("range_m") > 0) & (pl.col("soc_pct") >= LEAST_PCT)
    told_m, levels = pl.col("range_m").filter(near), pl.col("soc_pct").filter(near)
    days = _by_day(ranges).agg(
        projected.median().alias("projected"), (100 * told_m.sum() / levels.sum()).alias("followed"),
        (PERCENT_SD / levels.mean() / levels.n_unique().sqrt()).alias("percent_sd"),
        pl.max_horizontal(projected.len(), levels.len()).cast(pl.Int64).alias("n"),
    )  # fmt: skip
    own, follows = pl.col("projected").is_not_null(), pl.col("meaning").is_in(FOLLOWS).fill_null(False)
    told = days.join(meanings, on=WHO, how="left").filter(own | follows & pl.col("followed").is_not_nan())
    sd = pl.when(own).then(PROJECTED_SD).otherwise("percent_sd")
    by_percent = pl.format(reasons.FOLLOWS_PERCENT, "meaning")
    reason = pl.when(own).then(pl.lit(reasons.PROJECTED)).otherwise(by_percent)
    value = pl.coalesce("projected", "followed")
    made = told.with_columns(*interval(value, sd, "range_full_m"), method=pl.lit("range_full"), reason=reason)
    return _shape(made.with_columns(_ESTIMATE))


def _by_day(rows: pl.DataFrame) -> "pl.dataframe.group_by.GroupBy":
    return rows.with_columns(pl.col("at").dt.truncate("1d").alias("time")).group_by(_DAY)


def _shape(rows: pl.DataFrame) -> pl.DataFrame:
    dated = rows.with_columns(pl.col("time").dt.strftime("%Y-%m-%d").alias("as_of"))
    return shaped(dated.sort(_DAY), "battery_health")
