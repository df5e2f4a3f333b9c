"""What trips took of a kilometre, as a ratio of sums; and how sure that is, which only their number and length tell.

The variance of a trip is taken in proportion to its length: a weight that knew the measurement would bias every figure
by 10 to 20 % (analytics facts, F6, F7).
"""

import polars as pl

KM_CV = 0.5  # of the percents that one kilometre takes, relative: 25 % of a trip of four
POLLED_CV = 0.85  # of the energy of one kilometre, of which a reading of power a minute tells: analytics facts, F4
_AS_MANY = 5  # trips that these count for: a few that agree by chance are not all
Z = 1.96


def ratio_sums(y: pl.Expr, x: pl.Expr, name: str) -> list[pl.Expr]:
    """Over trips with an `x` above 0: `…_y` and `…_x`, the sums, `…_yy`, that of y²/x, and `…_n`, their number."""
    known = y.is_not_null() & (x > 0)
    return [
        x.filter(known).sum().alias(f"{name}_x"),
        y.filter(known).sum().alias(f"{name}_y"),
        (y**2 / x).filter(known).sum().alias(f"{name}_yy"),
        known.sum().cast(pl.Int64).alias(f"{name}_n"),
    ]


def spread_of_unit(name: str, usual: float) -> pl.Expr:
    """Relative standard deviation of what one unit of x takes, by sums of `ratio_sums`; the usual where there are few.

    Trips of the same ratio differ by it over the root of their x.
    """
    x, y, n = (pl.col(f"{name}_{part}") for part in ("x", "y", "n"))
    squares = (pl.col(f"{name}_yy") * (x / y) ** 2 - x).clip(0.0)
    known = pl.when((x > 0) & (y != 0)).then(squares).otherwise(0.0)
    return ((known + _AS_MANY * usual**2) / ((n - 1).clip(0) + _AS_MANY)).sqrt()


def interval(value: pl.Expr, sd: pl.Expr, name: str) -> list[pl.Expr]:
    """A figure with the ends of its 95 % interval, of its relative standard error; nothing is below 0."""
    return [
        value.alias(name),
        (value * (1 - Z * sd)).clip(0.0).alias(_end(name, "low")),
        (value * (1 + Z * sd)).alias(_end(name, "high")),
    ]


def relative_sd(name: str) -> pl.Expr:
    """The relative standard error of a figure, by the upper end of its interval."""
    return (pl.col(_end(name, "high")) / pl.col(name) - 1) / Z


def t_quantile(degrees: int) -> float:
    """Of 97.5 %, by the expansion of Fisher and Cornish in 1 / degrees: right to 1 % from four degrees on."""
    z = Z
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / degrees + second / degrees**2 + third / degrees**3


def _end(name: str, side: str) -> str:
    """The name of an end of this interval: `capacity_low_wh`, `km_per_pct_low`."""
    stem, _, unit = name.rpartition("_")
    return f"{stem}_{side}_{unit}" if stem and "_per_" not in name else f"{name}_{side}"
