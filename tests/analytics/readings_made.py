"""Readings of one vehicle, made by hand: a way, whole percents, a lock."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import polars as pl

from analytics.schemas import OBSERVATIONS

AT = datetime(2026, 3, 1, 6, tzinfo=UTC)
EVERY_S = 10


def made(
    told: Sequence[tuple[float, float | None, float]], vehicle: str = "a", unlocked: tuple[float, float] = (0, 0)
) -> pl.DataFrame:
    """Of (second, percent, metres); unlocked between these seconds."""
    names = ["at", "soc_pct", "way_m"]
    kinds = {"at": pl.Datetime("us", "UTC"), "soc_pct": pl.Float64(), "way_m": pl.Float64()}
    frame = pl.DataFrame([(AT + timedelta(seconds=at), pct, way) for at, pct, way in told], orient="row", schema=kinds)
    since_s = (pl.col("at") - AT).dt.total_milliseconds() / 1000
    columns = {
        **{name: pl.lit(None, kind) for name, kind in OBSERVATIONS.items() if name not in names},
        **{"provider": pl.lit("p"), "vehicle": pl.lit(vehicle)},
        "locked": ~since_s.is_between(unlocked[0], unlocked[1], closed="left"),
        "ride_s": pl.lit(0.0),
        "reset": pl.lit(False),
    }
    return frame.with_columns(**columns).select(OBSERVATIONS.names()).cast(OBSERVATIONS)


def moment(second: float) -> datetime:
    """So many seconds after the first reading."""
    return AT + timedelta(seconds=second)


def span(first: float, last: float, vehicle: str = "a") -> pl.DataFrame:
    """A ride between these seconds."""
    told = {"provider": ["p"], "vehicle": [vehicle], "started_at": [moment(first)], "finished_at": [moment(last)]}
    times = {name: pl.Datetime("ms", "UTC") for name in ("started_at", "finished_at")}
    return pl.DataFrame(told, schema_overrides=times)


def ridden(seconds: int, pct_s: float, start: float, rounded: bool = False) -> list[tuple[float, float, float]]:
    """A steady ride, told every ten seconds; ten metres a second."""
    shown = math.floor if not rounded else lambda pct: math.floor(pct + 0.5)
    return [(float(at), float(shown(start - pct_s * at)), 10.0 * at) for at in range(0, seconds, EVERY_S)]
