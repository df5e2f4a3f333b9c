"""Of what really happened, that of which anybody could have heard."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import polars as pl


class _Vehicle(msgspec.Struct):
    heard_at: float


class _Effects(msgspec.Struct):
    vehicles: dict[str, _Vehicle]


def rides_heard(rides: pl.DataFrame, status: pl.LazyFrame) -> pl.DataFrame:
    """Rides that began before the last odometer that a status told, with their metres and energy up to it."""
    last = status.group_by("provider", "vehicle").agg(pl.col("odometer_m").max().alias("told_m")).collect()
    ridden, told = pl.col("distance_m"), pl.col("told_m") - pl.col("start_odometer_m")
    share = pl.when(ridden > 0).then((told / ridden).clip(0.0, 1.0)).otherwise((told >= 0).cast(pl.Float64()))
    parts = rides.join(last, on=["provider", "vehicle"]).with_columns(share.alias("share")).filter(pl.col("share") > 0)
    return parts.with_columns((pl.col(name) * pl.col("share")).alias(name) for name in ("distance_m", "energy_wh"))


def sessions_heard(sessions: pl.DataFrame, truth: Path) -> pl.DataFrame:
    """Sessions of charging that began before the last status that came from their vehicle."""
    told = msgspec.json.decode((truth / "effects.json").read_bytes(), type=_Effects).vehicles
    last = {name: datetime.fromtimestamp(vehicle.heard_at, UTC) for name, vehicle in told.items()}
    until = pl.col("vehicle").replace_strict(last, return_dtype=pl.Datetime("ms", "UTC"))
    return sessions.filter(pl.col("true_started_at") <= until)


def more(untold: int) -> str:
    """For people: how many more there were."""
    return f"; {untold:,} more never told" if untold else ""
