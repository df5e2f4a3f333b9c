"""A budget of calls, spread over its day or month: a bucket that fills at the pace at which the rest will last."""

import math
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal

_BURST_S = 60.0  # as much of the pace may be used at once
Period = Literal["day", "month"]


class CallBudget:
    """`calls` per `period`, 0 for no limit; `used` is what earlier runs used, by period. The wall says which."""

    def __init__(self, calls: int, period: Period, now: float, used: Mapping[str, int]) -> None:
        self.used: Counter[str] = Counter(used)
        self._calls, self._period = calls, period
        self._bucket, self._filled_at, self._pace_hz = 1.0, now, 0.0

    def refill(self, now: float, wall: datetime) -> None:
        """Time has passed."""
        if not self._calls:
            return
        left_s = max(1.0, (_period_end(wall, self._period) - wall).total_seconds())
        self._pace_hz = max(0, self._calls - self.used[self._key(wall)]) / left_s
        filled = self._bucket + max(0.0, now - self._filled_at) * self._pace_hz
        self._bucket, self._filled_at = min(filled, max(1.0, self._pace_hz * _BURST_S)), now

    def affords(self, wall: datetime) -> bool:
        """Whether a call may be made now."""
        return not self._calls or (self._bucket >= 1 and self.used[self._key(wall)] < self._calls)

    def book(self, wall: datetime, calls: int = 1) -> None:
        """So many calls were made."""
        self._bucket -= calls
        self.used[self._key(wall)] += calls

    def ready_at(self) -> float:
        """From when on a call can be afforded, as far as is known (monotonic) [s]."""
        if not self._calls:
            return -math.inf
        if not self._pace_hz:
            return math.inf
        return self._filled_at + (1 - self._bucket) / self._pace_hz

    def stretch(self, demand_hz: float) -> float:
        """By how much intervals must grow for this demand to fit, at least 1."""
        return max(1.0, demand_hz / self._pace_hz) if self._pace_hz else 1.0

    def _key(self, wall: datetime) -> str:
        return wall.astimezone(UTC).strftime("%Y-%m-%d" if self._period == "day" else "%Y-%m")


def _period_end(wall: datetime, period: Period) -> datetime:
    day = wall.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "day":
        return day + timedelta(days=1)
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
