"""A sum that the analyses estimate, with its 95 % interval and its true value."""

import math

import msgspec
import polars as pl


class EstimatedSum(msgspec.Struct, frozen=True):
    """An estimate, the ends of its interval, and the true value; all but `true` are None where a part is unknown."""

    value: float | None
    low: float | None
    high: float | None
    true: float

    def text(self, unit: str = "", scale: float = 1.0, digits: int = 2) -> str:
        """Return the sum for people, divided by `scale` and followed by the unit."""
        true = f"{self.true / scale:,.{digits}f} {unit}".rstrip()
        if self.value is None or self.low is None or self.high is None:
            return f"not known, in truth {true}"
        value, low, high = (f"{each / scale:,.{digits}f}" for each in (self.value, self.low, self.high))
        return f"{value} {unit}".rstrip() + f" ({low} to {high}), in truth {true}"


def sum_estimates(values: pl.Series, highs: pl.Series, true: float, uncertain: float = 0.0) -> EstimatedSum:
    """Add up estimates and the upper ends of their intervals, as if all errors were equal: an upper bound.

    Estimates of one vehicle and of one model share an error that does not average out, and no table states its size.
    An estimate without a value lies anywhere from 0 to its upper end. The part `uncertain` of the sum may be 0.
    """
    if highs.null_count():
        return EstimatedSum(None, None, None, true)
    value, half_width = float(values.sum()), float((highs - values).sum())
    without_value = float(highs.filter(values.is_null()).sum())
    return EstimatedSum(value, max(0.0, value - uncertain - half_width), value + half_width + without_value, true)


def energy_cost(energy: EstimatedSum, cost: float, per_wh: float, charger_sd: float, true: float) -> EstimatedSum:
    """Return the cost of energy at one price, where the chargers' efficiency has a relative error, too."""
    if energy.value is None or energy.low is None or energy.high is None:
        return EstimatedSum(None, None, None, true)
    charger_wh = 1.96 * charger_sd * energy.value
    below_wh, above_wh = (
        math.hypot(charger_wh, width) for width in (energy.value - energy.low, energy.high - energy.value)
    )
    return EstimatedSum(cost, max(0.0, cost - per_wh * below_wh), cost + per_wh * above_wh, true)
