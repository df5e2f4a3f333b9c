"""Places: names for positions, and privacy."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.stays.places import depth_m, distance_m, place, placed
from logger.errors import ConfigError
from logger.settings.load import parse_settings
from logger.settings.schema import Place

DEPOT = Place(lat_deg=52.52, lon_deg=13.405, radius_m=100)
SIDES = ("lat_deg", "lon_deg", "place")


def at(*positions: tuple[float | None, float | None]) -> pl.DataFrame:
    return pl.DataFrame(positions, schema={"lat_deg": pl.Float64, "lon_deg": pl.Float64}, orient="row")


def test_a_circle_holds_what_is_within_its_radius() -> None:
    got = placed(at((52.52, 13.405), (52.5208, 13.405), (52.5210, 13.405)), {"depot": DEPOT}, SIDES)
    assert got["place"].to_list() == ["depot", "depot", None]


def test_a_polygon_holds_what_is_inside_also_where_it_is_dented() -> None:
    dented = Place(polygon=((0, 0), (0, 4), (4, 4), (2, 2), (4, 0)))
    got = placed(at((1, 2), (3, 2), (3, 0.5), (3, 3.5), (5, 2), (1, -1)), {"yard": dented}, SIDES)
    assert got["place"].to_list() == ["yard", None, "yard", "yard", None, None]


def test_the_first_place_of_the_settings_names_a_position() -> None:
    town = Place(lat_deg=52.52, lon_deg=13.405, radius_m=9000)
    assert placed(at((52.52, 13.405)), {"depot": DEPOT, "town": town}, SIDES)["place"].item() == "depot"
    assert placed(at((52.52, 13.405)), {"town": town, "depot": DEPOT}, SIDES)["place"].item() == "town"


def test_a_private_place_is_named_and_its_positions_are_blank() -> None:
    home = Place(lat_deg=52.52, lon_deg=13.405, radius_m=100, private=True)
    got = placed(at((52.52, 13.405), (52.6, 13.405)), {"home": home}, SIDES)
    assert got.rows() == [(None, None, "home"), (52.6, 13.405, None)]


def test_no_position_is_in_no_place() -> None:
    got = placed(at((None, None)), {"depot": DEPOT, "yard": Place(polygon=((-9, -9), (-9, 9), (9, 0)))}, SIDES)
    assert got.rows() == [(None, None, None)]


def test_a_degree_of_latitude_is_111_km() -> None:
    got = at((0, 0)).select(distance_m(pl.col("lat_deg"), pl.col("lon_deg"), pl.lit(1.0), pl.lit(0.0))).item()
    assert got == pytest.approx(111_195, abs=1)


def depth(each: Place, *positions: tuple[float, float]) -> list[float]:
    return at(*positions).select(depth_m(each).alias("depth"))["depth"].to_list()


def test_how_deep_a_position_lies_is_counted_from_the_border() -> None:
    north = 1 / 111_195.08
    assert depth(DEPOT, (52.52, 13.405), (52.52 + 80 * north, 13.405), (52.52 + 130 * north, 13.405)) == pytest.approx(
        [100, 20, -30], abs=0.1
    )
    square = Place(polygon=((0, 0), (0, 0.01), (0.01, 0.01), (0.01, 0)))
    inside, beside, corner = depth(square, (0.005, 0.001), (0.005, -0.002), (-0.003, -0.004))
    assert (inside, beside, corner) == pytest.approx((111.2, -222.4, -556), rel=0.001)


@settings(deadline=None)
@given(st.floats(-1, 5), st.floats(-1, 5))
def test_a_position_is_in_a_place_where_it_lies_deep(lat: float, lon: float) -> None:
    for each in (Place(polygon=((0, 0), (0, 4), (4, 4), (2, 2), (4, 0))), Place(lat_deg=2, lon_deg=2, radius_m=2e5)):
        named = at((lat, lon)).select(place({"yard": each})).item()
        (deep_m,) = depth(each, (lat, lon))
        assert abs(deep_m) < 1e-6 or (deep_m > 0) == (named == "yard")


@pytest.mark.parametrize(
    "text",
    ["lat_deg = 1.0\nlon_deg = 2.0", "polygon = [[0, 0], [1, 1]]", "polygon = [[0, 0], [1, 1], [99, 0]]", ""],
)
def test_a_place_that_is_none_is_an_error_that_names_it(text: str) -> None:
    with pytest.raises(ConfigError, match=r'places\."depot"'):
        parse_settings(f'[places."depot"]\n{text}', Path("voltrail.toml"))
