"""How deep a pack's cycles were: rainflow counting of its percents (ASTM E1049-85, section 5.4.4)."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

HYSTERESIS_PCT = 2.0  # a smaller change is a step of the percent that came and went
DEPTHS_PCT = (20, 40, 60, 80, 100)
COLUMNS = tuple(f"depth_{depth}_cycles" for depth in DEPTHS_PCT)


def depth_cycles(percents: Sequence[float]) -> list[float]:
    """How many cycles were up to 20, 40, 60, 80 and 100 % deep, of these percents in the order of time.

    A cycle that does not close counts as a half.
    """
    counts = [0.0] * len(DEPTHS_PCT)
    for depth, count in cycles(turning_points(percents)):
        place = next((k for k, most in enumerate(DEPTHS_PCT) if depth <= most), len(DEPTHS_PCT) - 1)
        counts[place] += count
    return counts


def turning_points(percents: Sequence[float]) -> list[float]:
    """Where the percent turned by 2 % or more, with the first and the last."""
    points: list[float] = []
    for value in percents:
        if len(points) >= 2 and (points[-1] - points[-2]) * (value - points[-1]) >= 0:
            points[-1] = value
        elif not points or abs(value - points[-1]) >= HYSTERESIS_PCT:
            points.append(value)
    return points


def cycles(points: Sequence[float]) -> Iterator[tuple[float, float]]:
    """Depths and counts, one or a half, of turning points: half of all that they go up and down is their sum."""
    rest: list[float] = []
    for point in points:
        rest.append(point)
        while len(rest) >= 3 and abs(rest[-2] - rest[-3]) <= abs(rest[-1] - rest[-2]):
            depth = abs(rest[-2] - rest[-3])
            if len(rest) == 3:
                yield depth, 0.5
                del rest[0]
            else:
                yield depth, 1.0
                del rest[-3:-1]
    yield from ((abs(after - before), 0.5) for before, after in pairwise(rest))
