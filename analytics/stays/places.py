"""Places of the settings: which one a position lies in, and what must not be told of it."""

import math
from collections.abc import Mapping

import polars as pl

from logger.settings.schema import Place

EARTH_M = 6_371_008.8  # mean radius (IUGG)


def place(places: Mapping[str, Place], lat: str = "lat_deg", lon: str = "lon_deg") -> pl.Expr:
    """The name of the first place that holds the position in these columns [deg]; null outside all of them."""
    named = [pl.when(_within(each, pl.col(lat), pl.col(lon))).then(pl.lit(name)) for name, each in places.items()]
    return pl.coalesce(*named, pl.lit(None, pl.String()))


def private(places: Mapping[str, Place], lat: str = "lat_deg", lon: str = "lon_deg") -> pl.Expr:
    """Whether a private place holds the position in these columns [deg]; false without a position."""
    zones = [_within(each, pl.col(lat), pl.col(lon)) for each in places.values() if each.private]
    return pl.any_horizontal(pl.lit(False), *zones).fill_null(False)


def placed(rows: pl.DataFrame, places: Mapping[str, Place], *sides: tuple[str, str, str]) -> pl.DataFrame:
    """Name the place of each position, and blank the positions in private ones.

    Parameters
    ----------
    rows : DataFrame with the columns of positions [deg]
    places : the settings' places; the first one that holds a position names it
    sides : for each position its columns of latitude and longitude, and the one to make, such as `start_place`
    """
    named = rows.with_columns(place(places, lat, lon).alias(name) for lat, lon, name in sides)
    hidden = [
        pl.when(~private(places, lat, lon)).then(column).alias(column) for lat, lon, _ in sides for column in (lat, lon)
    ]
    return named.with_columns(hidden)


def _within(each: Place, lat: pl.Expr, lon: pl.Expr) -> pl.Expr:
    if each.lat_deg is None or each.lon_deg is None or each.radius_m is None:
        return _in_polygon(each.polygon, lat, lon)
    return distance_m(lat, lon, pl.lit(each.lat_deg), pl.lit(each.lon_deg)) <= each.radius_m


def depth_m(each: Place, lat: str = "lat_deg", lon: str = "lon_deg") -> pl.Expr:
    """How far the position in these columns [deg] lies within the place's border [m]; negative outside."""
    if each.lat_deg is None or each.lon_deg is None or each.radius_m is None:
        edges = zip(each.polygon, (*each.polygon[1:], each.polygon[0]), strict=True)
        to_border = pl.min_horizontal(_to_edge_m(begin, end, pl.col(lat), pl.col(lon)) for begin, end in edges)
        return pl.when(_in_polygon(each.polygon, pl.col(lat), pl.col(lon))).then(to_border).otherwise(-to_border)
    return each.radius_m - distance_m(pl.col(lat), pl.col(lon), pl.lit(each.lat_deg), pl.lit(each.lon_deg))


def distance_m(lat: pl.Expr, lon: pl.Expr, other_lat: pl.Expr, other_lon: pl.Expr) -> pl.Expr:
    """Great-circle distance [m] of two positions [deg] by the haversine formula, on a sphere."""
    half_lat, half_lon = ((other_lat - lat).radians() / 2).sin(), ((other_lon - lon).radians() / 2).sin()
    chord = half_lat**2 + lat.radians().cos() * other_lat.radians().cos() * half_lon**2
    return 2 * EARTH_M * chord.clip(0.0, 1.0).sqrt().arcsin()


def _to_edge_m(begin: tuple[float, float], end: tuple[float, float], lat: pl.Expr, lon: pl.Expr) -> pl.Expr:
    """From a position to the nearest point of an edge, on the plane that touches the sphere at its begin."""
    north_m = EARTH_M * math.pi / 180
    east_m = north_m * math.cos(math.radians(begin[0]))
    x, y = (lon - begin[1]) * east_m, (lat - begin[0]) * north_m
    along_x, along_y = (end[1] - begin[1]) * east_m, (end[0] - begin[0]) * north_m
    part = ((x * along_x + y * along_y) / max(along_x**2 + along_y**2, 1e-9)).clip(0.0, 1.0)
    return ((x - part * along_x) ** 2 + (y - part * along_y) ** 2).sqrt()


def _in_polygon(corners: tuple[tuple[float, float], ...], lat: pl.Expr, lon: pl.Expr) -> pl.Expr:
    """Whether a ray to the east crosses the border an odd number of times (Shimrat 1962, doi:10.1145/368637.368653)."""
    inside = pl.lit(False)
    for (lat_1, lon_1), (lat_2, lon_2) in zip(corners, (*corners[1:], corners[0]), strict=True):
        if lat_1 != lat_2:
            spans = (lat >= min(lat_1, lat_2)) & (lat < max(lat_1, lat_2))
            crossing = lon_1 + (lat - lat_1) * ((lon_2 - lon_1) / (lat_2 - lat_1))
            inside = inside ^ (spans & (lon < crossing))
    return inside & lat.is_not_null() & lon.is_not_null()
