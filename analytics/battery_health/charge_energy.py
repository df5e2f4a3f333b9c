"""What packs hold by the energy that charges added: rows of `battery_health` with the method `charge_energy`.

A ratio of sums over all charges whose energy is told by a counter or by power (analytics facts, 3.1): sums know no
session that weighs too much, and no choice by what was measured can bias them.
"""

import polars as pl

from analytics.battery_health.ratios import interval
from analytics.charging.energies import BMS_SD_PCT, COUNT_SD_PCT, LOST, LOST_SD, REPORTED_SD
from analytics.frames import WHO

SURE_SD = 0.25  # relative standard error above which charges tell no capacity
_MEASURED = ("reported", "power")  # energies that do not follow from a capacity


def measured(charges: pl.DataFrame) -> pl.DataFrame:
    """Charges that tell a capacity, with `at`, when they ended.

    Parameters
    ----------
    charges : rows of `charges`
    """
    sure = pl.col("energy_source").is_in(_MEASURED) & (pl.col("soc_added_pct") > 0) & (pl.col("energy_wh") > 0)
    return charges.filter((pl.col("kind") != "swap") & sure).drop("port").with_columns(at="finished_at")


def charge_sums(part: tuple[str, ...], charges: pl.DataFrame) -> pl.DataFrame:
    """Sums over charges of a part: `charged_n`, `charged_pct`, `charged_wh` and `as_of`."""
    return charges.sort("at").group_by(part, maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("charged_n"),
        pl.col("soc_added_pct").sum().alias("charged_pct"),
        pl.col("energy_wh").sum().alias("charged_wh"),
        pl.col("at").max().dt.strftime("%Y-%m-%d").alias("as_of"),
    )  # fmt: skip


def capacity() -> pl.Expr:
    """Energy that a full charge gives: 5 % less than goes in."""
    return 100 * pl.col("charged_wh") / (1 + LOST) / pl.col("charged_pct")


def capacity_sd() -> pl.Expr:
    """Its relative standard error: what each charge's percent errs by, the counter, and what is lost in the battery.

    The last two are common to all charges of a vehicle; more charges make them no smaller.
    """
    percent = (COUNT_SD_PCT**2 + BMS_SD_PCT**2) * pl.col("charged_n") / pl.col("charged_pct") ** 2
    return (percent + REPORTED_SD**2 + LOST_SD**2).sqrt()


def charge_energy(sums: pl.DataFrame) -> pl.DataFrame:
    """Sums of `charge_sums` as rows of `battery_health`: an estimate where the error is below 25 %."""
    sure = pl.when(capacity_sd() <= SURE_SD)
    reason = sure.then(None).otherwise(pl.lit("the percent rose too little in all charges together"))
    return sums.with_columns(
        *(sure.then(each) for each in interval(capacity(), capacity_sd(), "capacity_wh")),
        method=pl.lit("charge_energy"), n="charged_n", energy_wh="charged_wh", soc_used_pct="charged_pct",
        verdict=sure.then(pl.lit("estimate")).otherwise(pl.lit("insufficient")), reason=reason,
    )  # fmt: skip


def of_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of `battery_health` of this method as sums again, by vehicle and `since`."""
    own = rows.filter(pl.col("method") == "charge_energy")
    return own.select(
        *WHO, since="time", charged_n="n", charged_pct="soc_used_pct", charged_wh="energy_wh", charged_as_of="as_of"
    )  # fmt: skip
