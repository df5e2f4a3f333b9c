"""How long after its time each question is asked, counted in bins for `/metrics`."""

from bisect import bisect_left
from itertools import accumulate
from typing import Any

_BOUNDS_S = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0)


class Lateness:
    """Counts by bin; one addition a question."""

    def __init__(self) -> None:
        self._counts = [0] * (len(_BOUNDS_S) + 1)
        self._sum_s = 0.0

    def add(self, seconds: float) -> None:
        """A question was asked so long after it was due [s]."""
        self._counts[bisect_left(_BOUNDS_S, seconds)] += 1
        self._sum_s += seconds

    def told(self) -> dict[str, Any]:
        """`bins`: pairs of an upper bound [s], as Prometheus writes it, and how many were at most so late; `sum_s`."""
        bounds = [*map(str, _BOUNDS_S), "+Inf"]
        return {"bins": list(zip(bounds, accumulate(self._counts), strict=True)), "sum_s": self._sum_s}
