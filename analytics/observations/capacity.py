"""What a percent and a kilometre of each vehicle are worth, with the usual where nobody says."""

import polars as pl

from analytics.frames import WHO

CAPACITY_SD = 0.12  # relative standard error of a data sheet's capacity, common to all rides on a pack
USE_SD = 0.15  # ... of a configured Wh/km, common to all rides of a model


def sure(known: pl.DataFrame) -> pl.DataFrame:
    """What `calibration.calibrated` tells, with the usual where it is silent."""
    usual = {"capacity_sd": CAPACITY_SD, "wh_per_km_sd": USE_SD, "percent_slope": 0.0}
    missing = [pl.lit(None, pl.Float64()).alias(name) for name in ("wh_per_km", *usual) if name not in known.columns]
    told = known.with_columns(missing).select(pl.col(*WHO, "^since$", "capacity_wh", "wh_per_km", *usual))
    return told.with_columns(pl.col(name).fill_null(value) for name, value in usual.items())
