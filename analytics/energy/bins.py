"""Consumption by temperature, speed, hour and place: sums of whole trips, so that every ratio is one of sums."""

from collections.abc import Mapping

import msgspec
import polars as pl

from analytics.energy.trips import lower_end
from analytics.frames import WHO, localised, with_day, with_midnight
from logger.tables import shaped, table

_Z = 1.96
_STEP = 5  # degC and km/h; analytics facts, 2.3
_SURE = ("observed", "bridged")  # of others nobody saw when they were, and so how warm, how fast and whence
_KEY = table("consumption_by").key


class Bins(msgspec.Struct, frozen=True):
    """Of each trip the `name` of its bin, null where that is not known, and where the bin begins."""

    name: pl.Expr
    start: pl.Expr


def _in_steps(value: pl.Expr) -> Bins:
    start = (value / _STEP).floor().cast(pl.Int64) * _STEP
    return Bins(pl.format("{}..{}", start, start + _STEP), start)


_HOUR = pl.col("local").dt.hour()
BINS: Mapping[str, Bins] = {
    "temperature": _in_steps(pl.col("ambient_c")),
    "speed": _in_steps(pl.col("mean_speed_kmh")),
    "hour": Bins(_HOUR.cast(pl.String()).str.zfill(2), _HOUR),
    "place": Bins(pl.col("start_place"), pl.lit(None)),
}


def bins(trips: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Sums of trips by vehicle, local day of the start, and what the trips have in common.

    Parameters
    ----------
    trips : DataFrame with `provider` `vehicle` `kind` `started_at` `distance_m` [m] `mean_speed_kmh` [km/h] `ambient_c`
        [degC] `start_place` and the columns of `energy.trips.energies` [Wh]
    known : DataFrame with `provider` `vehicle` `timezone` (null: UTC)

    Returns
    -------
    DataFrame of `consumption_by`, by its key. A trip belongs whole to one bin of each `by`, or to none where that is
    not known; trips that are `inferred`, or of unknown energy or way, are left out. The interval is that of the energy
    that was used: what trips share of their error does not average out. Null where a vendor's own figure has none.

    Notes
    -----
    Columns of sums are added up over rows of any days, vehicles and neighbouring bins: with n trips, their way d [km]
    and energy e [Wh], the consumption is R = sum e / sum d, never a mean of ratios. How sure that is for rides of this
    kind, the delta method tells by the sums of squares and products:
    var R = (sum e² - 2 R sum e d + R² sum d²) / (sum d)² n / (n - 1). A figure of fewer than 20 trips, or with a half
    width 1.96 sqrt(var R) of more than a tenth of R, is best not shown (analytics facts, 2.3).
    """
    sure = trips.filter(pl.col("kind").is_in(_SURE) & (pl.col("distance_m") > 0)).drop_nulls("energy_wh")
    days = with_midnight(with_day(sure, known, "started_at"), "time")
    rides = localised(days, "started_at").sort(*WHO, "started_at")
    told = pl.concat([_name_bins(rides, by) for by in BINS]).drop_nulls("bin")
    sums = told.group_by(_KEY, maintain_order=True).agg(pl.col("day", "bin_start").first(), *_sums())
    return shaped(sums, "consumption_by").sort(_KEY)


def _name_bins(rides: pl.DataFrame, by: str) -> pl.DataFrame:
    """These trips with `by`, `bin` and `bin_start`."""
    of = BINS[by]
    start = of.start.cast(pl.Float64())
    return rides.with_columns(pl.lit(by).alias("by"), of.name.cast(pl.String()).alias("bin"), start.alias("bin_start"))


def _sums() -> list[pl.Expr]:
    km, wh = pl.col("distance_m") / 1000, pl.col("energy_wh")
    sd = ((pl.col("own_sd_wh") ** 2).sum() + pl.col("common_sd_wh").sum() ** 2).sqrt()
    sure = pl.when(pl.col("own_sd_wh").is_not_null().all())
    made = {
        "trips": pl.len(),
        "distance_m": pl.col("distance_m").sum(),
        "energy_wh": wh.sum(),
        "energy_low_wh": sure.then(lower_end(wh.sum(), _Z * sd)),
        "energy_high_wh": sure.then(wh.sum() + _Z * sd),
        "distance_km2": (km * km).sum(),
        "energy_wh_km": (wh * km).sum(),
        "energy_wh2": (wh * wh).sum(),
    }
    return [each.alias(name) for name, each in made.items()]
