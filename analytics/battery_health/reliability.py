"""Mean time and distance between failures, by model, with exact intervals."""

import math
from collections.abc import Callable
from typing import Any

import polars as pl

from analytics.battery_health.calibration import CHECKS, answered
from analytics.battery_health.pooling import MODEL
from analytics.frames import WHO

_TAIL, _Z = 0.025, 1.959964  # on either side of a 95 % interval
MANY = 100  # failures of which a formula tells the interval to five digits
EXPOSURES = {"mtbf_km": pl.col("distance_m").sum() / 1000, "mtbf_h": pl.col("riding_s").sum() / 3600}


def mtbf(trips: pl.DataFrame, episodes: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Mean distance [km] and riding time [h] between faults of each model.

    Parameters
    ----------
    trips : DataFrame with `provider` `vehicle` `distance_m` `riding_s`, of what was ridden while watched
    episodes : DataFrame of `episodes` of that time; those of kind `fault` are failures
    known : DataFrame with `provider` `vehicle` `model`

    Returns
    -------
    DataFrame of `CHECKS` with the checks `mtbf_km` and `mtbf_h`; `n` counts failures, `time` is null.

    Notes
    -----
    T/n with the exact interval of a Poisson rate over a fixed exposure T, [2T/chi2(0.975, 2n+2), 2T/chi2(0.025, 2n)]
    (Garwood 1936, doi:10.2307/2333958). It takes failures as independent and their rate as constant, the same for all
    vehicles of a model. Without a failure (`answer` is `none_seen`) value and upper end are null. A model that was not
    ridden has no row.
    """
    models = known.select(*WHO, "model").drop_nulls("model")
    faults = episodes.filter(pl.col("kind") == "fault").join(models, on=WHO).group_by(MODEL).len("faults")
    exposed = [of.alias(name) for name, of in EXPOSURES.items()]
    ridden = trips.join(models, on=WHO, maintain_order="left").group_by(MODEL, maintain_order=True).agg(exposed)
    told = ridden.join(faults, on=MODEL, how="left").sort(MODEL)
    rows = [
        {"provider": row["provider"], **_row(row["model"], name, row[name], row["faults"] or 0)}
        for row in told.iter_rows(named=True)
        for name in EXPOSURES
        if row[name] > 0
    ]
    return pl.DataFrame(rows, schema=CHECKS)


def _row(model: str, check: str, exposure: float, n: int) -> dict[str, Any]:
    low, high = _interval(exposure, n)
    value = exposure / n if n else None
    return answered(model, check, "estimate" if n else "none_seen", (value, low, high), n)


def _interval(exposure: float, n: int) -> tuple[float, float | None]:
    """Ends of the 95 % interval of the mean exposure between failures; the upper is None where none was seen."""
    if n > MANY:
        return exposure / _half_chi2(n + 1, _Z), exposure / _half_chi2(n, -_Z)
    most = _root(lambda mean: 1 - _at_most(n, mean) - (1 - _TAIL), n)
    if n == 0:
        return exposure / most, None
    least = _root(lambda mean: 1 - _at_most(n - 1, mean) - _TAIL, n)
    return exposure / most, exposure / least


def _half_chi2(half: int, z: float) -> float:
    """Half of the quantile of chi-square of 2 `half`, by Wilson and Hilferty 1931, doi:10.1073/pnas.17.12.684."""
    ninth = 1 / (9 * half)
    return half * (1 - ninth + z * math.sqrt(ninth)) ** 3


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
