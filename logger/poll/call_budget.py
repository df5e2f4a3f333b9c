"""A budget of calls, spread over its day or month: a token bucket filled at the rate at which the rest will last."""

import math
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Literal

_BURST_S = 60.0  # so much of the rate may be used at once
Period = Literal["day", "month"]


class CallBudget:
    """`calls` per `period`, 0 for no limit; `used` counts the calls made, by period, and is counted up here.

    `now` is monotonic [s], `wall` the time of day that tells the period.
    """

    def __init__(self, calls: int, period: Period, now: float, used: Counter[str]) -> None:
        self.used = used
        self._calls, self._period = calls, period
        self._bucket, self._filled_at, self._rate_hz = 1.0, now, 0.0

    def raise_by(self, calls: int) -> None:
        """Allow so many calls more in each period."""
        self._calls += calls

    def refill(self, now: float, wall: datetime) -> None:
        """Fill the bucket for the time that has passed."""
        if not self._calls:
            return
        left_s = max(1.0, (_period_end(wall, self._period) - wall).total_seconds())
        self._rate_hz = max(0, self._calls - self.used[self._key(wall)]) / left_s
        filled = self._bucket + max(0.0, now - self._filled_at) * self._rate_hz
        self._bucket, self._filled_at = min(filled, max(1.0, self._rate_hz * _BURST_S)), now

    def allows(self, wall: datetime) -> bool:
        """Whether a call may be made now."""
        return not self._calls or (self._bucket >= 1 and not self.is_used_up(wall))

    def is_used_up(self, wall: datetime) -> bool:
        """Whether no call is left in this period."""
        return bool(self._calls) and self.used[self._key(wall)] >= self._calls

    def count(self, wall: datetime, calls: int = 1) -> None:
        """Count calls that were made."""
        self._bucket -= calls
        self.used[self._key(wall)] += calls

    def ready_at(self) -> float:
        """From when on a call may be made, as far as is known (monotonic) [s]."""
        if not self._calls:
            return -math.inf
        if not self._rate_hz:
            return math.inf
        return self._filled_at + (1 - self._bucket) / self._rate_hz

    def stretch(self, demand_hz: float) -> float:
        """The factor by which intervals must grow for this demand to fit, at least 1."""
        return max(1.0, demand_hz / self._rate_hz) if self._rate_hz else 1.0

    def _key(self, wall: datetime) -> str:
        return wall.astimezone(UTC).strftime("%Y-%m-%d" if self._period == "day" else "%Y-%m")


def _period_end(wall: datetime, period: Period) -> datetime:
    day = wall.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "day":
        return day + timedelta(days=1)
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
