"""Mean time and distance between failures, by model, with exact intervals."""

import math
from collections.abc import Callable

import polars as pl

from analytics.steps import WHO
from logger.tables import shaped

_TAIL = 0.025  # on either side of a 95 % interval
CHECKS = {"mtbf_km": "ridden_km", "mtbf_h": "ridden_h"}


def exposures(readings: pl.DataFrame) -> pl.DataFrame:
    """What each vehicle rode while it was watched: `provider` `vehicle` `ridden_km` `ridden_h` `until`.

    By its counters, from first reading to last; null where it has no such counter.
    """
    return readings.group_by(WHO, maintain_order=True).agg(
        ((pl.col("way_m").max() - pl.col("way_m").min()) / 1000).alias("ridden_km"),
        ((pl.col("ride_s").max() - pl.col("ride_s").min()) / 3600).alias("ridden_h"),
        pl.col("at").max().alias("until"),
    )


def mtbf(episodes: pl.DataFrame, exposures: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Mean distance [km] and riding time [h] between faults of each model.

    Parameters
    ----------
    episodes : DataFrame of `episodes`; those of kind `fault` that began while a vehicle was watched are failures
    exposures : DataFrame of `exposures`
    known : DataFrame with `provider` `vehicle` `model`

    Returns
    -------
    DataFrame of `calibration` with the checks `mtbf_km` and `mtbf_h`; vehicle is `none`, `n` the failures.

    Notes
    -----
    T/n with the exact interval of a Poisson rate over a fixed exposure T, [2T/chi2(0.975, 2n+2), 2T/chi2(0.025, 2n)]
    (Garwood 1936, doi:10.2307/2333958). It takes failures as independent and their rate as constant, the same for all
    vehicles of a model. Without a failure (`answer` is `none_seen`) value and upper end are null. A model without the
    counter has no row.
    """
    models = exposures.join(known.select(*WHO, "model"), on=WHO).drop_nulls("model")
    faults = episodes.filter(pl.col("kind") == "fault").group_by(WHO).agg(pl.len().cast(pl.Int64).alias("n"))
    sums = models.join(faults, on=WHO, how="left").with_columns(pl.col("n").fill_null(0))
    rows = [_rows(sums.drop_nulls(column), check, column) for check, column in CHECKS.items()]
    return pl.concat(rows).sort("provider", "model", "check")


def _rows(vehicles: pl.DataFrame, check: str, column: str) -> pl.DataFrame:
    sums = vehicles.group_by("provider", "model").agg(pl.col(column, "n").sum(), pl.col("until").max())
    sums = sums.filter(pl.col(column) > 0)
    ends = [_interval(exposure, n) for exposure, n in sums.select(column, "n").iter_rows()]
    made = sums.with_columns(
        pl.Series("low", [low for low, _ in ends], pl.Float64),
        pl.Series("high", [high for _, high in ends], pl.Float64),
        time=pl.col("until"),
        vehicle=pl.lit("none"),
        check=pl.lit(check),
        answer=pl.when(pl.col("n") == 0).then(pl.lit("none_seen")).otherwise(pl.lit("estimate")),
        value=pl.when(pl.col("n") > 0).then(pl.col(column) / pl.col("n")),
    )
    return shaped(made, "calibration")


def _interval(exposure: float, n: int) -> tuple[float, float | None]:
    """Ends of the 95 % interval of the mean exposure between failures; the upper is None where none was seen."""
    most = _root(lambda mean: 1 - _at_most(n, mean) - (1 - _TAIL), n)
    if n == 0:
        return exposure / most, None
    least = _root(lambda mean: 1 - _at_most(n - 1, mean) - _TAIL, n)
    return exposure / most, exposure / least


def _at_most(n: int, mean: float) -> float:
    """How likely a Poisson count of this mean is at most `n`: the upper tail of chi-square with 2n+2 at twice it."""
    if mean == 0:
        return 1.0
    return math.fsum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(n + 1))


def _root(rising: Callable[[float], float], n: int) -> float:
    """Where this rising function of a mean is 0, by halving; the mean of either end of `n` failures lies below."""
    low, high = 0.0, 2.0 * n + 10.0
    for _ in range(60):  # halved so often, nothing is left of it
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return (low + high) / 2
