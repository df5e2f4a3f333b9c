"""Internal resistance by volts that fall under load, where volts and current are of one moment: method `resistance`.

Whether they are, the readings themselves tell (analytics facts, F8, 3.4): of one moment, a step of the current goes
with the step of the volts beside it, and as little with the one before as with the one after. With a shift of a few
seconds the figure would be too low by a half, and nobody would see it: then nothing is said.
"""

import polars as pl

from analytics.battery_health import reasons
from analytics.battery_health.ratios import Z
from analytics.frames import WHO
from logger.tables import shaped

BIN = "5s"  # readings of so long count as one; further apart, they do not show a shift of a second
FEWEST = 100  # steps between bins that an answer needs
SKEW = 0.1  # of the figure, by which what is before and what is after may differ
SURE_SD = 0.1  # relative standard error above which the figure is none
SHARED = 1.5**0.5  # neighbouring steps share a bin, so that their errors are not their own
_DAY = (*WHO, "time")


def resistance(batteries: pl.DataFrame) -> pl.DataFrame:
    """Rows of `battery_health` of method `resistance`: of each day with readings 5 s apart or closer.

    Parameters
    ----------
    batteries : DataFrame of `BATTERIES`: `current_a` positive into the battery, or `power_w` over `voltage_v`

    Returns
    -------
    DataFrame by vehicle and time, the start of the day (UTC): `resistance_mohm` with its interval, of the whole
    battery from terminal to terminal, and `battery_c`, at which mean temperature; `insufficient` with the reason where
    volts and current are not of one moment, or too noisy.
    """
    steps = _steps(batteries)
    sums = steps.group_by(_DAY, maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("n"), (pl.col("di") ** 2).sum().alias("ii"),
        *((pl.col(name) * pl.col("di")).sum().alias(name) for name in ("dv", "dv_before", "dv_after")),
        (pl.col("dv") ** 2).sum().alias("vv"), pl.col("battery_c").mean(),
    ).filter((pl.col("n") >= FEWEST) & (pl.col("ii") > 0))  # fmt: skip
    value, before, after = (pl.col(name) / pl.col("ii") for name in ("dv", "dv_before", "dv_after"))
    rest = (pl.col("vv") - pl.col("dv") ** 2 / pl.col("ii")).clip(0.0)
    told = sums.with_columns(
        value.alias("ohm"), ((before - after).abs() / value).alias("skew"),
        (SHARED * (rest / (pl.col("n") - 1) / pl.col("ii")).sqrt() / value).alias("sd"),
    )  # fmt: skip
    return _rows(told)


def _steps(batteries: pl.DataFrame) -> pl.DataFrame:
    """Steps of volts `dv` and current `di` between neighbouring bins, with the steps of volts beside them."""
    current = pl.coalesce("current_a", pl.col("power_w") / pl.col("voltage_v"))
    read = batteries.filter((pl.col("voltage_v") > 0) & current.is_not_null())
    bins = read.group_by(*WHO, pl.col("at").dt.truncate(BIN), maintain_order=True).agg(
        pl.col("voltage_v").mean(), current.mean().alias("current"), pl.col("battery_c").mean()
    ).with_columns(pl.col("at").dt.truncate("1d").alias("time"))  # fmt: skip
    next_to = pl.when((pl.col("at") == pl.col("at").shift(1).dt.offset_by(BIN)).over(_DAY))
    dv, di = pl.col("voltage_v").diff().over(_DAY), pl.col("current").diff().over(_DAY)
    steps = bins.with_columns(next_to.then(dv).alias("dv"), next_to.then(di).alias("di"))
    beside = steps.with_columns(
        pl.col("dv").shift(1).over(_DAY).alias("dv_before"), pl.col("dv").shift(-1).over(_DAY).alias("dv_after")
    )
    return beside.drop_nulls(["dv", "di", "dv_before", "dv_after"])


def _rows(told: pl.DataFrame) -> pl.DataFrame:
    loose = (pl.col("ohm") <= 0) | (pl.col("sd").is_nan()) | (pl.col("sd") > SURE_SD)
    reason = (
        pl.when(loose).then(pl.lit(reasons.LOOSE))
        .when(pl.col("skew") > SKEW).then(pl.lit(reasons.SKEWED))
        .otherwise(pl.lit(reasons.OF_ONE_MOMENT))
    )  # fmt: skip
    sure = pl.when(~loose & (pl.col("skew") <= SKEW))
    ends = {"": 0.0, "_low": -Z, "_high": Z}
    return shaped(told.with_columns(
        *(
            sure.then(1000 * pl.col("ohm") * (1 + factor * pl.col("sd"))).alias(f"resistance{side}_mohm")
            for side, factor in ends.items()
        ),
        sure.then(pl.lit("estimate")).otherwise(pl.lit("insufficient")).alias("verdict"), reason.alias("reason"),
        method=pl.lit("resistance"), as_of=pl.col("time").dt.strftime("%Y-%m-%d"),
    ).sort(_DAY), "battery_health")  # fmt: skip
