"""A sum that analyses state, with its 95 % interval, beside what it was in truth."""

import math

import msgspec
import polars as pl


class Sum(msgspec.Struct, frozen=True):
    """All but `true` are None where a part of it is not known."""

    value: float | None
    low: float | None
    high: float | None
    true: float

    def told(self, unit: str = "", scale: float = 1.0, digits: int = 2) -> str:
        """For people, in a unit that is so many of ours."""
        true = f"{self.true / scale:,.{digits}f} {unit}".rstrip()
        if self.value is None or self.low is None or self.high is None:
            return f"not known, in truth {true}"
        value, low, high = (f"{each / scale:,.{digits}f}" for each in (self.value, self.low, self.high))
        return f"{value} {unit}".rstrip() + f" ({low} to {high}), in truth {true}"


def alike(values: pl.Series, highs: pl.Series, true: float, moot: float = 0.0) -> Sum:
    """Of estimates and the upper ends of their intervals, as if all erred alike, which is surely wide enough.

    Estimates of one vehicle and of one model share an error that does not average out; how much of it, no table tells.
    One without a value lies anywhere from 0 to its upper end. So much of the sum is `moot`: perhaps it was nothing.
    """
    if highs.null_count():
        return Sum(None, None, None, true)
    value, half = float(values.sum()), float((highs - values).sum())
    doubtful = float(highs.filter(values.is_null()).sum())
    return Sum(value, max(0.0, value - moot - half), value + half + doubtful, true)


def bought(energy: Sum, cost: float, per_wh: float, charger_sd: float, true: float) -> Sum:
    """What energy cost at one price, where the efficiency of chargers errs, too: by so much, relative."""
    if energy.value is None or energy.low is None or energy.high is None:
        return Sum(None, None, None, true)
    charger_wh = 1.96 * charger_sd * energy.value
    below, above = (math.hypot(charger_wh, wide) for wide in (energy.value - energy.low, energy.high - energy.value))
    return Sum(cost, max(0.0, cost - per_wh * below), cost + per_wh * above, true)
