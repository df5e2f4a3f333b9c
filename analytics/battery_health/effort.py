"""Even ways: what a ride would be long if it took a usual kilometre's charge for each of its own.

A fast and unsteady kilometre takes more. A model's own rides tell how much, by least squares: facts, 2.3, of which this
is the part that pushes tell (no altitude, no temperature, no wind, no rider).

    percents used = km * a + drag * b + rush * c

Packs differ in what a percent of them holds. That changes a, b and c alike, and only their ratios count.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations_with_replacement
from typing import Any

import polars as pl

from analytics.battery_health.calibration import EVEN, INSUFFICIENT, Sums, check
from analytics.battery_health.moments import Moments, point
from analytics.frames import WHO, as_of

APART_S = 15.0  # readings of speed further apart tell nothing of what was between
COVERED = 0.5  # of a way that must be told
RIDES = 100  # that tell a model
USUAL_KMH = 30.0
_X = ("km", "drag", "rush")
_PAIRS = [(a, b) for a, b in combinations_with_replacement((*_X, "pct"), 2) if a != b]


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


def points(rides: pl.DataFrame) -> list[pl.DataFrame]:
    """What `efforts` needs of rides: points of `evidence`, one frame for each two of km, drag, rush and the percent.

    Parameters
    ----------
    rides : DataFrame of `trips.trips` with `km`, the columns of `ways` and of `soc_used.used`

    Returns
    -------
    DataFrames of `POINTS`: checks such as `effort_km_drag`, weighed by the way alone (facts, F6), of rides without a
    swap of which all is known.
    """
    told = rides.rename({"soc_used_pct": "pct"}).drop_nulls(["pct", *_X])
    sure = told.filter((pl.col("swaps") == 0) & (pl.col("km") > 0))
    weight = 1 / (1 + pl.col("km"))
    return [point(sure, f"effort_{a}_{b}", weight * pl.col(a), weight * pl.col(b), "started_at") for a, b in _PAIRS]


def efforts(model: str, sums: Sums, whole: Sequence[float]) -> Iterator[dict[str, Any]]:
    """What a kilometre, its speed and its unsteadiness take, as shares of what a usual kilometre does.

    Parameters
    ----------
    sums : of `evidence`, by check
    whole : sums of km, drag and rush of all rides

    Yields
    ------
    Rows of checks `even_km`, `even_drag`, `even_rush`, with which the even ways of all these rides are together as long
    as they are; `insufficient` below 100 rides and where a figure is below 0.
    """
    told = {pair: sums.get(f"effort_{pair[0]}_{pair[1]}", Moments()) for pair in _PAIRS}
    rides = told["km", "drag"].n
    square = [[_product(told, a, b) for b in _X] for a in _X]
    figures = _solved(square, [_product(told, a, "pct") for a in _X])
    enough = rides >= RIDES and whole[0] > 0 and figures is not None and min(figures) >= 0
    usual = sum(a * b for a, b in zip(figures or (), whole, strict=False)) / whole[0] if enough else 1.0
    for place, name in enumerate(_X):
        value = figures[place] / usual if enough and figures is not None else None
        yield check(model, f"even_{name}", "estimate" if enough else INSUFFICIENT, value, None, rides)


def _product(told: Mapping[tuple[str, str], Moments], a: str, b: str) -> float:
    """The sum of the products of these two, which stands in any pair that has them."""
    if a != b:
        return told[a, b].xy if (a, b) in told else told[b, a].xy
    return told[a, "pct"].xx


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


def even_km(km: str, drag: str, rush: str) -> pl.Expr:
    """The even way [km] of columns with these names; the way itself where nobody knows what takes how much."""
    whole = pl.sum_horizontal(
        (pl.col(name) * pl.col(f"even_{x}") for name, x in zip((km, drag, rush), _X, strict=True)), ignore_nulls=False
    )
    return pl.coalesce(whole, km)


def even_m(trips: pl.DataFrame, known: pl.DataFrame) -> pl.Series:
    """`even_m` of trips [m], in their order, null where no effort is known of the model or no speed of the trip.

    Parameters
    ----------
    trips : DataFrame of `trips.trips` with the columns of `ways`
    known : DataFrame of `calibration.calibrated`
    """
    rows = as_of(trips, "started_at", known.select(*WHO, "since", *EVEN))
    told = pl.when(pl.all_horizontal(pl.col(*EVEN, "drag").is_not_null()))
    km = (pl.col("distance_m") / 1000).alias("km")
    return rows.with_columns(km).select(told.then(1000 * even_km("km", "drag", "rush")).alias("even_m"))["even_m"]
