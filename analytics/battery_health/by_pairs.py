"""What packs hold by charges and trips whose energy was measured: methods `charge_energy` and `ride_energy`.

Pairs of percent and energy, or of percent and charge, and the slope between them (`total_least_squares`).
"""

from collections.abc import Sequence

import polars as pl

from analytics.battery_health import reasons
from analytics.battery_health.pairs import CHARGE, METHODS, RIDE
from analytics.battery_health.ratios import interval
from analytics.battery_health.total_least_squares import slopes
from analytics.charging.energies import COUNT_SD_PCT, LOST, LOST_SD, REPORTED_SD
from analytics.observations.power import SENSOR_SD

SURE_SD = 0.15  # relative standard error above which nothing tells a capacity: of a charge of 7 %
MEASURED_SD = 0.01  # relative, of the energy of one pair: power integrated over polls of a charge (facts F4)
STEPS_PCT, SURELY = (10.0, 5.0, 1.0), 4  # in which a percent may be told, and of how many pairs one above 1 is believed
END_SD = 0.29  # of a step: a charge often ends just as the percent changes, so that all of a vehicle's begin too low
NAMED = 3  # pairs left out that a row's reason names
_LOST = {CHARGE: LOST, RIDE: 0.0}
_COMMON_SD = {CHARGE: (REPORTED_SD**2 + LOST_SD**2) ** 0.5, RIDE: SENSOR_SD}  # of all pairs of a vehicle alike


def capacities(pairs: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """The capacity that each group of pairs tells.

    Parameters
    ----------
    pairs : DataFrame of `PAIRS` with the columns `by`

    Returns
    -------
    DataFrame by `by` and `source`: `n`, `capacity` [Wh] with `capacity_sd`, its relative standard error, which what
    all pairs of a vehicle share is in, too; `pct_sum`, `wh_sum`, `as_of` and `left_out`, a list of times; and
    `capacity_ah`. A charge gives 5 % less energy than goes in; its charge comes out whole.

    Notes
    -----
    What a coarse percent errs by follows from the step that all percents of charges are multiples of.
    """
    group = (*by, "source")
    facts = pairs.group_by(group).agg(pl.col("at").max().dt.strftime("%Y-%m-%d").alias("as_of"), _step_pct())
    stepped = pairs.join(facts.drop("as_of"), on=group, how="left", maintain_order="left").with_columns(_coarse_var())
    energy, charge = (slopes(_of(stepped, unit), group, MEASURED_SD) for unit in ("wh", "ah"))
    lost, common = (_by_source(values) for values in (_LOST, _COMMON_SD))
    both = facts.join(energy, on=group, how="left").rename({"x_sum": "pct_sum", "y_sum": "wh_sum"})
    end = END_SD * pl.col("step_pct") * pl.col("n") / pl.col("pct_sum")
    both = both.with_columns(
        (100 * pl.col("slope") / (1 + lost)).alias("capacity"),
        (pl.col("slope_sd") ** 2 + common**2 + end.fill_null(0.0) ** 2).sqrt().alias("capacity_sd"),
    ).drop("slope", "slope_sd", "step_pct")
    amperes = pl.when(pl.col("slope_sd") <= SURE_SD).then(100 * pl.col("slope"))
    rows = both.join(charge.select(*group, capacity_ah=amperes), on=group, how="left")
    return rows.filter(pl.any_horizontal(pl.col("capacity", "capacity_ah").is_not_null())).sort(group)


def _step_pct() -> pl.Expr:
    """In which steps charges tell their percent, null of trips: their percents are finer than the vehicle's own."""
    pct = pl.col("pct")
    fits = [((pct / step).round() * step == pct).all() & ((pct.len() >= SURELY) | (step <= 1)) for step in STEPS_PCT]
    step = pl.coalesce(*(pl.when(fit).then(step) for fit, step in zip(fits, STEPS_PCT, strict=True)), 0.0)
    return pl.when(pl.col("source").first() == CHARGE).then(step).alias("step_pct")


def _coarse_var() -> pl.Expr:
    """The variance of a percent that is told in steps of more than 1 %."""
    more = (pl.col("step_pct").fill_null(1.0).clip(1.0) ** 2 - 1) * COUNT_SD_PCT**2
    return (pl.col("pct_var") + more).alias("pct_var")


def _of(pairs: pl.DataFrame, unit: str) -> pl.DataFrame:
    return pairs.drop_nulls(unit).rename({"pct": "x", "pct_var": "x_var", unit: "y"})


def _by_source(values: dict[str, float]) -> pl.Expr:
    return pl.col("source").replace_strict(values, return_dtype=pl.Float64())


def rows_by_pairs(pairs: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """Columns of `battery_health` for each of `capacities`: an estimate where the standard error is below 15 %."""
    told = capacities(pairs, by)
    sure = pl.when((pl.col("capacity_sd") <= SURE_SD).fill_null(False))
    vague = pl.lit(reasons.PERCENT_HARDLY_CHANGED)
    return told.with_columns(
        *(sure.then(each) for each in interval(pl.col("capacity"), pl.col("capacity_sd"), "capacity_wh")),
        method=pl.col("source").replace_strict(METHODS, return_dtype=pl.String()), energy_wh="wh_sum",
        soc_used_pct="pct_sum", reason=sure.then(_left_out()).otherwise(vague),
        verdict=sure.then(pl.lit("estimate")).otherwise(pl.lit("insufficient")),
    ).drop("source", "capacity", "capacity_sd", "pct_sum", "wh_sum", "left_out")  # fmt: skip


def _left_out() -> pl.Expr:
    """Which pairs do not count, in words."""
    few = pl.col("left_out").list.sort().list.head(NAMED).list.eval(pl.element().dt.strftime("%Y-%m-%d %H:%M"))
    more = pl.when(pl.col("left_out").list.len() > NAMED).then(pl.lit(", …")).otherwise(pl.lit(""))
    count = pl.col("left_out").list.len()
    said = pl.format(reasons.LEFT_OUT, count, pl.concat_str(few.list.join(", "), more))
    return pl.when(count > 0).then(said)
