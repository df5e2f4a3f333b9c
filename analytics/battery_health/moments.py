"""Points (x, y), and figures of them by their sums alone: mean, ratio of sums, line; each with its standard error."""

import math
from collections.abc import Mapping

import msgspec
import polars as pl

from analytics.frames import WHO
from logger.tables import TIME

_T, _N = pl.String(), pl.Float64()
POINTS = pl.Schema({"provider": _T, "vehicle": _T, "at": TIME, "check": _T, "x": _N, "y": _N})
_SUMS = ("n", "sum_x", "sum_y", "sum_xx", "sum_xy", "sum_yy")


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


def point(rows: pl.DataFrame, check: str | pl.Expr, x: pl.Expr, y: pl.Expr, at: str = "at") -> pl.DataFrame:
    """A point of each of these rows, as `POINTS`."""
    name = pl.lit(check) if isinstance(check, str) else check
    told = rows.select(*WHO, pl.col(at).alias("at"), name.alias("check"), x.alias("x"), y.alias("y"))
    return told.select(POINTS.names()).cast(POINTS)


def pooled(evidence: pl.DataFrame, *by: str) -> Mapping[tuple[str, ...], Mapping[str, Moments]]:
    """Sums of rows of `evidence` by these columns, and then by check; rows of which one is null are left out.

    They are added up in the order of the rows, which changes the last digits.
    """
    rows = evidence.drop_nulls(by)
    sums = rows.group_by(*by, "check", maintain_order=True).agg(pl.col(_SUMS).sum()).sort(*by, "check")
    found: dict[tuple[str, ...], dict[str, Moments]] = {}
    for row in sums.iter_rows():
        of, check, told = row[: len(by)], row[len(by)], row[len(by) + 1 :]
        found.setdefault(of, {})[check] = Moments(*told)
    return found
