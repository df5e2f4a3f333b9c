"""Stretches: what a vehicle's rides took while the same packs were in it, by UTC day.

A battery is known by many rides, and a pack that is swapped has no number. So what rides say of packs is kept as sums,
cut where days begin and where packs were swapped: sums that a late row changes for its own day alone, and of which
spells (`spells.py`) of any length are put together.
"""

import polars as pl

from analytics.frames import WHO
from analytics.observations.power import of_rides
from logger.tables import shaped

_SUMS = ("km", "blind_km", "drag", "rush", "used_pct", "tilted_pct")
_POLLED = ("polled_km", "polled_wh", "motor_km", "motor_wh")


def stretches(
    rides: pl.DataFrame, steps: pl.DataFrame, batteries: pl.DataFrame, packs: pl.DataFrame, swaps: pl.DataFrame
) -> pl.DataFrame:
    """Sums over rides by vehicle and the packs in it.

    Parameters
    ----------
    rides : DataFrame of `trips.trips` with the columns of `soc_used.used` and of `effort.ways`
    steps, batteries, packs, swaps : DataFrames of `intervals`, BATTERIES, PACKS and SWAPS

    Returns
    -------
    DataFrame of `stretches`, by vehicle and time, which is when the UTC day began or, where `swapped`, when a pack was
    changed in it; a stretch of which nothing is known has no row, unless it begins with a swap.

    - `ports` that told of a pack; the least and the most cycles among them when it began (`first_low`, `first_high`)
      and when it ended (`last_low`, `last_high`); null where nobody asked
    - over rides without a swap that used a known charge: `km` of those of which speeds tell how they were ridden, with
      their `drag` and `rush`, and `blind_km` of the others; `used_pct` [%], and `tilted_pct`, the same times how far
      above 50 % it was used, in halves. All such rides: to choose by what was measured would bias ratios (facts, 3.1)
    - over `observed` rides with a reading of power while they moved: `polled_km` and `polled_wh` by `power_w`,
      `motor_km` and `motor_wh` by `motor_power_w`, the sign as it comes

    A ride belongs to where its middle lies.
    """
    middle = pl.col("started_at") + (pl.col("finished_at") - pl.col("started_at")) / 2
    placed = _begun(rides.with_row_index("row").with_columns(middle.alias("at")), swaps)
    parts = [_changed(swaps), _cycles(_begun(packs.drop_nulls("pack_cycles"), swaps)), _used(placed)]
    parts += [
        _seen(placed, of_rides(rides, steps, batteries.select(*WHO, "at", used_w=power).drop_nulls("used_w")), name)
        for name, power in (("polled", -pl.col("power_w")), ("motor", pl.col("motor_power_w")))
    ]
    rows = pl.concat(parts, how="diagonal")
    names = ("swapped", "ports", "first_low", "first_high", "last_low", "last_high")
    told = rows.group_by(*WHO, "time").agg(pl.col(names).max(), pl.col(*_SUMS, *_POLLED).max().fill_null(0.0))
    return shaped(told.with_columns(pl.col("swapped").fill_null(False)).sort(*WHO, "time"), "stretches")


def _begun(rows: pl.DataFrame, swaps: pl.DataFrame) -> pl.DataFrame:
    """These rows with the `time` at which the stretch began that they lie in."""
    cuts = swaps.select(*WHO, pl.col("at").alias("swapped_at")).sort("swapped_at")
    told = rows.sort("at").join_asof(cuts, left_on="at", right_on="swapped_at", by=WHO, check_sortedness=False)
    return told.with_columns(pl.max_horizontal(pl.col("at").dt.truncate("1d"), "swapped_at").alias("time"))


def _changed(swaps: pl.DataFrame) -> pl.DataFrame:
    return swaps.select(*WHO, pl.col("at").alias("time")).with_columns(swapped=pl.lit(True))


def _cycles(packs: pl.DataFrame) -> pl.DataFrame:
    first, last = pl.col("pack_cycles").first(), pl.col("pack_cycles").last()
    ports = packs.group_by(*WHO, "time", "port", maintain_order=True).agg(first.alias("first"), last.alias("last"))
    ends = [getattr(pl.col(end), of)().alias(f"{end}_{name}") for end in ("first", "last") for of, name in _ENDS]
    return ports.group_by(*WHO, "time").agg(pl.len().alias("ports"), *ends)


_ENDS = (("min", "low"), ("max", "high"))


def _used(rides: pl.DataFrame) -> pl.DataFrame:
    sure = rides.drop_nulls("soc_used_pct").filter((pl.col("swaps") == 0) & (pl.col("distance_m") > 0))
    told = pl.col("drag").is_not_null()
    km = pl.col("distance_m") / 1000
    tilted = pl.col("soc_used_pct") * (pl.col("soc_mean_pct") - 50) / 50
    return sure.sort(*WHO, "at").group_by(*WHO, "time", maintain_order=True).agg(
        km.filter(told).sum().alias("km"),
        km.filter(~told).sum().alias("blind_km"),
        pl.col("drag", "rush").sum(),
        pl.col("soc_used_pct").sum().alias("used_pct"),
        tilted.sum().alias("tilted_pct"),
    )  # fmt: skip


def _seen(rides: pl.DataFrame, told: pl.DataFrame, name: str) -> pl.DataFrame:
    both = rides.join(told.select("row", "wh"), on="row").sort(*WHO, "at")
    km, wh = (pl.col("distance_m") / 1000).sum().alias(f"{name}_km"), pl.col("wh").sum().alias(f"{name}_wh")
    return both.group_by(*WHO, "time", maintain_order=True).agg(km, wh)
