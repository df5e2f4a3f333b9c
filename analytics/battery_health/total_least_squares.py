"""The slope of y over x where both err: weighted total least squares in batch.

Plett, Journal of Power Sources 196 (2011) 2319, doi 10.1016/j.jpowsour.2010.09.048. Minimised over Q is the sum of
(y - Q x)² / (Q² var(x) + var(y)), by Gauss and Newton from the ratio of sums. What y errs by follows from x and the
ratio of sums, never from the y of the pair itself: weights that know the measurement bias the slope by 10 to 20 %
(analytics facts, F6).
"""

from collections.abc import Sequence

import polars as pl

OUT_SD = 4.0  # standard deviations from the median slope at which a pair is left out
ENOUGH = 5  # pairs below which nobody can say which of them is wrong
USUAL = 4  # pairs that the usual error counts for: a few that agree by chance are not surer than that
_ROUNDS = 4
_Q, _X, _Y, _VX, _VY = (pl.col(name) for name in ("q", "x", "y", "x_var", "y_var"))


def slopes(rows: pl.DataFrame, by: Sequence[str], y_sd: float) -> pl.DataFrame:
    """The slope of each group.

    Parameters
    ----------
    rows : DataFrame with the columns `by`, `x` and `y` above 0, `x_var`, and `at`
    by : the columns that tell groups apart
    y_sd : relative standard deviation of y

    Returns
    -------
    DataFrame by `by`: `n` and `slope`, `slope_sd`, its relative standard error without what all pairs share, `x_sum`
    and `y_sum`, all of the pairs that count; `left_out`, when those were that do not, a list.

    Notes
    -----
    Pairs that lie more than four standard deviations from the median slope are left out, where there are five or more;
    a standard deviation is what pairs are said to err by, or what half of them do, whichever is more. The standard
    error follows from the variances, scaled by how far the pairs really lie from the slope.
    """
    ordered = rows.sort(*by, "at").with_columns(pl.struct(by).rle_id().alias("group"))
    weighed = ordered.with_columns((_Y / _X).median().over("group").alias("q"))
    kept = _without_outliers(weighed.with_columns(((y_sd * _Q * _X) ** 2).alias("y_var")))
    ratio = (_Y.filter(pl.col("kept")).sum() / _X.filter(pl.col("kept")).sum()).over("group")
    ready = kept.with_columns(q=ratio).with_columns(((y_sd * _Q * _X) ** 2).alias("y_var"))
    used = ready.filter("kept")
    for _ in range(_ROUNDS):
        used = used.with_columns((_Q + _step().over("group")).alias("q"))
    left = ready.filter(~pl.col("kept")).group_by("group").agg(left_out="at")
    names = ordered.unique("group", keep="first", maintain_order=True).select("group", *by)
    found = _sums(used).join(left, on="group", how="left", maintain_order="left")
    return names.join(found, on="group", maintain_order="left").drop("group")


def _without_outliers(rows: pl.DataFrame) -> pl.DataFrame:
    off = ((_Y - _Q * _X) / (_Q**2 * _VX + _VY).sqrt()).abs()
    usual = pl.max_horizontal(1.0, 1.4826 * off.median().over("group"))
    few = pl.len().over("group") < ENOUGH
    return rows.with_columns((few | (off <= OUT_SD * usual)).alias("kept"))


def _spread() -> pl.Expr:
    return _Q**2 * _VX + _VY


def _step() -> pl.Expr:
    """Of Gauss and Newton: half the derivative of the sum over the curvature."""
    slope = ((_Y - _Q * _X) * (_Q * _Y * _VX + _X * _VY) / _spread() ** 2).sum()
    return slope / (_X**2 / _spread()).sum()


def _sums(used: pl.DataFrame) -> pl.DataFrame:
    far = ((_Y - _Q * _X) ** 2 / _spread()).sum()
    true = pl.max_horizontal(_X**2 - _VX, _X**2 / 4)  # what x errs by makes its square too large
    sums = used.group_by("group", maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("n"), _Q.first().alias("slope"), _X.sum().alias("x_sum"), _Y.sum().alias("y_sum"),
        (true / _spread()).sum().alias("weight"), far.alias("far"),
    )  # fmt: skip
    scale = (pl.col("far") + USUAL) / (pl.col("n") - 1 + USUAL)
    sd = (scale / pl.col("weight")).sqrt() / pl.col("slope")
    return sums.with_columns(sd.alias("slope_sd")).drop("weight", "far")
