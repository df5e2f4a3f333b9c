"""What a battery has kept of what it held at first, by months of one method: what they err by alike cancels.

A line and a wave of a year are fitted by least squares; where years are known, one fit to the first of them and one to
the last, since wear does not go on as it began. The wave is what the season adds: a battery holds up to 3 % more in
summer (analytics facts, 3.7), and three months of winter are no reference.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from analytics.battery_health.ratios import Z, t_quantile

FIRST = 3  # months that are what a battery held when it was first seen
LEAST_YEARS, MOST_YEARS = 1.5, 2.0  # of months that are fitted together: by fewer, nobody tells wear from the season
LEAST_SD = 0.005  # relative: nobody tells a battery better
_TERMS = 4
Points = Sequence[tuple[float, float]]
Floats = list[float]


class Share(NamedTuple):
    """What is left of what it held at first, and the standard error, as wide as the number of months makes it."""

    value: float
    sd: float


class _Fit(NamedTuple):
    figures: Floats
    covariances: list[Floats]

    def level(self, at: Floats) -> float:
        return _dot(at, self.figures)

    def variance(self, at: Floats) -> float:
        return _dot(at, [_dot(line, at) for line in self.covariances])


def share_left(points: Points) -> Share | None:
    """The share that is left at the last of these points, of the middle of the first three.

    Parameters
    ----------
    points : when [years] and what it held [Wh], in order of time

    Returns
    -------
    None where the points last for less than a year and a half, or are too few to tell it from the season.
    """
    begin, end = points[0][0], points[-1][0]
    parted = end - begin >= 2 * LEAST_YEARS
    years = min(MOST_YEARS, (end - begin) / 2) if parted else end - begin
    early, late = ([point for point in points if abs(point[0] - edge) <= years] for edge in (begin, end))
    if years < LEAST_YEARS or min(len(early), len(late)) < 2 * _TERMS:
        return None
    at_first = _line(math.fsum(year for year, _ in points[:FIRST]) / FIRST)
    first, last = _fit(early), _fit(late)
    share = last.level(_line(end)) / first.level(at_first)
    if parted:
        variance = last.variance(_line(end)) + share**2 * first.variance(at_first)
    else:
        variance = last.variance([a - share * b for a, b in zip(_line(end), at_first, strict=True)])
    return Share(share, math.hypot(math.sqrt(variance) / first.level(at_first), LEAST_SD))


def _fit(points: Points) -> _Fit:
    """Least squares; covariances are as wide as the number of points makes them."""
    rows = [[*_line(year)[:2], math.cos(2 * math.pi * year), math.sin(2 * math.pi * year)] for year, _ in points]
    columns = list(zip(*rows, strict=True))
    inverse = _inverse([[_dot(one, other) for other in columns] for one in columns])
    wh = [each for _, each in points]
    figures = [_dot(line, [_dot(column, wh) for column in columns]) for line in inverse]
    free = len(points) - _TERMS
    errors = [value - _dot(row, figures) for row, value in zip(rows, wh, strict=True)]
    wide = _dot(errors, errors) / free * (t_quantile(free) / Z) ** 2
    return _Fit(figures, [[wide * value for value in line] for line in inverse])


def _line(year: float) -> Floats:
    """What each figure counts for in a year's middle: level, slope, and nothing of the wave."""
    return [1.0, year, 0.0, 0.0]


def _dot(one: Sequence[float], other: Sequence[float]) -> float:
    return math.fsum(a * b for a, b in zip(one, other, strict=True))


def _inverse(matrix: list[Floats]) -> list[Floats]:
    """Of a matrix of sums of squares, by Gauss and Jordan."""
    size = len(matrix)
    rows = [[*line, *(float(i == j) for j in range(size))] for i, line in enumerate(matrix)]
    for i in range(size):
        rows[i] = [value / rows[i][i] for value in rows[i]]
        rows = [
            line if j == i else [a - line[i] * b for a, b in zip(line, rows[i], strict=True)]
            for j, line in enumerate(rows)
        ]
    return [line[size:] for line in rows]
