"""Capacity of a vehicle: one order of who is believed, and no row depends on more than the days around it."""

from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from analytics.frames import as_of
from analytics.observations.capacity import capacities
from analytics.schemas import BATTERIES, OBSERVATIONS
from tests.analytics.hand import at, rows

DAY = 24 * 60
ALWAYS = at(-100_000 * 60)


def known(capacity_wh: float | None, sd: float | None = None) -> pl.DataFrame:
    told: dict[str, Any] = {"provider": "segway", "vehicle": "a", "since": ALWAYS, "wh_per_km": 30.0}
    kinds = {"since": pl.Datetime("ms", "UTC"), "capacity_wh": pl.Float64(), "capacity_sd": pl.Float64()}
    return pl.DataFrame([told | {"capacity_wh": capacity_wh, "capacity_sd": sd}], schema_overrides=kinds)


def worth(of: pl.DataFrame, *told: dict[str, Any], soc: float | None = 50.0, minute: float = 0) -> tuple[Any, Any]:
    """Capacity and its error of a vehicle that tells this, at a minute."""
    percents = rows(OBSERVATIONS, *({"minute": each["minute"], "soc_pct": soc} for each in told))
    made = capacities(of, rows(BATTERIES, *told), percents)
    moment = pl.DataFrame({"provider": "segway", "vehicle": "a", "at": [at(minute)]})
    moment = moment.cast({"at": pl.Datetime("ms", "UTC")})
    found = as_of(moment, "at", made).select("capacity_wh", "capacity_sd").row(0)
    return found[0], found[1]


EVERYTHING = {"minute": 0.0, "capacity_wh": 52_000.0, "energy_wh": 26_500.0, "nominal_wh": 60_000.0}


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in EVERYTHING.items() if name not in names}


def test_who_is_believed_first() -> None:
    sheet = known(58_000, 0.1221)
    assert worth(known(50_000, 0.02), EVERYTHING) == (50_000, 0.02)
    assert worth(sheet, EVERYTHING) == (52_000, 0.03)
    assert worth(sheet, without("capacity_wh")) == (53_000, 0.04)
    assert worth(sheet, without("capacity_wh", "energy_wh")) == (57_000, 0.10)
    assert worth(sheet, without("capacity_wh", "energy_wh", "nominal_wh")) == (58_000, 0.1221)
    assert worth(known(None), {"minute": 0.0}) == (None, None)


def test_a_vehicle_that_nobody_knows_may_tell_its_capacity_itself() -> None:
    assert worth(known(None), EVERYTHING) == (52_000, 0.03)


def test_content_over_a_low_percent_is_too_coarse() -> None:
    assert worth(known(None), without("capacity_wh", "nominal_wh"), soc=8.0) == (None, None)


def test_one_wrong_content_among_many_counts_nothing() -> None:
    told = [without("capacity_wh", "nominal_wh") | {"minute": 5.0 * n} for n in range(9)]
    told[4] |= {"energy_wh": 900_000.0}
    assert worth(known(None), *told) == (53_000, 0.04)


def test_a_capacity_that_the_content_contradicts_is_less_sure() -> None:
    wh, sd = worth(known(None), EVERYTHING | {"energy_wh": 13_000.0})
    assert (wh, sd) == (52_000, pytest.approx(0.5))


@pytest.mark.parametrize(("day", "holds"), [(-3, False), (-2, True), (0, True), (2, True), (3, False)])
def test_what_a_vehicle_says_holds_two_days_before_and_after(day: int, holds: bool) -> None:
    wh, _ = worth(known(58_000, 0.1221), EVERYTHING, minute=day * DAY + 60)
    assert wh == (52_000 if holds else 58_000)


def test_the_day_before_goes_before_the_day_after() -> None:
    later = EVERYTHING | {"minute": 3.0 * DAY, "capacity_wh": 48_000.0}
    days = {day: worth(known(None), EVERYTHING, later, minute=day * DAY + 60)[0] for day in range(-3, 7)}
    assert [days[day] for day in range(-3, 7)] == [None, *[52_000] * 5, *[48_000] * 3, None]


def test_a_day_does_not_depend_on_what_is_told_a_week_away() -> None:
    far = [EVERYTHING | {"minute": n * DAY, "capacity_wh": 1000.0 * abs(n)} for n in (-8.0, 7.0)]
    for day in (-2, 0, 2):
        alone, beside = (worth(known(None), *told, minute=day * DAY) for told in ([EVERYTHING], [*far, EVERYTHING]))
        assert alone == beside


def test_all_that_is_known_beside_the_capacity_stays() -> None:
    made = capacities(known(None), rows(BATTERIES, EVERYTHING), rows(OBSERVATIONS))
    assert made.columns == known(None).columns
    assert made["wh_per_km"].to_list() == [30.0] * made.height
    assert made.height == 3
    assert made["since"].to_list() == [ALWAYS, at(0) - timedelta(days=2), at(0) + timedelta(days=3)]
