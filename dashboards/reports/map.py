"""A map of where trips began and ended: squares on a plain canvas, darker where more of them were. No tiles."""

import math
from collections.abc import Iterator

import polars as pl

from dashboards.reports import charts
from dashboards.reports.contents import Chart, Column, Section, Table
from dashboards.reports.data import Data

_ACROSS = 36  # squares from one side of the map to the other, at most
_KM_PER_DEG = 111.32  # of latitude, on a sphere of the Earth's mean radius
_FAR = 0.01  # the share of ends on each side that may lie outside the map: one stray position must not shrink it

_SIDES = (("column", "x", 0), ("column", "x2", 1), ("row", "y", 0), ("row", "y2", 1))


def map_of_trips(data: Data) -> Section:
    """Return the map; ends in private places have no position and are not on it. Raises `Retry`."""
    ends = _ends(data)
    squares, outside = squares_of(ends)
    notes = [data.formats.texts("note.outside", share=data.formats.value(outside, "share"))] if outside else []
    if squares.is_empty():
        return Section("map", notes=(data.formats.texts("reason.no_positions"),))
    columns = (Column("lat_deg", "deg"), Column("lon_deg", "deg"), Column("ends", "1"))
    table = Table("map", columns, squares.sort("ends", descending=True).head(20))
    return Section("map", charts=tuple(_chart(squares, data)), tables=(table,), notes=tuple(notes))


def _ends(data: Data) -> pl.DataFrame:
    trips = data.rows("trips")
    both = [
        trips.select(pl.col(f"{end}_lat_deg").alias("lat_deg"), pl.col(f"{end}_lon_deg").alias("lon_deg"))
        for end in ("start", "finish")
    ]
    return pl.concat(both).filter(pl.all_horizontal(pl.all().is_finite())).collect()


def squares_of(ends: pl.DataFrame) -> tuple[pl.DataFrame, float]:
    """Return the squares that hold ends of trips, and the share of ends that lie outside the map.

    A square has its middle (`lat_deg`, `lon_deg`), how many `ends` are in it, and where it lies [km east and north of
    the south-west corner]: `x`, `x2`, `y`, `y2`.
    """
    if ends.is_empty():
        return pl.DataFrame(
            schema=dict.fromkeys(("lat_deg", "lon_deg", "ends", "x", "x2", "y", "y2"), pl.Float64())
        ), 0.0
    lat, lat_end = _ends_of(ends["lat_deg"])
    lon, lon_end = _ends_of(ends["lon_deg"])
    per_deg = _KM_PER_DEG * max(0.01, math.cos(math.radians((lat + lat_end) / 2)))
    size = max((lat_end - lat) * _KM_PER_DEG, (lon_end - lon) * per_deg, 0.5) / _ACROSS
    on_map = pl.col("lat_deg").is_between(lat, lat_end) & pl.col("lon_deg").is_between(lon, lon_end)
    kept = ends.filter(on_map)
    placed = kept.select(
        ((pl.col("lon_deg") - lon) * per_deg / size).floor().alias("column"),
        ((pl.col("lat_deg") - lat) * _KM_PER_DEG / size).floor().alias("row"),
    )
    counts = placed.group_by("column", "row").agg(pl.len().cast(pl.Float64).alias("ends")).sort("row", "column")
    squares = counts.select(
        (lat + (pl.col("row") + 0.5) * size / _KM_PER_DEG).round(5).alias("lat_deg"),
        (lon + (pl.col("column") + 0.5) * size / per_deg).round(5).alias("lon_deg"),
        "ends",
        *(((pl.col(of) + more) * size).alias(to) for of, to, more in _SIDES),
    )
    return squares, 1 - kept.height / ends.height


def _ends_of(values: pl.Series) -> tuple[float, float]:
    low, high = values.quantile(_FAR), values.quantile(1 - _FAR)
    return float(low or 0.0), float(high or 0.0)


def _chart(squares: pl.DataFrame, data: Data) -> Iterator[Chart]:
    formats, sides = data.formats, ("x", "x2", "y", "y2")
    scale = formats.unit("km").scale
    shown = squares.with_columns(pl.col(sides) * scale)
    sign = formats.unit("km").sign
    titles = (formats.texts("axis.east", unit=sign), formats.texts("axis.north", unit=sign), formats.texts("axis.ends"))
    yield charts.cells("map", shown, "ends", titles)
