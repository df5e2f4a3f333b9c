"""Even ways: what a ride would be long if it took a usual kilometre's charge for each of its own.

A fast and unsteady kilometre takes more. A model's own rides tell how much, by least squares: facts, 2.3, of which this
is the part that pushes tell (no altitude, no temperature, no wind, no rider).

    percents used = km * a + drag * b + rush * c

Packs differ in what a percent of them holds. That changes a, b and c alike, and only their ratios count.
"""

import math
from collections.abc import Sequence

import polars as pl

from analytics.consumption import sure
from analytics.steps import WHO, as_of

APART_S = 15.0  # readings of speed further apart tell nothing of what was between
COVERED = 0.5  # of a way that must be told
RIDES = 100  # that tell a model
USUAL_KMH = 30.0
_X = ("km", "drag", "rush")
_XX = (("km", "km"), ("km", "drag"), ("km", "rush"), ("drag", "drag"), ("drag", "rush"), ("rush", "rush"))
EFFORTS = pl.Schema(
    {"provider": pl.String(), "model": pl.String(), "rides": pl.Int64(), **dict.fromkeys(_X, pl.Float64())}
)


def ways(steps: pl.DataFrame, trips: pl.DataFrame) -> pl.DataFrame:
    """How trips were ridden.

    Parameters
    ----------
    steps : DataFrame of `intervals`
    trips : DataFrame of `trips.trips`

    Returns
    -------
    DataFrame in the order of `trips`: `drag`, kilometres times the square of their speed in 30 km/h, and `rush`, the
    sum of what that square rose by, both for the whole way; null where speeds tell of less than half of it.
    """
    speed = pl.col("speed_kmh") / USUAL_KMH
    was = speed.shift(1).over(WHO)
    near = (pl.col("dt_s") <= APART_S) & speed.is_not_null() & was.is_not_null()
    told = steps.with_columns(
        (pl.col("d_m") / 1000 * (speed**2 + speed * was + was**2) / 3).alias("drag"),
        (speed**2 - was**2).clip(0.0).alias("rush"),
        near.fill_null(False).alias("near"),
    ).filter(pl.col("ride").is_not_null() & pl.col("near"))  # fmt: skip
    sums = told.group_by("ride").agg(pl.col("drag", "rush").sum(), pl.col("d_m").sum().alias("told_m"))
    rows = trips.select("ride", "distance_m").join(sums, on="ride", how="left", maintain_order="left")
    enough = pl.when(pl.col("told_m") >= (COVERED * pl.col("distance_m")).clip(1.0))
    return rows.select(enough.then(pl.col(name) * pl.col("distance_m") / pl.col("told_m")) for name in ("drag", "rush"))


def sums(trips: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """What `efforts` needs of vehicles.

    Parameters
    ----------
    trips : DataFrame of `trips.trips` with the columns of `ways` and of `soc_used.used`
    known : DataFrame of `calibration.calibrated`; of it only `percent_slope`

    Returns
    -------
    DataFrame `provider` `vehicle` `rides` and sums over trips without a swap of which all is known: of each of `km`,
    `drag` and `rush`, and of products by twos, and with the percent, weighed by the way. Sums of parts of the time add
    up.
    """
    rows = at_half(trips, known).rename({"half_pct": "pct"}).with_columns((pl.col("distance_m") / 1000).alias("km"))
    told = rows.drop_nulls(["pct", *_X]).filter((pl.col("swaps") == 0) & (pl.col("km") > 0))
    weight = 1 / (1 + pl.col("km")) ** 2  # of the way alone: facts, F6
    products = [(weight * pl.col(a) * pl.col(b)).sum().alias(f"{a}_{b}") for a, b in (*_XX, *((x, "pct") for x in _X))]
    return told.group_by(WHO).agg(pl.len().cast(pl.Int64()).alias("rides"), pl.col(_X).sum(), *products).sort(WHO)


def efforts(known: pl.DataFrame, sums: pl.DataFrame) -> pl.DataFrame:
    """What a kilometre, its speed and its unsteadiness take, as shares of what a usual kilometre does.

    Parameters
    ----------
    known : DataFrame `provider` `vehicle` `model`
    sums : the frame of `sums`

    Returns
    -------
    DataFrame of `EFFORTS`, of models of which 100 rides tell it and no figure is below 0: `km`, `drag`, `rush`, with
    which the even ways of all these rides are together as long as they are.
    """
    rows = sums.join(known.select(*WHO, "model").drop_nulls("model"), on=WHO).drop("vehicle")
    found = []
    for row in rows.group_by("provider", "model").sum().sort("provider", "model").iter_rows(named=True):
        square = [[row[f"{min(a, b, key=_X.index)}_{max(a, b, key=_X.index)}"] for b in _X] for a in _X]
        figures = _solved(square, [row[f"{name}_pct"] for name in _X])
        if row["rides"] >= RIDES and figures and min(figures) >= 0:
            usual = sum(figure * row[name] for figure, name in zip(figures, _X, strict=True)) / row["km"]
            found.append((row["provider"], row["model"], row["rides"], *(figure / usual for figure in figures)))
    return pl.DataFrame(found, schema=EFFORTS, orient="row")


def _solved(square: list[list[float]], right: Sequence[float]) -> list[float] | None:
    """x of square x = right, by elimination; None where the matrix, symmetrical and not negative, has no inverse."""
    rows = [[*line, value] for line, value in zip(square, right, strict=True)]
    for place, pivot in enumerate(rows):
        if pivot[place] <= 1e-9 * square[place][place] or not math.isfinite(pivot[place]):
            return None
        for other in (line for line in rows if line is not pivot):
            factor = other[place] / pivot[place]
            other[:] = [a - factor * b for a, b in zip(other, pivot, strict=True)]
    return [line[-1] / line[place] for place, line in enumerate(rows)]


def even(trips: pl.DataFrame, known: pl.DataFrame, efforts: pl.DataFrame) -> pl.Series:
    """`even_m` of trips [m], in their order, null where no effort is known of the model or no speed of the trip.

    Parameters
    ----------
    trips : DataFrame of `trips.trips` with the columns of `ways`
    known : as for `efforts`
    efforts : DataFrame of `EFFORTS`
    """
    of = (
        known.select(*WHO, "model")
        .join(efforts.drop("rides"), on=["provider", "model"])
        .rename({x: f"{x}_share" for x in _X})
    )
    told = trips.select(*WHO, (pl.col("distance_m") / 1000).alias("km"), "drag", "rush")
    rows = told.join(of, on=WHO, how="left", maintain_order="left")
    whole = pl.sum_horizontal((pl.col(x) * pl.col(f"{x}_share") for x in _X), ignore_nulls=False)
    return rows.select((1000 * whole).alias("even_m"))["even_m"]


def at_half(trips: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Trips with `half_pct`: what they used, in percents as they are worth at 50 % [%]."""
    tilt = pl.col("percent_slope") * (pl.col("soc_mean_pct") - 50) / 50
    slopes = sure(known).select(pl.col(*WHO, "^since$", "percent_slope"))
    return as_of(trips, "started_at", slopes).with_columns((pl.col("soc_used_pct") * (1 + tilt)).alias("half_pct"))


def way_m(trips: pl.DataFrame) -> pl.Expr:
    """The even way where it is known, else the way."""
    return pl.coalesce("even_m", "distance_m") if "even_m" in trips.columns else pl.col("distance_m")
