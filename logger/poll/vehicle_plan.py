"""A plan of calls by vehicle and month, as vendors sell it: what a query costs, and for which vehicle none is left."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime


class VehiclePlan:
    """`calls` for each vehicle and month (of UTC), 0 for no limit; `used` counts them, and is counted up here.

    `costs` are the calls that a query costs, where it is not one.
    """

    def __init__(self, calls: int, costs: Mapping[str, int], used: Counter[str]) -> None:
        self.calls = calls
        self._costs, self._used = costs, used

    def cost(self, query: str) -> int:
        """How many calls this query costs."""
        return self._costs.get(query, 1)

    def is_spent(self, vehicle: str, query: str, wall: datetime) -> bool:
        """Whether this query would go beyond what is left for this vehicle in this month."""
        return bool(self.calls) and self._used[_key(vehicle, wall)] + self.cost(query) > self.calls

    def count(self, vehicle: str, query: str, wall: datetime) -> int:
        """Count this query, and return what it costs."""
        if self.calls:
            self._used[_key(vehicle, wall)] += self.cost(query)
        return self.cost(query)


def _key(vehicle: str, wall: datetime) -> str:
    return f"{wall.astimezone(UTC):%Y-%m} {vehicle}"
