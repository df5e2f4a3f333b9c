"""Where trips begin and end."""

import polars as pl

from analytics.schemas import FIXES
from analytics.stays.trip_ends import placed
from tests.analytics.told import made, moment, outing

LAT, LON = 52.5, 13.4
METRE = 1 / 111_195  # of latitude


def fixed(*told: tuple[float, float, float], vehicle: str = "a") -> pl.DataFrame:
    """Fixes: second, metres north of home, standard error."""
    rows = [("p", vehicle, moment(at), LAT + north * METRE, LON, sigma) for at, north, sigma in told]
    return pl.DataFrame(rows, schema=FIXES, orient="row")


def ends(fixes: pl.DataFrame) -> list[float | None]:
    """Metres north of home of start and finish."""
    row = placed(made(outing()), fixes).select("start_lat_deg", "finish_lat_deg").row(0)
    return [None if lat is None else round((lat - LAT) / METRE, 2) for lat in row]


def test_a_trip_begins_at_the_weighted_median_of_where_it_stood() -> None:
    stood = fixed((0, 0, 5), (900, 20, 50), (1800, 2, 5), (2700, 4, 5), (3600, 30, 50), (3700, 100, 5), (4200, 5900, 5))
    assert ends(stood) == [2, 5900]


def test_a_vehicle_that_was_carried_begins_where_it_was_put_down() -> None:
    assert ends(fixed((0, 0, 5), (900, 1, 5), (1800, 2, 5), (2700, 800, 5), (3600, 803, 5)))[0] == 800


def test_without_a_fix_before_it_a_trip_begins_with_its_first() -> None:
    assert ends(fixed((3620, 70, 5), (4100, 5000, 5))) == [70, 5000]


def test_a_fix_of_another_vehicle_or_of_another_time_says_nothing() -> None:
    assert ends(fixed((3600, 1, 5), (4100, 5000, 5), vehicle="b")) == [None, None]
    assert ends(fixed((4300, 5000, 5))) == [None, None]
    assert placed(made(outing()).clear(), fixed()).columns[-1] == "finish_lon_deg"


def test_a_fix_on_the_ride_before_says_nothing_of_where_the_next_begins() -> None:
    again = [(at + 10_000, lock, (way or 0) + 6000, (ran or 0) + 600) for at, lock, way, ran in outing()]
    found = placed(made([*outing(), *again]), fixed((3600, 1, 5), (4000, 3000, 5), (13_650, 7000, 5)))
    assert [round((lat - LAT) / METRE) for lat in found["start_lat_deg"]] == [1, 7000]
