"""Sums of a period: one frame of what adds up, by vehicle and local day, and every total and ratio made from it.

Sums of intervals are those of errors that are all alike: an upper bound. A sum of nothing is null and never 0.
"""

from collections.abc import Sequence

import polars as pl

from dashboards.reports.data import WHO, Data

ADDED = (
    "distance_m", "known_m", "driven_wh", "driven_low_wh", "driven_high_wh", "gross_wh", "gross_m", "standby_wh",
    "charged_wh", "trips", "driving_s", "odometer_m", "observed_m", "charges", "swaps", "priced", "cost", "co2_g",
)  # fmt: skip


def daily(data: Data) -> pl.DataFrame:
    """Return what adds up, by `provider`, `vehicle` and `day`: the columns of `ADDED`."""
    parts = [
        part.with_columns(pl.col(name).cast(pl.Float64) for name in part.collect_schema() if name in ADDED)
        for part in (_consumption(data), _coverage(data), _trips(data), _charges(data))
    ]
    return added_up(pl.concat(parts, how="diagonal").collect(), [*WHO, "day"])


def added_up(rows: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """Return the sums of `ADDED` for each group, in the order of the groups; one row where `by` is empty."""
    sums = [pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()).alias(name) for name in ADDED]
    return rows.group_by(by).agg(sums).sort(by) if by else rows.select(sums)


def totals(rows: pl.DataFrame, by: Sequence[str] = ()) -> pl.DataFrame:
    """Return sums for each group, and what follows from them.

    `wh_per_km` with its interval is of the metres whose energy is known, `gross_wh_per_km` of those for which it is
    known what was fed back. `observed_share` is the part of the odometer's metres that messages covered from start to
    end, `known_share` the part of the metres on trips whose energy is known.
    """
    per_km = {
        "wh_per_km": ("driven_wh", "known_m"),
        "wh_per_km_low": ("driven_low_wh", "known_m"),
        "wh_per_km_high": ("driven_high_wh", "known_m"),
        "gross_wh_per_km": ("gross_wh", "gross_m"),
    }
    shares = {
        "observed_share": ("observed_m", "odometer_m"),
        "known_share": ("known_m", "distance_m"),
        "gross_share": ("gross_m", "distance_m"),
        "priced_share": ("priced", "charges"),
    }
    return added_up(rows, by).with_columns(
        *(_ratio(above, below, 1000.0).alias(name) for name, (above, below) in per_km.items()),
        *(_ratio(above, below).clip(0.0, 1.0).alias(name) for name, (above, below) in shares.items()),
    )


def _ratio(above: str, below: str, scale: float = 1.0) -> pl.Expr:
    return pl.when(pl.col(below) > 0).then(pl.col(above) * scale / pl.col(below))


def _consumption(data: Data) -> pl.LazyFrame:
    known, gross = pl.col("driven_wh").is_not_null(), pl.col("wh_per_km_gross").is_not_null()
    plain = ("distance_m", "driven_wh", "driven_low_wh", "driven_high_wh", "standby_wh", "charged_wh", "trips")
    return data.days("consumption").select(
        *WHO, "day", *plain, "driving_s",
        pl.when(known).then("distance_m").otherwise(0.0).alias("known_m"),
        pl.when(gross).then("distance_m").otherwise(0.0).alias("gross_m"),
        (pl.col("wh_per_km_gross") * pl.col("distance_m") / 1000).alias("gross_wh"),
    )  # fmt: skip


def _coverage(data: Data) -> pl.LazyFrame:
    return data.days("coverage").select(*WHO, "day", "odometer_m")


def _trips(data: Data) -> pl.LazyFrame:
    trips = data.rows("trips").filter(pl.col("kind") == "observed")
    return trips.group_by(*WHO, "day").agg(pl.col("distance_m").sum().alias("observed_m"))


def _charges(data: Data) -> pl.LazyFrame:
    """Charges and swaps; CO2 is that of the energy at the wall, metered or by the efficiency of `tariffs`."""
    tariffs = data.settings.tariffs
    swap = pl.col("kind") == "swap"
    wall_wh = pl.coalesce("wall_wh", pl.col("energy_wh") / (tariffs.efficiency or 1.0))
    grams = pl.lit(None, pl.Float64) if tariffs.co2_g_per_kwh is None else wall_wh / 1000 * tariffs.co2_g_per_kwh
    return data.rows("charges").select(
        *WHO, "day",
        (~swap).cast(pl.Float64).alias("charges"),
        swap.cast(pl.Float64).alias("swaps"),
        (~swap & pl.col("cost").is_not_null()).cast(pl.Float64).alias("priced"),
        "cost",
        pl.when(~swap).then(grams).alias("co2_g"),
    )  # fmt: skip
