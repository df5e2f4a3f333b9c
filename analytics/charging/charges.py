"""Rows of `charges`: sessions and swaps with what they added, how sure that is, and where they were.

Energy is that at the battery's terminals, positive when added.
"""

import polars as pl

from analytics.charging.spans import seconds
from analytics.frames import WHO, as_of, escaped
from analytics.observations.capacity import sure
from analytics.observations.charge_power import integrals
from logger.tables import shaped

NEAR_S = 600.0  # a position from so long before a charge is of its place
COUNT_SD_PCT = 0.408  # of a difference of two whole percents (facts 2.2)
BMS_SD_PCT = 1.0  # of what batteries say that a charge added, beside the rounding (facts 3.2)
LOST, LOST_SD = 0.05, 0.03  # of what a battery gives, more goes in: facts, 4.2 (carculator)
POWER_SD = 0.01  # of charging power integrated over polls of 60 to 300 s (facts F4)
COVERED = 0.8  # the least share of a session over which power must be known
EFFICIENCY = (0.75, 1.0)  # outside, wall and battery contradict each other


def charges(
    sessions: pl.DataFrame,
    swaps: pl.DataFrame,
    observations: pl.DataFrame,
    batteries: pl.DataFrame,
    known: pl.DataFrame,
    fixes: pl.DataFrame,
) -> pl.DataFrame:
    """Charges and swaps.

    Parameters
    ----------
    sessions, swaps, batteries, fixes : DataFrames of `SESSIONS`, `SWAPS`, `BATTERIES` and `FIXES`, each in its order
    observations : DataFrame with `provider` `vehicle` `at` `odometer_m`
    known : as for `energy.trips.energies`

    Returns
    -------
    DataFrame of `charges` by vehicle and start; `place`, `cost` and `currency` are null.

    Notes
    -----
    `energy_source` is `power` where `power_w` covers 80 % of the session, else `soc`, which is capacity times percent,
    and the 5 % that go in beyond what comes out; a session within one step of the percent has an interval and no value.
    A swap lies between its two times; it adds percent and no charged energy. An unreported rise of a vehicle whose
    packs are swapped may be a swap that nobody saw (`or_swap`): its energy is null, with an interval from 0. Other
    flags beside those of the sessions: `efficiency_odd`. `charge_id` follows from vehicle, kind, port, odometer and
    percent at the start.
    """
    charged = _energies(_metered(sessions, batteries), known)
    every = pl.concat([charged, _swapped(swaps)], how="diagonal")
    return _named(_placed(every, fixes), observations).sort(*WHO, "started_at", "kind", "port")


# ---- energy --------------------------------------------------------------------------------------------------------


def _metered(sessions: pl.DataFrame, batteries: pl.DataFrame) -> pl.DataFrame:
    """`power_wh`, `power_covered` and `peak_w` at the battery, `wall_wh` where the charger's power is known."""
    rows = sessions.with_columns(duration_s=seconds("started_at", "finished_at"))
    inside = integrals(rows, batteries, "power_w")
    wall = integrals(rows, batteries, "charger_power_w").select(
        *WHO, "started_at", wall_wh=pl.when(pl.col("power_covered") >= COVERED).then("power_wh")
    )
    return rows.join(inside, on=[*WHO, "started_at"], how="left").join(wall, on=[*WHO, "started_at"], how="left")


def _energies(rows: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    capacity = as_of(rows, "started_at", sure(known).drop("wh_per_km", "wh_per_km_sd", "percent_slope"))
    added = capacity.with_columns(soc_added_pct=pl.col("soc_finish_pct") - pl.col("soc_start_pct"))
    measured = (pl.col("power_covered") >= COVERED).fill_null(False)
    ends = zip(("energy_wh", "energy_low_wh", "energy_high_wh"), _by_power(), _by_soc(), strict=True)
    chosen = added.with_columns(pl.when(measured).then(power).otherwise(soc).alias(name) for name, power, soc in ends)
    source = pl.when(measured).then(pl.lit("power")).otherwise(pl.lit("soc"))
    return _rates(
        chosen.with_columns(pl.when(pl.col("energy_high_wh").is_not_null()).then(source).alias("energy_source"))
    )


def _by_power() -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """Value, low and high [Wh]: the integral of power; where it is not known, there was as much again, or nothing."""
    value = pl.col("power_wh")
    sd = ((POWER_SD * value) ** 2 + (value * (1 - pl.col("power_covered"))) ** 2 / 3).sqrt()
    return value, (value - 1.96 * sd).clip(0.0), value + 1.96 * sd


def _by_soc() -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """Value, low and high [Wh]: capacity times percent, and what is lost in the battery on the way in and out.

    No value within a step, nor where a swap is as likely.
    """
    percent_wh = pl.col("capacity_wh") / 100 * (1 + LOST)
    value = percent_wh * pl.col("soc_added_pct").clip(0.0)
    scale = pl.col("capacity_sd") ** 2 + LOST_SD**2
    half = 1.96 * ((COUNT_SD_PCT**2 + BMS_SD_PCT**2) * percent_wh**2 + scale * value**2).sqrt()
    sure = (value > 0) & ~pl.col("flags").list.contains("or_swap").fill_null(False)
    return pl.when(sure).then(value), pl.when(sure).then(value - half).otherwise(0 * value).clip(0.0), value + half


def _rates(rows: pl.DataFrame) -> pl.DataFrame:
    """Mean power, of a session whose window is its duration, and efficiency where wall and battery are both known."""
    placed = (pl.col("kind") == "charge") & (pl.col("duration_s") > 0)
    low, high = EFFICIENCY
    efficiency = pl.when(pl.col("wall_wh") > 0).then(pl.col("energy_wh") / pl.col("wall_wh"))
    odd = pl.when(~efficiency.is_between(low, high)).then(pl.lit("efficiency_odd"))
    mean = pl.when(placed).then(pl.col("energy_wh") * 3600 / pl.col("duration_s"))
    return rows.with_columns(mean.alias("mean_w"), efficiency.alias("efficiency"), odd.alias("odd"))


# ---- swaps, places, names ------------------------------------------------------------------------------------------


def _swapped(swaps: pl.DataFrame) -> pl.DataFrame:
    zero = [pl.lit(0.0).alias(name) for name in ("energy_wh", "energy_low_wh", "energy_high_wh")]
    return swaps.select(
        *WHO, "port", pl.lit("swap").alias("kind"), pl.col("since").alias("started_at"),
        pl.col("until").alias("finished_at"), pl.col("soc_before_pct").alias("soc_start_pct"),
        pl.col("soc_after_pct").alias("soc_finish_pct"),
        (pl.col("soc_after_pct") - pl.col("soc_before_pct")).alias("soc_added_pct"), *zero,
    )  # fmt: skip


def _placed(rows: pl.DataFrame, fixes: pl.DataFrame) -> pl.DataFrame:
    """The last position before a charge ended; one from before it began may be of another place."""
    told = fixes.select(*WHO, "lat_deg", "lon_deg", fixed_at="at").sort("fixed_at")
    found = rows.sort("finished_at").join_asof(
        told, left_on="finished_at", right_on="fixed_at", by=WHO, check_sortedness=False
    )
    late = pl.col("fixed_at") >= pl.col("started_at") - pl.duration(milliseconds=round(1000 * NEAR_S))
    return found.with_columns(pl.when(late).then(name).alias(name) for name in ("lat_deg", "lon_deg"))


def _named(rows: pl.DataFrame, observations: pl.DataFrame) -> pl.DataFrame:
    told = observations.drop_nulls("odometer_m").select(*WHO, "odometer_m", counted_at="at").sort("counted_at")
    known = rows.sort("started_at").join_asof(
        told, left_on="started_at", right_on="counted_at", by=WHO, check_sortedness=False
    )
    start = [pl.col(name).round().cast(pl.Int64) for name in ("odometer_m", "soc_start_pct")]
    counter = pl.concat_str(*escaped(*WHO), "kind", pl.col("port").fill_null(""), *start, separator="/")
    moment = pl.concat_str(*escaped(*WHO), "kind", pl.col("port").fill_null(""), separator="/") + pl.format(
        "@{}", pl.col("started_at").dt.epoch("ms")
    )
    name = pl.when(counter.is_first_distinct()).then(counter).otherwise(moment).fill_null(moment)
    flags = pl.concat_list(pl.col("flags").fill_null([]), "odd").list.drop_nulls().list.sort()
    some = pl.when(flags.list.len() > 0).then(flags)
    return shaped(known.with_columns(name.alias("charge_id"), some.alias("flags"), time="started_at"), "charges")
