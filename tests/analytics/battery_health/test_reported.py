"""What a vehicle says of its own battery is told as its own word, and a range only where it follows the percent."""

from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from analytics.battery_health.reported import range_full, reported
from analytics.schemas import BATTERIES
from logger.tables import TIME, table
from tests.analytics.hand import AT

WHOSE = {"provider": "p", "vehicle": "v"}


def batteries(*told: tuple[float, dict[str, Any]]) -> pl.DataFrame:
    """Of (hour, what is told)."""
    rows = [{**WHOSE, "at": AT + timedelta(hours=hour), **more} for hour, more in told]
    return pl.DataFrame(rows, schema=BATTERIES)


def test_the_median_of_a_day_is_that_day() -> None:
    rows = [(hour, {"capacity_wh": wh, "soh_pct": 91.0}) for hour, wh in enumerate((50_000.0, 50_100.0, 9_000.0))]
    got = reported(batteries(*rows, (30, {"charge_ah": 120.0})))
    assert got.select("as_of", "capacity_wh", "capacity_ah", "soh_pct", "n").rows() == [
        ("2026-03-02", 50_000.0, None, 91.0, 3), ("2026-03-03", None, 120.0, None, 1),
    ]  # fmt: skip
    assert got["reference"].to_list() == ["the vehicle's own", None]
    assert got["capacity_low_wh"][0] < 50_000 < got["capacity_high_wh"][0]
    assert set(got["verdict"]) == {"estimate"}


def test_a_data_sheet_and_a_zero_say_nothing() -> None:
    assert reported(batteries((0, {"nominal_wh": 60_000.0}), (1, {"soh_pct": 0.0, "capacity_wh": 0.0}))).is_empty()
    assert reported(batteries()).schema == table("battery_health").schema


def test_kilowatt_hours_and_fractions_say_nothing() -> None:
    assert reported(batteries((0, {"capacity_wh": 62.4}), (1, {"soh_pct": 0.93}), (2, {"charge_ah": 0.1}))).is_empty()


def ranges(*told: tuple[float, float | None, float | None, float | None]) -> pl.DataFrame:
    """Of (hour, percent, range, projected range)."""
    rows = [(*WHOSE.values(), AT + timedelta(hours=hour), *more) for hour, *more in told]
    names = {**dict.fromkeys(("provider", "vehicle"), pl.String()), "at": TIME}
    number = dict.fromkeys(("soc_pct", "range_m", "range_full_m"), pl.Float64())
    return pl.DataFrame(rows, schema={**names, **number}, orient="row")


def meaning(word: str | None = None) -> pl.DataFrame:
    rows = [(*WHOSE.values(), word)] if word else []
    return pl.DataFrame(rows, schema=dict.fromkeys(("provider", "vehicle", "meaning"), pl.String()), orient="row")


@pytest.mark.parametrize("word", ["vernier", "fixed_factor"])
def test_a_range_that_follows_the_percent_is_told_at_full(word: str) -> None:
    got = range_full(ranges((0, 80, 40_000, None), (1, 60, 30_300, None), (2, 20, 3_000, None)), meaning(word))
    row = got.row(0, named=True)
    assert row["range_full_m"] == pytest.approx(100 * 70_300 / 140)
    assert row["n"] == 2
    assert row["range_full_low_m"] < row["range_full_m"] < row["range_full_high_m"]


@pytest.mark.parametrize("word", ["recent_use", "mixed", "insufficient", None])
def test_a_range_that_follows_the_last_rides_tells_nothing(word: str | None) -> None:
    assert range_full(ranges((0, 80, 40_000, None)), meaning(word)).is_empty()


def test_a_projected_range_is_taken_as_the_vehicle_says_it() -> None:
    row = range_full(ranges((0, 80, 1.0, 390_000), (1, 80, None, 400_000), (2, 5, None, 410_000)), meaning())
    assert row.select("range_full_m", "n", "reason").row(0) == (400_000, 3, "as the vehicle projects it")
    assert range_full(ranges((0, None, None, 0.0)), meaning("vernier")).is_empty()
    assert range_full(ranges(), meaning()).schema == table("battery_health").schema
