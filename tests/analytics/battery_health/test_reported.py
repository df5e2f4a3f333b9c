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


def percents(*told: tuple[float, float]) -> pl.DataFrame:
    """Of (hour, percent)."""
    rows = [(*WHOSE.values(), AT + timedelta(hours=hour), pct) for hour, pct in told]
    names = {**dict.fromkeys(("provider", "vehicle"), pl.String()), "at": TIME, "soc_pct": pl.Float64()}
    return pl.DataFrame(rows, schema=names, orient="row")


def test_the_median_of_a_day_is_that_day() -> None:
    rows = [(hour, {"capacity_wh": wh, "soh_pct": 91.0}) for hour, wh in enumerate((50_000.0, 50_100.0, 9_000.0))]
    got = reported(batteries(*rows, (30, {"charge_ah": 120.0})), percents())
    assert got.select("as_of", "capacity_wh", "capacity_ah", "soh_pct", "n").rows() == [
        ("2026-03-02", 50_000.0, None, 91.0, 3), ("2026-03-03", None, 120.0, None, 1),
    ]  # fmt: skip
    assert got["reference"].to_list() == ["the vehicle's own", None]
    assert got["capacity_low_wh"][0] < 50_000 < got["capacity_high_wh"][0]
    assert set(got["verdict"]) == {"estimate"}


def test_a_data_sheet_and_a_zero_say_nothing() -> None:
    assert reported(
        batteries((0, {"nominal_wh": 60_000.0}), (1, {"soh_pct": 0.0, "capacity_wh": 0.0})), percents()
    ).is_empty()
    assert reported(batteries(), percents()).schema == table("battery_health").schema


def test_kilowatt_hours_and_fractions_say_nothing() -> None:
    told = batteries((0, {"capacity_wh": 62.4}), (1, {"soh_pct": 0.93}), (2, {"charge_ah": 0.1}))
    assert reported(told, percents()).is_empty()


def test_content_over_percent_is_a_capacity_where_none_is_told() -> None:
    shown = percents((0, 80.0), (1, 60.0), (2, 41.0), (3, 10.0))
    contents = [(hour, {"energy_wh": wh}) for hour, wh in enumerate((400.0, 300.0, 205.0, 70.0))]
    row = reported(batteries(*contents), shown).row(0, named=True)
    assert row["capacity_wh"] == 500
    assert row["capacity_high_wh"] / 500 - 1 == pytest.approx(1.96 * 0.04)
    assert row["reason"] == "content over percent, as the vehicle reports them, which nobody has checked"
    assert reported(batteries(*contents, (4, {"capacity_wh": 510.0})), shown)["capacity_wh"].to_list() == [510]


def test_a_content_that_stays_while_the_percent_falls_tells_no_capacity() -> None:
    frozen = batteries(*((hour, {"energy_wh": 41_000.0}) for hour in range(3)))
    assert reported(frozen, percents((0, 80.0), (1, 60.0), (2, 41.0))).is_empty()


def test_a_capacity_that_follows_the_percent_is_the_content_and_no_capacity() -> None:
    shown = percents((0, 80.0), (1, 60.0), (2, 41.0), (3, 30.0))
    follows = batteries(*((hour, {"capacity_wh": 640 * pct}) for hour, pct in enumerate((80, 60, 41, 30))))
    assert reported(follows, shown).is_empty()
    wanders = batteries(*((hour, {"capacity_wh": wh}) for hour, wh in enumerate((64e3, 63e3, 65e3, 64.9e3))))
    assert reported(wanders, shown)["capacity_wh"].to_list() == [64_450]


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
