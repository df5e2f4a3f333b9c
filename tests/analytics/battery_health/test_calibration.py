"""A fleet's own figures: found where the data tell, refused where they do not, and handed on with their errors."""

import math
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.battery_health.calibration import (
    CHECKS,
    INSUFFICIENT,
    NARROW,
    PACK_CV,
    RIDES,
    SHEET_SD,
    Sums,
    bins,
    calibrated,
    capacity_of_model,
    check,
    checks,
    km_per_percent,
    power_sign,
    slope_of_percent,
    use_of_model,
)
from analytics.battery_health.evidence import evidence
from analytics.battery_health.moments import Moments, pooled
from analytics.frames import as_of
from analytics.observations.soc_steps import ticks
from analytics.schemas import BATTERIES, OBSERVATIONS, PACKS
from tests.analytics.finding import segments_of
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
        soc_used_pct=pl.lit(used), soc_mean_pct=pl.lit(50.0), riding_s=pl.lit(60 * minutes),
        ambient_c=pl.lit(None, pl.Float64()), start_place=pl.lit(None, pl.String()), kind=pl.lit("observed"),
        swaps=pl.lit(0), drag=pl.lit(None, pl.Float64()), rush=pl.lit(None, pl.Float64()),
    )  # fmt: skip


def polls(trips: pl.DataFrame, sign: float = 1.0, spread: float = 1.15, every_s: int = 60) -> pl.DataFrame:
    """Power every minute of the rides, in stop and go; 0 between."""
    chance = np.random.default_rng(4)
    made_at = [begin + timedelta(seconds=at) for begin in trips["started_at"] for at in range(7, 1500, every_s)]
    riding = [(at.minute * 60 + at.second) < 720 for at in made_at]
    power = np.where(riding, WATTS * (1 + spread * chance.standard_normal(len(made_at))), 0.0)
    return batteries({"at": made_at, "motor_power_w": sign * power})


def batteries(told: dict[str, object]) -> pl.DataFrame:
    frame = pl.DataFrame({"bms_charging": False, **told}, schema_overrides={"at": MS})
    return pl.concat([BATTERIES.to_frame(), frame.with_columns(**WHO)], how="diagonal_relaxed")


WHO = {"provider": pl.lit("p"), "vehicle": pl.lit("a")}
FLEET = pl.DataFrame({"model": ["m"], "timezone": ["UTC"], "capacity_wh": [1440.0]}).with_columns(**WHO)
NO_POLLS = BATTERIES.to_frame()


def told(
    trips: pl.DataFrame, polls: pl.DataFrame, readings: pl.DataFrame | None = None, timezone: str = "UTC"
) -> pl.DataFrame:
    rows = OBSERVATIONS.to_frame() if readings is None else readings
    known = FLEET.with_columns(timezone=pl.lit(timezone))
    return evidence(rows, segments_of(rows), ticks(rows), trips, polls, PACKS.to_frame(), known)


def sums(trips: pl.DataFrame, polls: pl.DataFrame = NO_POLLS, readings: pl.DataFrame | None = None) -> Sums:
    rows = told(trips, polls, readings).join(FLEET.select("provider", "vehicle", "model"), on=["provider", "vehicle"])
    return pooled(rows, "provider", "model").get(("p", "m"), {})


@pytest.mark.parametrize(("sign", "word"), [(1.0, "discharge_positive"), (-1.0, "charge_positive")])
def test_the_sign_of_power_is_that_of_riding(sign: float, word: str) -> None:
    assert power_sign("m", sums(rides(20), polls(rides(20), sign)))["answer"] == word


def test_a_sign_is_not_guessed() -> None:
    few, vague = polls(rides(3)), polls(rides(20)).with_columns(motor_power_w=pl.lit(0.0))
    assert power_sign("m", sums(rides(3), few))["answer"] == INSUFFICIENT
    assert power_sign("m", sums(rides(20), vague))["answer"] == INSUFFICIENT


def test_a_power_without_sign_in_rides_and_charges_alike_tells_none() -> None:
    """A size of power is positive in both: it says nothing of what was used."""
    moments = [AT + timedelta(days=9, minutes=minute) for minute in range(200)]
    charging = batteries({"at": moments, "motor_power_w": [400.0, 410.0] * 100, "bms_charging": True})
    alike = pl.concat([polls(rides(20)), charging])
    assert power_sign("m", sums(rides(20), alike))["answer"] == INSUFFICIENT
    turned = pl.concat([polls(rides(20)), charging.with_columns(-pl.col("motor_power_w"))])
    assert power_sign("m", sums(rides(20), turned))["answer"] == "discharge_positive"


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_pooled_power_gives_the_consumption_of_a_model(sign: float) -> None:
    trips = rides(150)
    word = "discharge_positive" if sign > 0 else "charge_positive"
    got = use_of_model("m", sums(trips, polls(trips, sign)), word)
    assert got["answer"] == "estimate"
    assert got["low"] < 1000 * WATTS * 0.2 / trips["distance_m"][0] < got["high"]
    assert got["high"] - got["low"] < 0.15 * got["value"]
    assert got["n"] == 150 * 12


def test_power_of_known_sign_needs_no_guess() -> None:
    trips = rides(60)
    signed = polls(trips).with_columns(power_w=-pl.col("motor_power_w"), motor_power_w=pl.lit(None, pl.Float64()))
    assert use_of_model("m", sums(trips, signed), INSUFFICIENT)["value"] == pytest.approx(30, rel=0.1)


def test_power_whose_sign_nobody_knows_gives_nothing() -> None:
    trips = rides(60)
    got = use_of_model("m", sums(trips, polls(trips)), INSUFFICIENT)
    assert (got["answer"], got["value"], got["n"]) == (INSUFFICIENT, None, 0)


@pytest.mark.long
def test_the_interval_of_pooled_power_covers_as_often_as_it_promises() -> None:
    chance, inside = np.random.default_rng(9), 0
    trips = rides(40)
    sample = polls(trips).filter(pl.col("motor_power_w") != 0)
    for _ in range(200):
        power = WATTS * (1 + 1.15 * chance.standard_normal(sample.height))
        got = use_of_model("m", sums(trips, sample.with_columns(motor_power_w=power)), "discharge_positive")
        inside += got["low"] < 30 < got["high"]
    assert 0.90 <= inside / 200 <= 0.985


def test_capacity_is_consumption_times_the_way_of_a_percent() -> None:
    trips = rides(150)
    of = sums(trips, polls(trips))
    got = capacity_of_model("m", use_of_model("m", of, "discharge_positive"), km_per_percent("m", of))
    assert got["low"] < 100 * WH_PER_PCT < got["high"]
    few = km_per_percent("m", sums(trips[:5]))
    assert capacity_of_model("m", use_of_model("m", of, "discharge_positive"), few)["answer"] == INSUFFICIENT


def test_the_way_of_a_percent_is_that_at_half_full() -> None:
    """Rides at 100 % go farther with a percent by the slope than rides at 50 %."""
    full = rides(30).with_columns(soc_mean_pct=pl.lit(100.0))
    at_half = km_per_percent("m", sums(rides(30)))["value"]
    assert km_per_percent("m", sums(full), 0.1)["value"] == pytest.approx(at_half / 1.1, rel=0.01)


def test_a_percent_that_holds_more_at_the_top_is_found() -> None:
    told: list[tuple[float, float, float]] = []
    way_m, second = 0.0, 0.0
    for level in [*range(100, 15, -1)] * 3:
        for _ in range(9):
            way_m += 50 * (1 + 0.15 * (level - 50) / 50)
            second += 10
            told.append((second, float(level), way_m))
    rows = made(told, unlocked=(0, second))
    got = slope_of_percent("m", sums(rides(1), readings=rows))
    assert got["answer"] == "estimate"
    assert got["value"] == pytest.approx(0.15, abs=0.01)
    assert slope_of_percent("m", sums(rides(1), readings=rows[:500]))["answer"] == INSUFFICIENT


# ---- by what rides have in common ----------------------------------------------------------------------------------


def many(count: int, spread: float, ambient_c: float = 12.0) -> pl.DataFrame:
    """Rides of 1 to 5 km that use 2 % a kilometre, give or take."""
    chance = np.random.default_rng(5)
    km = chance.uniform(1, 5, count)
    used = 2 * km * (1 + spread * chance.standard_normal(count))
    more = {"distance_m": 1000 * km, "soc_used_pct": used, "riding_s": 1000 * km / 6.5}
    return rides(count).with_columns(pl.Series(name, each) for name, each in more.items()).with_columns(
        ambient_c=pl.lit(ambient_c), start_place=pl.lit("Depot")
    )  # fmt: skip


def binned(trips: pl.DataFrame, timezone: str = "UTC") -> dict[str, dict[str, object]]:
    found = checks(told(trips, NO_POLLS, timezone=timezone), FLEET)
    return {row["check"].partition(":")[2]: row for row in found.iter_rows(named=True) if ":" in row["check"]}


def test_rides_are_told_apart_by_temperature_speed_local_hour_and_place() -> None:
    same_hour = many(40, 0.1).with_columns(started_at=pl.lit(AT.replace(hour=22, minute=30), MS))
    got = binned(same_hour, "Europe/Berlin")
    local = same_hour["started_at"][0].astimezone(ZoneInfo("Europe/Berlin")).hour
    assert got.keys() == {"temperature:10", "speed:20", f"hour:{local}", "place:Depot"}
    ratio = same_hour.select(14.4 * 1000 * pl.col("soc_used_pct").sum() / pl.col("distance_m").sum()).item()
    for row in got.values():
        assert (row["answer"], row["n"]) == ("estimate", 40)
        assert row["value"] == pytest.approx(ratio, rel=0.005)


@pytest.mark.parametrize(("count", "spread"), [(RIDES - 1, 0.01), (25, 9 * NARROW)])
def test_few_or_scattered_rides_show_no_value(count: int, spread: float) -> None:
    got = binned(many(count, spread))["temperature:10"]
    assert (got["answer"], got["value"], got["n"]) == (INSUFFICIENT, None, count)


@given(st.lists(st.tuples(st.floats(0.1, 9), st.floats(0.1, 20)), min_size=40, max_size=80), st.integers(2, 38))
def test_days_and_vehicles_merged_are_the_pooled_value(points: list[tuple[float, float]], cut: int) -> None:
    """T9: merging bins gives the pooled value, which lies within those of its parts."""
    parts = [moments(points[:cut]), moments(points[cut:])]
    whole = moments(points).ratio()[0] or 0.0
    weighed = sum((part.ratio()[0] or 0.0) * part.x for part in parts) / sum(part.x for part in parts)
    assert whole == pytest.approx(weighed)
    least, most = sorted(part.ratio()[0] or 0.0 for part in parts)
    assert least * (1 - 1e-9) <= whole <= most * (1 + 1e-9)


def moments(points: list[tuple[float, float]]) -> Moments:
    x, y = np.array(points).T
    return Moments(len(points), x.sum(), y.sum(), (x * x).sum(), (x * y).sum(), (y * y).sum())


def test_the_interval_of_rides_in_common_covers_as_often_as_it_promises() -> None:
    chance, inside = np.random.default_rng(8), 0
    for _ in range(500):
        km = chance.uniform(1, 5, 60)
        used = 2 * km * (1 + 0.2 * chance.standard_normal(60))
        (row,) = bins("m", {"speed:20": moments(list(zip(km, used, strict=True)))}, 100.0)
        inside += row["low"] < 2 < row["high"]
    assert 0.92 <= inside / 500 <= 0.98


# ---- what is known of vehicles -------------------------------------------------------------------------------------


def known(capacity_wh: float | None) -> pl.DataFrame:
    told = {"provider": ["p"], "vehicle": ["a"], "model": ["m"], "capacity_wh": [capacity_wh], "wh_per_km": [31.0]}
    return pl.DataFrame(told, schema_overrides={"capacity_wh": pl.Float64()})


def found(*rows: dict[str, object]) -> pl.DataFrame:
    """Rows of `CHECKS` that hold from the beginning of `AT` on."""
    return pl.DataFrame([{"provider": "p", "time": AT, **row} for row in rows], schema=CHECKS)


def now(known: pl.DataFrame, checks: pl.DataFrame) -> pl.DataFrame:
    """What holds in the end."""
    return calibrated(known, checks).sort("since").tail(1)


def test_a_sure_figure_of_the_fleet_outweighs_a_data_sheet() -> None:
    got = now(known(1440.0), found(check("m", "capacity_wh", "estimate", 1270.0, 13.0, 500)))
    assert got["capacity_wh"].item() == pytest.approx(1270, rel=0.003)
    assert got["capacity_sd"].item() == pytest.approx(PACK_CV, rel=0.02)
    assert got["wh_per_km"].item() == 31


def test_an_unsure_figure_of_the_fleet_hardly_moves_a_data_sheet() -> None:
    got = now(known(1440.0), found(check("m", "capacity_wh", "estimate", 900.0, 450.0, 30)))
    assert 1400 < got["capacity_wh"].item() < 1440


def test_a_figure_of_the_fleet_stands_alone_where_no_data_sheet_is_known() -> None:
    got = now(known(None), found(check("m", "capacity_wh", "estimate", 1270.0, 50.0, 500)))
    assert got["capacity_wh"].item() == 1270
    assert now(known(None), found())["capacity_wh"].item() is None


def test_a_check_that_could_not_answer_and_another_models_change_nothing() -> None:
    rows = found(
        check("m", "capacity_wh", INSUFFICIENT, 900.0, 1.0, 3),
        check("other", "capacity_wh", "estimate", 900.0, 1.0, 900),
    )
    got = now(known(1440.0), rows)
    assert got["capacity_wh"].item() == 1440
    assert got["capacity_sd"].item() == pytest.approx(math.hypot(SHEET_SD, PACK_CV))
    sure = now(known(1440.0).with_columns(capacity_sd=pl.lit(0.03)), rows)
    assert sure["capacity_sd"].item() == 0.03


def test_figures_hold_from_their_month_to_the_next_and_a_data_sheet_before() -> None:
    first, second = (check("m", "capacity_wh", "estimate", value, 1.0, 500) for value in (1200.0, 1100.0))
    later = found(second).with_columns(pl.col("time") + timedelta(days=31))
    got = calibrated(known(1440.0), pl.concat([found(first), later])).sort("since")
    assert got["capacity_wh"].round(0).to_list() == [1440, 1200, 1100]
    moments = [AT - timedelta(days=1), AT, AT + timedelta(days=30), AT + timedelta(days=99)]
    rows = pl.DataFrame({"at": moments}, schema_overrides={"at": MS}).with_columns(**WHO)
    assert as_of(rows.reverse(), "at", got)["capacity_wh"].round(0).to_list() == [1100, 1200, 1200, 1440]


def test_the_slope_of_the_percent_and_the_sign_of_power_come_with_them() -> None:
    sign = check("m", "motor_power_sign", "charge_positive", 9, 1, 500)
    rows = found(check("m", "percent_slope", "estimate", 0.1, 0.01, 500), sign)
    assert now(known(1440.0), rows).select("percent_slope", "motor_power_sign").row(0) == (0.1, "charge_positive")
    assert now(known(1440.0), found()).select("percent_slope", "motor_power_sign").row(0) == (0.0, None)


def test_models_of_one_name_and_two_providers_do_not_share_their_figures() -> None:
    other = found(check("m", "capacity_wh", "estimate", 900.0, 1.0, 500)).with_columns(provider=pl.lit("q"))
    assert now(known(1440.0), other)["capacity_wh"].item() == 1440
