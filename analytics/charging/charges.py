"""Rows of `charges`: sessions and swaps with what they added, how sure that is, and where they were.

Energy is that at the battery's terminals, positive when added.
"""

import polars as pl

from analytics.charging.added import added
from analytics.charging.energies import energies, metered
from analytics.frames import WHO, escaped
from analytics.observations.charge_power import measured_power
from analytics.observations.soc import resolutions
from logger.tables import shaped

NEAR_S = 600.0  # a position from so long before a charge is of its place
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
    observations : DataFrame with `provider` `vehicle` `at` `odometer_m` `soc_pct` `charging` `way_m` `charge_added_wh`
    known : as for `energy.trips.energies`

    Returns
    -------
    DataFrame of `charges` by vehicle and start; `place`, `cost` and `currency` are null.

    Notes
    -----
    Energies are those of `charging.energies`, by counter, power, content or percent.
    A swap lies between its two times; it adds percent and no charged energy. An unreported rise of a vehicle whose
    packs are swapped may be a swap that nobody saw (`or_swap`): its energy is null, with an interval from 0. Other
    flags beside those of the sessions: `efficiency_odd`, `power_sign`, and why no energy is known: `no_percent`,
    `no_capacity`.
    `charge_id` follows from vehicle, kind, port, odometer and percent at the start.
    """
    stepped = sessions.join(resolutions(observations), on=WHO, how="left", maintain_order="left")
    powers = measured_power(batteries, observations)
    charged = _rates(energies(metered(stepped, powers, added(sessions, observations), observations), known))
    every = pl.concat([charged, _swapped(swaps)], how="diagonal")
    return _named(_placed(every, fixes), observations).sort(*WHO, "started_at", "kind", "port")


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
    flags = pl.concat_list(pl.col("flags").fill_null([]), "odd", "reason", "sign").list.drop_nulls().list.sort()
    some = pl.when(flags.list.len() > 0).then(flags)
    return shaped(known.with_columns(name.alias("charge_id"), some.alias("flags"), time="started_at"), "charges")
