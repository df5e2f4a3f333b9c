"""A fleet's own figures: found where the data tell, refused where they do not, and handed on with their errors."""

import math
from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from analytics.calibration import (
    CHECKS,
    INSUFFICIENT,
    PACK_CV,
    SHEET_SD,
    calibrated,
    capacity_of_model,
    check,
    km_per_percent,
    power_sign,
    slope_of_percent,
    use_of_model,
)
from analytics.ticks import ticks
from tests.analytics.readings_made import AT, made

MS = pl.Datetime("ms", "UTC")
WATTS, KMH, WH_PER_PCT = 750.0, 25.0, 14.0


def rides(count: int, minutes: float = 12) -> pl.DataFrame:
    """Rides of one vehicle, an hour apart, at 25 km/h and 750 W: 30 Wh/km."""
    begins = [AT + timedelta(hours=number) for number in range(count)]
    km = KMH * minutes / 60
    told = {"started_at": begins, "finished_at": [begin + timedelta(minutes=minutes) for begin in begins]}
    frame = pl.DataFrame(told, schema_overrides={"started_at": MS, "finished_at": MS})
    used = WATTS * minutes / 60 / WH_PER_PCT
    return frame.with_columns(
        provider=pl.lit("p"), vehicle=pl.lit("a"), distance_m=pl.lit(1000 * km),
        soc_used_pct=pl.lit(used), soc_mean_pct=pl.lit(50.0),
    )  # fmt: skip


def polls(trips: pl.DataFrame, sign: float = 1.0, spread: float = 1.15, every_s: int = 60) -> pl.DataFrame:
    """Power every minute of the rides, in stop and go; 0 between."""
    chance = np.random.default_rng(4)
    made_at = [begin + timedelta(seconds=at) for begin in trips["started_at"] for at in range(7, 1500, every_s)]
    riding = [(at.minute * 60 + at.second) < 720 for at in made_at]
    power = np.where(riding, WATTS * (1 + spread * chance.standard_normal(len(made_at))), 0.0)
    told = {"at": made_at, "motor_power_w": sign * power, "riding": riding}
    frame = pl.DataFrame(told, schema_overrides={"at": MS})
    return frame.with_columns(
        provider=pl.lit("p"), vehicle=pl.lit("a"), power_w=pl.lit(None, pl.Float64()), charging=pl.lit(False)
    )


@pytest.mark.parametrize(("sign", "word"), [(1.0, "discharge_positive"), (-1.0, "charge_positive")])
def test_the_sign_of_power_is_that_of_riding(sign: float, word: str) -> None:
    assert power_sign("m", polls(rides(20), sign))["answer"] == word


def test_a_sign_is_not_guessed() -> None:
    few, vague = polls(rides(3)), polls(rides(20)).with_columns(motor_power_w=pl.lit(0.0))
    assert power_sign("m", few)["answer"] == INSUFFICIENT
    assert power_sign("m", vague)["answer"] == INSUFFICIENT


def test_a_power_without_sign_in_rides_and_charges_alike_tells_none() -> None:
    """A size of power is positive in both: it says nothing of what was used."""
    charges = pl.DataFrame({"motor_power_w": [400.0, 410.0] * 100, "riding": False, "charging": True})
    both = pl.concat([polls(rides(20)).select("motor_power_w", "riding", "charging"), charges])
    assert power_sign("m", both)["answer"] == INSUFFICIENT
    turned = both.with_columns(
        pl.when("charging").then(-pl.col("motor_power_w")).otherwise("motor_power_w").alias("motor_power_w")
    )
    assert power_sign("m", turned)["answer"] == "discharge_positive"


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_pooled_power_gives_the_consumption_of_a_model(sign: float) -> None:
    trips = rides(150)
    word = "discharge_positive" if sign > 0 else "charge_positive"
    got = use_of_model("m", trips, polls(trips, sign), word)
    assert got["answer"] == "estimate"
    assert got["low"] < 1000 * WATTS * 0.2 / trips["distance_m"][0] < got["high"]
    assert got["high"] - got["low"] < 0.15 * got["value"]
    assert got["n"] == 150 * 12


def test_power_of_known_sign_needs_no_guess() -> None:
    trips = rides(60)
    signed = polls(trips).with_columns(power_w=-pl.col("motor_power_w"), motor_power_w=pl.lit(None, pl.Float64()))
    assert use_of_model("m", trips, signed, INSUFFICIENT)["value"] == pytest.approx(30, rel=0.1)


def test_power_whose_sign_nobody_knows_gives_nothing() -> None:
    trips = rides(60)
    got = use_of_model("m", trips, polls(trips), INSUFFICIENT)
    assert (got["answer"], got["value"], got["n"]) == (INSUFFICIENT, None, 0)


def test_the_interval_of_pooled_power_covers_as_often_as_it_promises() -> None:
    chance, inside = np.random.default_rng(9), 0
    trips = rides(40)
    sample = polls(trips).filter("riding")
    for _ in range(200):
        power = WATTS * (1 + 1.15 * chance.standard_normal(sample.height))
        got = use_of_model("m", trips, sample.with_columns(motor_power_w=power), "discharge_positive")
        inside += got["low"] < 30 < got["high"]
    assert 0.90 <= inside / 200 <= 0.985


def test_capacity_is_consumption_times_the_way_of_a_percent() -> None:
    trips = rides(150)
    use, way = use_of_model("m", trips, polls(trips), "discharge_positive"), km_per_percent("m", trips)
    got = capacity_of_model("m", use, way)
    assert got["low"] < 100 * WH_PER_PCT < got["high"]
    assert capacity_of_model("m", use, km_per_percent("m", trips[:5]))["answer"] == INSUFFICIENT


def test_a_percent_that_holds_more_at_the_top_is_found() -> None:
    told: list[tuple[float, float, float]] = []
    way_m, second = 0.0, 0.0
    for level in [*range(100, 15, -1)] * 3:
        for _ in range(9):
            way_m += 50 * (1 + 0.15 * (level - 50) / 50)
            second += 10
            told.append((second, float(level), way_m))
    rows = made(told, unlocked=(0, second))
    got = slope_of_percent("m", ticks(rows), rows)
    assert got["answer"] == "estimate"
    assert got["value"] == pytest.approx(0.15, abs=0.01)
    assert slope_of_percent("m", ticks(rows[:500]), rows[:500])["answer"] == INSUFFICIENT


def known(capacity_wh: float | None) -> pl.DataFrame:
    told = {"provider": ["p"], "vehicle": ["a"], "model": ["m"], "capacity_wh": [capacity_wh], "wh_per_km": [31.0]}
    return pl.DataFrame(told, schema_overrides={"capacity_wh": pl.Float64()})


def checks(*rows: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=CHECKS)


def test_a_sure_figure_of_the_fleet_outweighs_a_data_sheet() -> None:
    got = calibrated(known(1440.0), checks(check("m", "capacity_wh", "estimate", 1270.0, 13.0, 500)))
    assert got["capacity_wh"].item() == pytest.approx(1270, rel=0.003)
    assert got["capacity_sd"].item() == pytest.approx(PACK_CV, rel=0.02)
    assert got["wh_per_km"].item() == 31


def test_an_unsure_figure_of_the_fleet_hardly_moves_a_data_sheet() -> None:
    got = calibrated(known(1440.0), checks(check("m", "capacity_wh", "estimate", 900.0, 450.0, 30)))
    assert 1400 < got["capacity_wh"].item() < 1440


def test_a_figure_of_the_fleet_stands_alone_where_no_data_sheet_is_known() -> None:
    got = calibrated(known(None), checks(check("m", "capacity_wh", "estimate", 1270.0, 50.0, 500)))
    assert got["capacity_wh"].item() == 1270
    assert calibrated(known(None), checks())["capacity_wh"].item() is None


def test_a_check_that_could_not_answer_and_another_models_change_nothing() -> None:
    rows = checks(
        check("m", "capacity_wh", INSUFFICIENT, 900.0, 1.0, 3),
        check("other", "capacity_wh", "estimate", 900.0, 1.0, 900),
    )
    got = calibrated(known(1440.0), rows)
    assert got["capacity_wh"].item() == 1440
    assert got["capacity_sd"].item() == pytest.approx(math.hypot(SHEET_SD, PACK_CV))
    sure = calibrated(known(1440.0).with_columns(capacity_sd=pl.lit(0.03)), rows)
    assert sure["capacity_sd"].item() == 0.03
