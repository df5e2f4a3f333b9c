"""Positions: what is none is left out, what is late is not believed, and what is noise makes no way."""

from collections.abc import Iterable
from random import Random

import polars as pl
import pytest

from analytics.observations.positions import TOP_MS, fixes, gate, path, without_outliers
from analytics.schemas import FIXES
from logger.tables import shaped
from tests.analytics.told import moment

M_DEG = 111_195.0
Place = tuple[float, float, float]  # second, metres east, metres north


def location(**told: object) -> pl.DataFrame:
    base = {"provider": "p", "vehicle": "a", "time": moment(0), "received_at": moment(0), "via": "push"}
    row = {**base, "clock": "device", "sequence": 1, "lat_deg": 52.5, "lon_deg": 13.4, **told}
    return shaped(pl.DataFrame([row]), "location").with_columns(at="time")


def placed(places: Iterable[Place], sigma_m: float = 5.0) -> pl.DataFrame:
    """A degree north and east of the origin of both degrees."""
    rows = [
        {
            "provider": "p", "vehicle": "a", "at": moment(at), "lat_deg": 1 + north / M_DEG,
            "lon_deg": 1 + east / M_DEG, "sigma_m": sigma_m,
        }
        for at, east, north in places
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=FIXES)


def north(*told: tuple[float, float]) -> pl.DataFrame:
    """Fixes at these seconds, so many metres to the north."""
    return placed((at, 0.0, metres) for at, metres in told)


def way_m(found: pl.DataFrame) -> float:
    return float(path(found)["path_m"][-1])


def test_a_position_has_a_standard_error_by_its_hdop() -> None:
    found = fixes(location(hdop=1.2, satellites=9))
    assert found.schema == FIXES
    assert found["sigma_m"].to_list() == [6.0]


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"lat_deg": 0.0, "lon_deg": 0.0}, "no_position"),
        ({"lat_deg": 0.0}, "no_position"),
        ({"lon_deg": 0.0}, "no_position"),
        ({"lat_deg": None}, "no_position"),
        ({"lat_deg": 91.0}, "no_position"),
        ({"fix_valid": False}, "fix_invalid"),
        ({"satellites": 3}, "few_satellites"),
        ({"hdop": 5.1}, "poor_hdop"),
    ],
)
def test_what_is_no_position_is_left_out_with_its_reason(told: dict[str, object], reason: str) -> None:
    assert fixes(location(**told)).is_empty()
    assert location(**told).select(gate()).to_series().to_list() == [reason]


def test_the_way_along_a_straight_road_is_its_length() -> None:
    assert way_m(north(*((10.0 * k, 120.0 * k) for k in range(60)))) == pytest.approx(59 * 120, rel=0.01)


def test_positions_told_five_times_a_second_make_the_same_way() -> None:
    assert way_m(north(*((0.2 * k, 2.4 * k) for k in range(3000)))) == pytest.approx(7200, rel=0.02)


def test_a_far_position_told_again_and_again_is_left_out() -> None:
    ride = [(10.0 * k, 23_000.0 if k % 7 == 3 else 100.0 * k) for k in range(90)]
    kept = without_outliers(north(*ride))
    assert kept.height == 90 - len([k for k in range(90) if k % 7 == 3])
    assert way_m(kept) == pytest.approx(8900, rel=0.02)


def test_a_position_that_stands_still_for_half_a_minute_under_way_is_late() -> None:
    ride = north(*((10.0 * k, 150.0 * (k - k % 4)) for k in range(81)))
    made = path(ride)
    assert made["path_m"][-1] == pytest.approx(150 * 80, rel=0.01)
    assert made["refused_m"][-1] == 0
    assert made["leg_ms"].max() == pytest.approx(15, rel=0.01)


def test_a_leap_after_a_long_stand_at_the_same_digits_is_no_faster_than_the_time_since_it_was_first_told() -> None:
    frozen = [(60.0 * k, 0.0) for k in range(15)]
    made = path(north(*frozen, (900.0, 15_000.0), (960.0, 16_000.0)))
    assert made["path_m"][-1] == pytest.approx(16_000, rel=0.01)
    assert (made["leg_ms"] < TOP_MS).all()


def test_a_leap_that_nothing_explains_is_refused_and_counted_apart() -> None:
    made = path(north((0, 0), (10, 100), (20, 200), (30, 50_200), (40, 50_300), (50, 50_400)))
    assert made["path_m"][-1] == pytest.approx(400, rel=0.05)
    assert made["refused_m"][-1] == pytest.approx(50_000, rel=0.01)


@pytest.mark.parametrize("pace_s", [0.2, 1, 10, 900])
def test_noise_around_a_parked_vehicle_makes_hardly_any_way(pace_s: float) -> None:
    """T5."""
    chance = Random(f"{pace_s}")
    noise = [(pace_s * k, chance.gauss(0, 5), chance.gauss(0, 5)) for k in range(2000)]
    assert way_m(placed(noise)) <= 0.02 * 2 * 2000
