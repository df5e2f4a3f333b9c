"""Trips, charges, swaps and polls of packs by minute of the story, as stints are made of them."""

from typing import Any

import polars as pl

from logger.tables import TIME, shaped
from tests.analytics.hand import at

DAY, SWAP = 1440.0, 10.0  # minutes: of a day, and in which a swap happened
Row = dict[str, Any]
PACKS = {
    **dict.fromkeys(("provider", "vehicle", "port"), pl.String()), "at": TIME, "pack_cycles": pl.Int64(),
    "pack_soc_pct": pl.Float64(),
}  # fmt: skip


def ride(minute: float, km: float = 4, pct: float | None = 10, **more: Any) -> Row:
    """Ten minutes."""
    span = {"time": at(minute), "started_at": at(minute), "finished_at": at(minute + 10)}
    told = {"distance_m": 1000 * km, "soc_used_pct": pct, "swaps": 0}
    return {"provider": "segway", "vehicle": "a", **span, **told, **more}


def rides(*told: Row) -> pl.DataFrame:
    """Rows of `trips`."""
    return shaped(pl.DataFrame(list(told), infer_schema_length=None), "trips")


def charge(minute: float, pct: float, **more: Any) -> Row:
    """An hour that ends then."""
    span = {"time": at(minute - 60), "started_at": at(minute - 60), "finished_at": at(minute)}
    return {"provider": "segway", "vehicle": "a", "kind": "charge", **span, "soc_added_pct": pct, **more}


def charges(*told: Row) -> pl.DataFrame:
    """Rows of `charges`."""
    return shaped(pl.DataFrame(list(told), infer_schema_length=None), "charges")


def swapped(*minutes: float, port: str | None = "1", vehicle: str = "a", within: float = SWAP) -> pl.DataFrame:
    """Rows of `charges`: a swap at some time in the minutes before each of these."""
    told = {"vehicle": vehicle, "kind": "swap", "port": port}
    return charges(*(charge(minute, 60, **told, started_at=at(minute - within)) for minute in minutes))


def polls(*told: tuple[float, str | None, int | None], vehicle: str = "a") -> pl.DataFrame:
    """Of (minute, port, cycles)."""
    made = [
        {"provider": "segway", "vehicle": vehicle, "at": at(minute), "port": port, "pack_cycles": cycles}
        for minute, port, cycles in told
    ]
    return pl.DataFrame(made, schema=PACKS)


def begun(minute: float = 0, *vehicles: str) -> pl.DataFrame:
    """When the first pack of these vehicles was there; of vehicle a, if none is named."""
    told = {"provider": "segway", "vehicle": list(vehicles or "a"), "begun_at": at(minute)}
    return pl.DataFrame(told, schema_overrides={"begun_at": TIME})
