"""Battery health of a large fleet: stints, months and verdicts from the trips and charges of a year."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl

from analytics.battery_health.pairs import METHODS
from analytics.battery_health.pooling import parts
from analytics.battery_health.stint_months import stint_months, stint_pairs
from analytics.battery_health.stints import bounds, stints
from analytics.battery_health.trends import history
from analytics.battery_health.verdicts import verdicts
from analytics.frames import WHO
from logger.tables import TIME, shaped
from tests.analytics.battery_health.packs_made import NO_HISTORY, figures, fleet
from tests.analytics.battery_health.stints_made import PACKS
from tests.analytics.hand import AT
from tests.benchmarks.figures import Figure

VEHICLES, DAYS, TRIPS_A_DAY, TOGETHER = 1000, 365, 3, 100
CAPACITY_WH, WH_PER_KM = 60_000.0, 150.0


def figures_of_health(folder: Path) -> list[Figure]:
    """Seconds for the verdicts of 1,000 vehicles and a year; `folder` is not used."""
    began = time.monotonic()
    made = sum(_verdicts(trips, charges).height for trips, charges in _fleet())
    assert made >= VEHICLES * DAYS // 31
    return [Figure("health of 1,000 vehicles and a year", [time.monotonic() - began], "s", "less", bar=60)]


def _fleet() -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Trips and charges, some vehicles at a time."""
    chance = np.random.default_rng(1)
    for first in range(0, VEHICLES, TOGETHER):
        km = chance.uniform(5, 40, TOGETHER * DAYS * TRIPS_A_DAY)
        pct = 100 * WH_PER_KM * km / CAPACITY_WH
        trips = _rows(first, TRIPS_A_DAY, 0.3).with_columns(
            distance_m=pl.Series(1000 * km), soc_used_pct=pl.Series(pct), swaps=pl.lit(0),
            soc_used_low_pct=pl.Series(pct - 0.5), soc_used_high_pct=pl.Series(pct + 0.5),
            polled_wh=pl.Series(WH_PER_KM * km), energy_wh=pl.Series(WH_PER_KM * km), energy_source=pl.lit("power"),
            soc_start_pct=pl.lit(80.0), soc_finish_pct=pl.Series(80 - pct),
        )  # fmt: skip
        added = pl.Series(chance.uniform(10, 60, TOGETHER * DAYS))
        charges = _rows(first, 1, 6).with_columns(
            kind=pl.lit("charge"), energy_source=pl.lit("power"), soc_start_pct=pl.lit(20.0), soc_finish_pct=20 + added,
            soc_added_pct=added, energy_wh=added * CAPACITY_WH * 1.05 / 100,
        )  # fmt: skip
        yield shaped(trips, "trips"), shaped(charges, "charges")


def _rows(first: int, a_day: int, hours: float) -> pl.DataFrame:
    vehicle, day, turn = (each.ravel() for each in np.indices((TOGETHER, DAYS, a_day)))
    start = [AT + timedelta(days=int(one), hours=7 + 2 * int(other)) for one, other in zip(day, turn, strict=True)]
    at = pl.Series(start, dtype=TIME)
    named = pl.DataFrame({"provider": "p", "vehicle": [f"{first + number:04d}" for number in vehicle]})
    return named.with_columns(time=at, started_at=at, finished_at=at + timedelta(hours=hours))


def _verdicts(trips: pl.DataFrame, charges: pl.DataFrame) -> pl.DataFrame:
    begun = charges.group_by(WHO).agg(pl.col("started_at").min().alias("begun_at"))
    packs = pl.DataFrame(schema=PACKS)
    cuts = bounds(charges.clear(), packs, begun)
    assert stints(cuts, trips, charges, packs).height == TOGETHER
    months = stint_months(cuts, trips, charges, packs)
    known = parts(months).with_columns(model=pl.lit(None, pl.String()), sheet_wh=pl.lit(CAPACITY_WH))
    sure = (pl.col("verdict") == "estimate") & pl.col("method").is_in(METHODS.values())
    past = history(months.filter(sure), NO_HISTORY.select(*WHO, "at"))
    no_models = figures(fleet(1, vehicles=2, times=2)).clear()
    return verdicts(known, stint_pairs(cuts, charges, trips), past, no_models, AT)
