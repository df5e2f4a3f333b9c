"""What the fleet's own data say of each vehicle: its model's figures month by month, and the verdicts of its packs."""

import math

import polars as pl

from analytics.battery_health.calibration import INSUFFICIENT, OF_PACKS
from analytics.battery_health.pooling import MODEL
from analytics.battery_health.ratios import relative_sd
from analytics.battery_health.spreads import SHEET_SD
from analytics.battery_health.verdicts import ridden_sd
from analytics.frames import WHO, as_of
from analytics.observations.power import SIGNS

WEIGHED = ("capacity_wh", "wh_per_km", "percent_slope", "motor_power_sign")  # checks that energies follow from
PACK_CV = 0.07  # of the capacities of one model's packs, young and old (simulated fleet)
VEHICLE_CV = 0.055  # of one model's usual consumption from vehicle to vehicle: tyres, drive (simulated fleet)
_OF = (*MODEL, "since")
_Z = 1.96


def figures(checks: pl.DataFrame) -> pl.DataFrame:
    """What a fleet's checks say of packs.

    Parameters
    ----------
    checks : DataFrame of `CHECKS`

    Returns
    -------
    DataFrame by `provider`, `model` and `time` with a column for each of `OF_PACKS`, `percent_slope`, `fade_sd`, the
    standard error of `fade`, and `power_sign`, 1 or -1; null where nobody knows.
    """
    told, names = checks.filter(pl.col("answer") != INSUFFICIENT), (*OF_PACKS, "percent_slope")
    value = [pl.col("value").filter(pl.col("check") == name).first().alias(name) for name in names]
    spread = ((pl.col("high") - pl.col("low")) / (2 * _Z)).filter(pl.col("check") == "fade").first().alias("fade_sd")
    sign = pl.col("answer").filter(pl.col("check") == "motor_power_sign").first()
    turn = sign.replace_strict(SIGNS, default=None, return_dtype=pl.Float64()).alias("power_sign")
    return told.group_by(*MODEL, "time").agg(*value, spread, turn).sort(*MODEL, "time")


def calibrated(known: pl.DataFrame, checks: pl.DataFrame) -> pl.DataFrame:
    """What a vehicle's percent and kilometre are worth, and from when on.

    Parameters
    ----------
    known : DataFrame `provider` `vehicle` `model` `capacity_wh` [Wh] `wh_per_km`, and perhaps `capacity_sd` and
        `wh_per_km_sd`, relative
    checks : DataFrame of `CHECKS`

    Returns
    -------
    `known` with `since` (the beginning, and each `time` of its model's checks), `capacity_wh` and `wh_per_km` of the
    model then, `capacity_sd` and `wh_per_km_sd`, relative, of one vehicle of it, `percent_slope` (0 where nobody
    knows) and `motor_power_sign` (null where nobody knows). A data sheet, which errs by 10 % for packs in use, and the
    fleet's own figure are weighed by their variances. Where the fleet does not tell, the figure stays, with the error
    that it came with, else that of a data sheet: packs in use hold less than new ones.
    """
    always = pl.datetime(1, 1, 1, time_unit="ms", time_zone="UTC").alias("since")
    answers = pl.col("check").is_in(WEIGHED) & (pl.col("answer") != INSUFFICIENT)
    moments = checks.filter(answers).select(*MODEL, pl.col("time").alias("since")).unique()
    rows = pl.concat([known.with_columns(always), known.join(moments, on=MODEL)])
    for name, spread in (("capacity_wh", PACK_CV), ("wh_per_km", VEHICLE_CV)):
        rows = _weighed(rows, checks, name, spread)
    sign = _told(checks, "motor_power_sign", pl.col("answer").alias("motor_power_sign"))
    slope = _told(checks, "percent_slope", pl.col("value").alias("percent_slope"))
    for facts in (sign, slope):
        rows = rows.join(facts, on=_OF, how="left", maintain_order="left")
    return rows.with_columns(pl.col("percent_slope").fill_null(0.0))


def _told(checks: pl.DataFrame, name: str, *columns: pl.Expr) -> pl.DataFrame:
    told = checks.filter((pl.col("check") == name) & (pl.col("answer") != INSUFFICIENT))
    return told.select(*MODEL, pl.col("time").alias("since"), *columns)


def _weighed(rows: pl.DataFrame, checks: pl.DataFrame, name: str, spread: float) -> pl.DataFrame:
    sd = f"{name.removesuffix('_wh')}_sd"
    error = ((pl.col("high") - pl.col("low")) / (2 * _Z) / pl.col("value")).clip(1e-6).alias("error")
    found = _told(checks, name, pl.col("value"), error)
    given = pl.col(sd) if sd in rows.columns else pl.lit(None, pl.Float64())
    told = rows.with_columns(given.alias("given")).join(found, on=_OF, how="left", maintain_order="left")
    sheet, ours = pl.lit(1 / SHEET_SD**2), 1 / pl.col("error") ** 2
    both = (pl.col(name) * sheet + pl.col("value") * ours) / (sheet + ours)
    variance = pl.when(pl.col(name).is_null()).then(1 / ours).otherwise(1 / (sheet + ours))
    made = told.with_columns(
        pl.coalesce(both, "value", name).alias(name),
        pl.when(pl.col("value").is_not_null())
        .then((variance + spread**2).sqrt())
        .otherwise(pl.coalesce("given", pl.lit(math.hypot(SHEET_SD, spread))))
        .alias(sd),
    )
    return made.drop("value", "error", "given")


def with_verdicts(known: pl.DataFrame, verdicts: pl.DataFrame) -> pl.DataFrame:
    """What is known of vehicles, with what their packs hold at each time where that is known.

    Parameters
    ----------
    known : DataFrame of `calibrated`
    verdicts : rows of `battery_health`; each of method `verdict` holds to the end of its month at most

    Returns
    -------
    DataFrame as `known`, with a row more for each verdict. What trips alone tell is right for trips: what a full charge
    holds on a test bench differs from it by more.
    """
    own = verdicts.filter((pl.col("method") == "verdict") & pl.col("capacity_wh").is_not_null())
    packs = own.select(
        *WHO, pl.col("time").cast(known.schema["since"]).alias("since"), "time",
        pl.col("capacity_wh", "wh_per_km").name.prefix("own_"),
        ridden_sd().alias("own_capacity_sd"), relative_sd("wh_per_km").alias("own_wh_per_km_sd"),
    )  # fmt: skip
    moments = pl.concat([rows.select(*WHO, "since") for rows in (known, packs)]).unique().sort(*WHO, "since")
    rows = as_of(as_of(moments.with_columns(pl.col("since").alias("at")), "at", known), "at", packs)
    now = pl.when(pl.col("time").dt.truncate("1mo") == pl.col("at").dt.truncate("1mo"))
    names = ("capacity_wh", "capacity_sd", "wh_per_km", "wh_per_km_sd")
    told = [pl.coalesce(now.then(f"own_{name}"), name).alias(name) for name in names]
    return rows.join(known.select(WHO).unique(), on=WHO, how="semi").with_columns(told).select(known.columns)
