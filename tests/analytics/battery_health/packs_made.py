"""Vehicles of one model, each with packs that take turns: what their spells say, and what is true."""

import math
import random
from datetime import timedelta
from typing import Any

import polars as pl

from analytics.battery_health.spells import measured
from analytics.battery_health.spreads import POLLS_SD, models
from tests.analytics.hand import AT

C_WH, USE, FADE, MIDDLE = 1200.0, 30.0, 4e-4, 200
VEHICLE_CV, PACK_CV, KM_CV, POLLED_CV = 0.04, 0.05, 0.35, 0.85
SHEET_WH = 1440.0
Rows = list[dict[str, Any]]
Fleet = dict[str, pl.DataFrame]
_CYCLES = {name: pl.Int64() for name in ("ports", "first_low", "first_high", "last_low", "last_high")}
_BASE = {
    "percent_slope": pl.lit(0.0),
    "motor_power_sign": pl.lit(None, pl.String()),
    **dict.fromkeys(("even_km", "even_drag", "even_rush"), pl.lit(None, pl.Float64())),
}


def fleet(seed: int, vehicles: int = 60, times: int = 12, packs: int = 4) -> Fleet:
    """`spells`, as of `spells.spells` with `model` and `capacity_wh`, and `true`, by vehicle and time."""
    chance, spells, true = random.Random(seed), Rows(), Rows()
    sensed = chance.gauss(1, POLLS_SD)
    for number in range(vehicles):
        name = {"provider": "segway", "vehicle": f"{number:03d}"}
        use = chance.gauss(0, VEHICLE_CV)
        counts = [chance.randrange(20 + 100 * place, 100 + 100 * place) for place in range(packs)]
        wear = [chance.gauss(0, PACK_CV) for _ in range(packs)]
        for turn in range(times):
            which, since = turn % packs, AT + timedelta(days=turn)
            first, counts[which] = counts[which], counts[which] + 1
            capacity_wh = C_WH * math.exp(-wear[which]) / (1 + FADE * (first + 0.5 - MIDDLE))
            told = spell(chance, first, capacity_wh, use) | power(chance, use, sensed)
            spells.append(name | {"since": since, "spell": turn} | told)
            true.append(name | {"time": since, "pack": which, "true_wh": capacity_wh, "true_use": USE * math.exp(use)})
    times_of = {name: pl.Datetime("ms", "UTC") for name in ("since", "time")}
    made = pl.DataFrame(spells, schema_overrides={**_CYCLES, "since": times_of["since"]}).with_columns(
        month=pl.col("since").dt.truncate("1mo"), model=pl.lit("moped"), capacity_wh=pl.lit(SHEET_WH)
    )
    return {"spells": made, "true": pl.DataFrame(true, schema_overrides={"time": times_of["time"]})}


def spell(chance: random.Random, first: int, capacity_wh: float, use: float) -> dict[str, Any]:
    """What rides on a pack with so many cycles took."""
    km = chance.uniform(10, 40)
    real = 100 * USE * math.exp(use) / capacity_wh
    pct = km * real * (1 + chance.gauss(0, KM_CV / km**0.5))
    ends = {f"{end}_{side}": first + (end == "last") for end in ("first", "last") for side in ("low", "high")}
    ways = {"km": km, "blind_km": 0.0, "drag": 0.0, "rush": 0.0, "used_pct": pct, "tilted_pct": 0.0}
    return ends | ways | {"ports": 1, "cycles": first + 0.5}


def power(chance: random.Random, use: float, sensed: float, rides: int = 7) -> dict[str, Any]:
    """What single readings of power say of some rides."""
    km = [chance.uniform(1, 7) for _ in range(rides)]
    wh = [sensed * USE * math.exp(use) * (each + chance.gauss(0, POLLED_CV * each**0.5)) for each in km]
    return {"polled_km": sum(km), "polled_wh": sum(wh), "motor_km": 0.0, "motor_wh": 0.0}


def fitted(of: Fleet) -> pl.DataFrame:
    """The frame of `spreads.models`."""
    polled = of["spells"].select("provider", "model").unique().with_columns(polled_cv=pl.lit(POLLED_CV))
    return models(measured(of["spells"].with_columns(**_BASE)), polled)


def figures(of: Fleet, fit: pl.DataFrame) -> pl.DataFrame:
    """As of `spreads.figures`, for each month of these spells."""
    months = of["spells"].select(pl.col("month").unique().alias("time"))
    return fit.with_columns(**_BASE).drop("spells", "sheet_wh").join(months, how="cross")
