"""Vehicles of one model on packs that differ: what their trips took, and what is true."""

from datetime import timedelta
from typing import NamedTuple

import numpy as np
import polars as pl

from analytics.battery_health.pairs import PAIRS
from analytics.battery_health.pooling import parts
from analytics.battery_health.spreads import POLLS_SD, models
from analytics.battery_health.stint_months import stint_months
from analytics.battery_health.stints import bounds
from analytics.battery_health.trends import history
from analytics.frames import WHO
from logger.tables import TIME, shaped
from tests.analytics.hand import AT

C_WH, USE, FADE, MIDDLE = 1200.0, 30.0, 4e-4, 200
VEHICLE_CV, PACK_CV, KM_CV, POLLED_CV = 0.04, 0.05, 0.35, 0.85
SHEET_WH = 1440.0
_CHANGES = {**dict.fromkeys(WHO, pl.String()), "at": TIME}
NO_PAIRS = pl.DataFrame(schema={**PAIRS, "stint_id": pl.String()})
NO_HISTORY = history(shaped(pl.DataFrame(), "battery_health"), pl.DataFrame(schema=_CHANGES))
DAY = timedelta(days=1)


class Fleet(NamedTuple):
    """`trips` as of `spreads.models`, `parts` as of `pooling.parts` with `model`, and `true`, by vehicle and `time`."""

    trips: pl.DataFrame
    parts: pl.DataFrame
    true: pl.DataFrame


def fleet(
    seed: int, vehicles: int = 60, times: int = 12, trips: int = 6, sheet_wh: float = SHEET_WH, pack_cv: float = PACK_CV
) -> Fleet:
    """A pack a day; each stays for so many trips, as if two were of one day, and never comes back."""
    chance, shape = np.random.default_rng(seed), (vehicles, times, trips)
    use = np.exp(VEHICLE_CV * chance.standard_normal((vehicles, 1, 1)))
    count = chance.integers(20, 400, (vehicles, times, 1))
    wear = np.exp(pack_cv * chance.standard_normal(count.shape))
    capacity_wh = C_WH / wear / (1 + FADE * (count + 0.5 - MIDDLE))
    km = chance.uniform(1, 7, shape)
    pct = 100 * USE * use / capacity_wh * km * (1 + KM_CV * chance.standard_normal(shape) / km**0.5)
    sensed = 1 + POLLS_SD * chance.standard_normal()
    wh = sensed * USE * use * (km + POLLED_CV * chance.standard_normal(shape) * km**0.5)
    vehicle, day, trip = (each.ravel() for each in np.indices(shape))
    rows = _named(vehicle).with_columns(
        started_at=_moment(day + (2 + trip) / 24), finished_at=_moment(day + (2.5 + trip) / 24), swaps=pl.lit(0),
        distance_m=pl.Series(1000 * km.ravel()), soc_used_pct=pl.Series(pct.ravel()), polled_wh=pl.Series(wh.ravel()),
    )  # fmt: skip
    cycles = pl.Series(np.broadcast_to(count + 0.5, shape).ravel())
    told = rows.select(
        *WHO, model=pl.lit("moped"), sheet_wh=pl.lit(sheet_wh), stint_id=pl.format("{}/{}", "vehicle", pl.Series(day)),
        since=_moment(day), first_cycles=(cycles - 0.5).cast(pl.Int64), last_cycles=(cycles + 0.5).cast(pl.Int64),
        day=pl.Series(trip // 2), cycles=cycles, km=pl.col("distance_m") / 1000, pct="soc_used_pct", wh="polled_wh",
    )  # fmt: skip
    first = _named(vehicle[trip == 0]).with_columns(time=_moment(day[trip == 0]))
    true = first.with_columns(
        true_wh=pl.Series(capacity_wh.ravel()),
        true_use=pl.Series(np.broadcast_to(USE * use, capacity_wh.shape).ravel()),
    )
    return Fleet(told, _parts(rows, first.with_columns(count=pl.Series(count.ravel()))), true)


def _named(vehicle: np.ndarray[tuple[int], np.dtype[np.int64]]) -> pl.DataFrame:
    return pl.DataFrame({"provider": "segway", "vehicle": [f"{number:03d}" for number in vehicle]})


def _moment(day: np.ndarray[tuple[int], np.dtype[np.float64]]) -> pl.Series:
    return pl.Series([AT + float(each) * DAY for each in day], dtype=TIME)


def _parts(trips: pl.DataFrame, packs: pl.DataFrame) -> pl.DataFrame:
    """By swaps at the beginning of each day, and counts of cycles before and after its trips."""
    port = pl.lit("1").alias("port")
    polls = pl.concat(
        packs.select(
            *WHO,
            port,
            at=pl.col("time").dt.offset_by(after),
            pack_cycles=pl.col("count") + more,
            pack_soc_pct=pl.lit(None, pl.Float64()),
        )
        for after, more in (("1h", 0), ("20h", 1))
    )
    swaps = packs.filter(pl.col("time") > AT).select(
        *WHO, port, started_at=pl.col("time").dt.offset_by("-10m"), finished_at="time"
    )
    begun = packs.select(WHO).unique().with_columns(begun_at=pl.lit(AT).cast(TIME))
    return modelled(
        stint_months(
            bounds(swaps, polls, begun), shaped(trips, "trips"), shaped(trips.clear().select(WHO), "charges"), polls
        )
    )


def modelled(rows: pl.DataFrame) -> pl.DataFrame:
    """These rows of `battery_health` as `verdicts.verdicts` takes them."""
    return parts(rows).with_columns(model=pl.lit("moped"), sheet_wh=pl.lit(SHEET_WH))


def figures(of: Fleet, fit: pl.DataFrame | None = None) -> pl.DataFrame:
    """As of `figures.figures`, for each month of this fleet."""
    months = of.parts.select(pl.col("month").unique().alias("time"))
    made = models(of.trips) if fit is None else fit
    return (
        made.drop("packs", "sheet_wh")
        .with_columns(power_sign=pl.lit(1.0), percent_slope=pl.lit(0.0))
        .join(months, how="cross")
    )
