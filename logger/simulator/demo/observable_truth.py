"""The part of the truth that can be known from messages: what happened before a vehicle's last one."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import polars as pl

from logger.simulator.demo.collector import SOURCE
from logger.stores.lake.lake import Lake


class _Vehicle(msgspec.Struct):
    last_status_at: float


class _Summary(msgspec.Struct):
    """The part of `effects.json` that is read here."""

    vehicles: dict[str, _Vehicle]


def scan_mopeds(lake: Lake, table: str) -> pl.LazyFrame:
    """Return the rows of the mopeds: the truth of cars is another one."""
    return lake.scan(table).filter(pl.col("provider") == SOURCE)


def observable_trips(trips: pl.DataFrame, status: pl.LazyFrame) -> pl.DataFrame:
    """Return the true trips that began before the last odometer reading, with distance and energy up to it."""
    last = status.group_by("provider", "vehicle").agg(pl.col("odometer_m").max().alias("last_m")).collect()
    distance, reported = pl.col("distance_m"), pl.col("last_m") - pl.col("start_odometer_m")
    share = (
        pl.when(distance > 0).then((reported / distance).clip(0.0, 1.0)).otherwise((reported >= 0).cast(pl.Float64()))
    )
    parts = trips.join(last, on=["provider", "vehicle"]).with_columns(share.alias("share")).filter(pl.col("share") > 0)
    return parts.with_columns((pl.col(name) * pl.col("share")).alias(name) for name in ("distance_m", "energy_wh"))


def observable_sessions(sessions: pl.DataFrame, truth: Path) -> pl.DataFrame:
    """Return the true charging sessions that began before the last status received from their vehicle."""
    vehicles = msgspec.json.decode((truth / "effects.json").read_bytes(), type=_Summary).vehicles
    last = {name: datetime.fromtimestamp(vehicle.last_status_at, UTC) for name, vehicle in vehicles.items()}
    last_status_at = pl.col("vehicle").replace_strict(last, return_dtype=pl.Datetime("ms", "UTC"))
    return sessions.filter(pl.col("true_started_at") <= last_status_at)


def unobservable_note(count: int) -> str:
    """Return a note for people: how many more there were, which no message reports."""
    return f"; {count:,} more in no message" if count else ""
