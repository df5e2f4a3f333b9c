"""Figures of points (x, y) by their sums alone: mean, ratio of sums, line; each with its standard error."""

import math

import msgspec
import polars as pl


class Line(msgspec.Struct, frozen=True):
    """y = middle + slope x, by least squares."""

    slope: float
    slope_sd: float
    middle: float


class Moments(msgspec.Struct, frozen=True):
    """The count of points, and the sums of x, y and their products."""

    n: int = 0
    x: float = 0.0
    y: float = 0.0
    xx: float = 0.0
    xy: float = 0.0
    yy: float = 0.0

    @classmethod
    def of(cls, rows: pl.DataFrame, x: str, y: str) -> "Moments":
        """Of these two columns, without rows in which one is null, in the order of rows: sums of floats have one."""
        told = rows.select(pl.col(x).alias("x"), pl.col(y).alias("y")).drop_nulls()
        return cls(told.height, *told.select(sums()).row(0))

    def mean(self) -> tuple[float, float]:
        """Of y, and its standard error; 0 and infinite of fewer than two points."""
        if self.n < 2:
            return 0.0, math.inf
        mean = self.y / self.n
        return mean, math.sqrt(max(0.0, self.yy - self.n * mean * mean) / (self.n - 1) / self.n)

    def ratio(self) -> tuple[float | None, float | None]:
        """Of the sum of y to that of x, and its standard error by the delta method; None where there is none."""
        if self.n < 2 or self.x <= 0:
            return None, None
        ratio = self.y / self.x
        squares = max(0.0, self.yy - 2 * ratio * self.xy + ratio * ratio * self.xx)
        return ratio, math.sqrt(squares * self.n / (self.n - 1)) / self.x

    def line(self) -> Line | None:
        """Through the points; None where they do not tell one."""
        if self.n < 3:
            return None
        spread = self.xx - self.x * self.x / self.n
        if spread <= 1e-9 * self.xx:
            return None
        together, above = self.xy - self.x * self.y / self.n, self.yy - self.y * self.y / self.n
        slope = together / spread
        rest = max(0.0, above - slope * together) / (self.n - 2)
        return Line(slope, math.sqrt(rest / spread), (self.y - slope * self.x) / self.n)


def sums() -> list[pl.Expr]:
    """The sums of columns x and y and of their products."""
    x, y = pl.col("x"), pl.col("y")
    named = {"x": x, "y": y, "xx": x * x, "xy": x * y, "yy": y * y}
    return [each.sum().alias(f"sum_{name}") for name, each in named.items()]


def line_of_two(points: pl.DataFrame) -> tuple[float, float, float] | None:
    """a and b of y = a one + b two by weighted least squares, and the standard error of b; None where none follows.

    Parameters
    ----------
    points : DataFrame `weight` `one` `two` `y`
    """
    weight, one, two, y = (pl.col(name) for name in ("weight", "one", "two", "y"))
    pairs = ((one, one), (one, two), (two, two), (one, y), (two, y), (y, y))
    row = points.select((weight * a * b).sum().alias(f"{place}") for place, (a, b) in enumerate(pairs)).row(0)
    both, cross, twos, with_one, with_two, whole = row
    inverse = both * twos - cross * cross
    if points.height < 3 or inverse <= 1e-9 * both * twos:
        return None
    a, b = (with_one * twos - with_two * cross) / inverse, (with_two * both - with_one * cross) / inverse
    rest = max(0.0, whole - a * with_one - b * with_two) / (points.height - 2)
    return a, b, math.sqrt(rest * both / inverse)
