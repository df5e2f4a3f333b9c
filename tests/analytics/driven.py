"""Rows of status, location and journal of vehicles that are ridden as told, in few rows."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from logger.settings.schema import Place
from logger.tables import shaped

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
RIDE_S, SPEED_MS, TELLS_S = 300, 6, 60
LAT, LON, DEGREE_M = 52.5, 13.4, 111_195


def driven(vehicle: str, days: int, *hours: float) -> Iterator[dict[str, Any]]:
    """Rows of `status`: parked every two hours, a ride of 5 min and 1.8 km at each of these hours since `BEGIN`."""
    parked = {hour * 2.0 for hour in range(days * 12)}
    odometer, ridden = 1000.0, 50.0
    for hour in sorted(parked | set(hours)):
        at = BEGIN + hour * HOUR
        if hour not in hours:
            yield _row(vehicle, at, True, odometer, ridden)
            continue
        for second in range(0, RIDE_S + 1, TELLS_S):
            moved = {"odometer_m": odometer + second * SPEED_MS, "ride_time_s": ridden + second}
            yield _row(vehicle, at + timedelta(seconds=second), second == RIDE_S, *moved.values())
        odometer, ridden = odometer + RIDE_S * SPEED_MS, ridden + RIDE_S


def _row(vehicle: str, at: datetime, locked: bool, odometer_m: float, ride_time_s: float) -> dict[str, Any]:
    return {
        "provider": "segway", "vehicle": vehicle, "time": at, "received_at": at + timedelta(seconds=1), "via": "push",
        "clock": "device", "locked": locked, "odometer_m": odometer_m, "ride_time_s": ride_time_s,
        "soc_pct": float(100 - (odometer_m - 1000) // 600),
    }  # fmt: skip


def stored(rows: list[dict[str, Any]], first: int = 1, table: str = "status") -> pl.DataFrame:
    """These rows as they are written, in this order; sequences count from `first`."""
    numbered = [{**row, "sequence": first + place} for place, row in enumerate(rows)]
    return shaped(pl.DataFrame(numbered, infer_schema_length=None), table)


# ---- where they are ------------------------------------------------------------------------------------------------


def located(rows: Iterable[dict[str, Any]], **vans: tuple[float, float]) -> Iterator[dict[str, Any]]:
    """Rows of `location` beside these of `status`: a vehicle rides north from `LAT`, and scatters by some metres.

    `vans` carry a vehicle at an hour since `BEGIN` by so many metres to the north.
    """
    for place, row in enumerate(rows):
        hour, far_m = vans.get(row["vehicle"], (0.0, 0.0))
        carried_m = far_m if row["time"] >= BEGIN + hour * HOUR else 0.0
        north_m = row["odometer_m"] - 1000 + carried_m + 4 * (place % 3 - 1)
        yield {
            **{name: row[name] for name in ("provider", "vehicle", "time", "received_at", "via", "clock")},
            "lat_deg": LAT + north_m / DEGREE_M, "lon_deg": LON, "hdop": 1.0, "satellites": 9,
        }  # fmt: skip


def around(north_m: float, radius_m: float, **more: Any) -> Place:
    """A circle about a point of the way that these vehicles ride."""
    return Place(lat_deg=LAT + north_m / DEGREE_M, lon_deg=LON, radius_m=radius_m, **more)


def journal(vehicle: str, *hours: float, way_m: float = RIDE_S * SPEED_MS) -> Iterator[dict[str, Any]]:
    """Rows of `journal`: a ride at each of these hours since `BEGIN`, in whole minutes, heard of a day later."""
    for hour in hours:
        at = (BEGIN + hour * HOUR).replace(second=0)
        yield {
            "provider": "segway", "vehicle": vehicle, "time": at, "received_at": at + 24 * HOUR, "via": "poll",
            "clock": "device", "finished_at": at + timedelta(seconds=RIDE_S), "distance_m": way_m, "energy_wh": 55.0,
        }  # fmt: skip
