"""Resistance is told where volts and current are of one moment, and only there."""

import random
from datetime import timedelta

import polars as pl
import pytest

from analytics.battery_health.resistance import resistance
from analytics.schemas import BATTERIES
from logger.tables import table
from tests.analytics.hand import AT

OHM, FULL_V = 0.06, 52.0
RIDE_S = 3600


def currents(seed: int) -> list[float]:
    """Of a ride in town, second by second [A], negative out of the battery, wandering within some seconds."""
    chance, now, rows = random.Random(seed), 0.0, []
    for _ in range(RIDE_S + 60):
        now = 0.75 * now + chance.gauss(0, 8)
        rows.append(-13 + now)
    return rows


def ride(every_s: int = 1, shift_s: int = 0, step_v: float = 0.1, seed: int = 1, ohm: float = OHM) -> pl.DataFrame:
    """Readings of a battery whose volts are told of a current some seconds before, in steps."""
    load, chance = currents(seed), random.Random(seed + 1)
    rows = []
    for second in range(30, RIDE_S, every_s):
        rest = FULL_V - 4 * second / RIDE_S
        volts = rest + ohm * load[second - shift_s] + chance.gauss(0, 0.03)
        rows.append({"provider": "p", "vehicle": "v", "at": AT + timedelta(seconds=second), "battery_c": 25.0,
                     "voltage_v": round(volts / step_v) * step_v, "current_a": load[second]})  # fmt: skip
    return pl.DataFrame(rows, schema_overrides={"at": BATTERIES["at"]}).with_columns(
        pl.lit(None, dtype).alias(name) for name, dtype in BATTERIES.items() if name not in rows[0]
    )


@pytest.mark.parametrize(("every_s", "step_v"), [(1, 0.1), (1, 1.0), (2, 0.1), (5, 0.1)])
def test_volts_that_fall_with_the_current_of_their_moment_tell_the_resistance(every_s: int, step_v: float) -> None:
    got = resistance(ride(every_s, step_v=step_v)).row(0, named=True)
    assert got["verdict"] == "estimate"
    sd = (got["resistance_high_mohm"] - got["resistance_low_mohm"]) / (2 * 1.96)
    assert abs(got["resistance_mohm"] - 1000 * OHM) <= 3 * sd
    assert sd < 0.08 * 1000 * OHM
    assert (got["as_of"], got["battery_c"]) == ("2026-03-02", 25)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    rows = [resistance(ride(seed=seed, step_v=1.0)).row(0, named=True) for seed in range(60)]
    told = [row for row in rows if row["verdict"] == "estimate"]
    inside = sum(row["resistance_low_mohm"] <= 1000 * OHM <= row["resistance_high_mohm"] for row in told)
    assert len(told) >= 50
    assert inside >= 0.9 * len(told)


@pytest.mark.parametrize("shift_s", [1, 2, 3, 10, -3])
@pytest.mark.parametrize("every_s", [1, 5])
def test_volts_of_another_moment_tell_nothing(shift_s: int, every_s: int) -> None:
    got = resistance(ride(every_s, shift_s)).row(0, named=True)
    assert got["resistance_mohm"] is None
    assert got["verdict"] == "insufficient"
    assert got["reason"]


def test_power_over_volts_is_a_current_too() -> None:
    by_power = ride().with_columns(power_w=pl.col("current_a") * pl.col("voltage_v")).with_columns(current_a=None)
    cast = by_power.with_columns(pl.col("current_a").cast(pl.Float64()))
    assert resistance(cast)["resistance_mohm"].item() == pytest.approx(1000 * OHM, rel=0.05)


def test_polls_a_minute_apart_and_a_few_readings_say_nothing_at_all() -> None:
    assert resistance(ride(60)).is_empty()
    assert resistance(ride().head(300)).is_empty()
    assert resistance(ride().clear()).schema == table("battery_health").schema


def test_a_current_of_the_wrong_sign_tells_nothing() -> None:
    got = resistance(ride(ohm=-OHM)).row(0, named=True)
    assert got["reason"] == "volts hardly follow the current: too coarse, or not of the same battery"
