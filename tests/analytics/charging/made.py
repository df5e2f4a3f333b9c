"""Charges of one vehicle, made by hand of what it says."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from analytics.charging.charges import charges
from analytics.charging.sessions import sessions
from analytics.observations.soc import clean_soc
from analytics.schemas import BATTERIES, FIXES, OBSERVATIONS, SWAPS
from tests.analytics.hand import rows

Told = Sequence[Mapping[str, Any]]
TIMES = dict.fromkeys(("started_at", "finished_at"), OBSERVATIONS["at"])
TRIPS = pl.Schema({**dict.fromkeys(("provider", "vehicle", "kind"), pl.String()), "at": OBSERVATIONS["at"], **TIMES})
KNOWN = pl.DataFrame({"provider": ["segway"], "vehicle": ["a"], "capacity_wh": [1500.0]})


def said(minute: float, soc: float | None, charging: bool | None = False, way: float = 0) -> dict[str, Any]:
    return {"minute": minute, "soc_pct": soc, "charging": charging, "way_m": way, "odometer_m": 1000 + way}


def power(minute: float, watt: float, wall: float | None = None) -> dict[str, Any]:
    return {"minute": minute, "power_w": watt, "charger_power_w": wall}


def found(
    readings: Told, batteries: Told = (), swaps: Told = (), fixes: Told = (), known: pl.DataFrame = KNOWN,
    trips: Told = (), swappable: bool = True,
) -> pl.DataFrame:  # fmt: skip
    told, polls, packs = rows(OBSERVATIONS, *readings), rows(BATTERIES, *batteries), rows(SWAPS, *swaps)
    traits = KNOWN.select("provider", "vehicle", swappable=pl.lit(swappable))
    made = sessions(clean_soc(told), polls, packs, rows(TRIPS, *trips).drop("at"), traits)
    return charges(made, packs, told, polls, known, rows(FIXES, *fixes))


HOUR = [said(0, 40), said(2, 40, True), said(30, 54, True), said(62, 70, True), said(64, 70)]


def polled(soc: Sequence[float | None], every: float = 60, **more: Any) -> list[dict[str, Any]]:
    """Rows so many minutes apart of a vehicle that stands; lists are values of each row."""
    return [
        {"minute": n * every, "soc_pct": pct, "way_m": 0.0, "odometer_m": 1000.0}
        | {name: value[n] if isinstance(value, list) else value for name, value in more.items()}
        for n, pct in enumerate(soc)
    ]


def of_car(readings: Told, **more: Any) -> list[tuple[Any, ...]]:
    got = found(readings, swappable=False, **more)
    return got.select("kind", "soc_start_pct", "soc_finish_pct").rows()
