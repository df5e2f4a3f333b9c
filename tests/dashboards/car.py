"""A car, a bike and a van from a file: what Segway's cloud does not report, and troubles that a short demo may lack."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from logger.tables import TIME, shaped

CAR = 'Car\'s "one", 100%'  # a name that needs quoting wherever it goes
VAN, BIKE, MOPED, VETERAN = "$van/(1)", "bike, old", "860000000100003", "veteran"
_EVERY_D, _MONTHS_D, _LAST_D, _FADE_A_YEAR = 3, 430, 10, 0.06
_CAPACITY_WH, _WH_PER_KM, _EFFICIENCY = 40_000.0, 160.0, 0.9
_LAT_DEG, _LON_DEG = 54.85, 2.35
_STEP_S = 10  # between two reports while driving


def write_vehicles(path: Path, until: datetime, days: int) -> tuple[float, float]:
    """Write a CSV of them up to this moment, and return where the van stands [degrees north, east].

    The car charges then, the bike rides, the van is silent and low.
    """
    start = until.astimezone(UTC).replace(microsecond=0) - timedelta(days=days)
    car, bike = (_frame(start, days, name, minutes) for name, minutes in ((CAR, 0), (BIKE, 10)))
    hours_left = (pl.lit(until.astimezone(UTC)) - pl.col("time")).dt.total_seconds() / 3600
    van = car.filter((hours_left > 30) & ~hours_left.is_between(36, 42)).with_columns(
        pl.lit(VAN).alias("vehicle"),
        soc_pct=pl.col("soc_pct") - pl.col("soc_pct").last() + 8,
        online=~hours_left.is_between(31, 32),
        lat_deg=pl.col("lat_deg") + 0.005,
    )
    rows = pl.concat(
        [car, _swap_packs(bike), van.drop("energy_wh", "soh_pct"), _veteran(start)], how="diagonal_relaxed"
    )
    rows.with_columns(pl.col("time").dt.strftime("%Y-%m-%dT%H:%M:%SZ")).write_csv(path)
    lat_deg, lon_deg = van.select("lat_deg", "lon_deg").row(-1)
    return lat_deg, lon_deg


def _swap_packs(bike: pl.DataFrame) -> pl.DataFrame:
    """The bike with packs that somebody swaps, standing, each day when twelve hours of it are over."""
    ridden_s = pl.col("time").diff().dt.total_seconds().fill_null(0).cum_sum() % 86_400
    used = (ridden_s + 43_200) % 86_400 / 86_400
    unknown = ("energy_wh", "soh_pct", "power_w", "charger_power_w")
    return bike.drop(unknown).with_columns(soc_pct=(95 - 60 * used).round(0), charging=False)


def _veteran(until: datetime) -> pl.DataFrame:
    """A car that was driven and charged every third day of fourteen months, and fades: long enough to be foretold.

    So often that any three months say what its model takes: its figures do not depend on the day of the month.
    """
    days = range(_MONTHS_D, _LAST_D - 1, -_EVERY_D)
    return pl.concat([_charged_day(until - timedelta(days=day), day) for day in days])


def _charged_day(start: datetime, days_ago: int) -> pl.DataFrame:
    """A drive of two hours from 90 % to 20 %, and a charge of six hours back, of a battery that fades.

    The noise of a percent is that of the day, so that months differ.
    """
    capacity_wh = _CAPACITY_WH * (0.97 - _FADE_A_YEAR * (_MONTHS_D - days_ago) / 365)
    driven = [(minute, 90 - 70 * minute / 120, -0.7 * capacity_wh / 2, False) for minute in range(0, 121, 2)]
    charged = [(240 + minute, 20 + 70 * minute / 360, 0.7 * capacity_wh / 6, True) for minute in range(0, 361, 2)]
    minutes = pl.DataFrame(
        [*driven, *charged, (605, 90.0, 0.0, False)], ["minute", "soc_pct", "power_w", "charging"], orient="row"
    )
    km = 175 * (_MONTHS_D - days_ago) / _EVERY_D + 175 * pl.min_horizontal("minute", 120) / 120
    return minutes.select(
        "power_w", "charging", time=pl.lit(start) + pl.duration(minutes="minute"), vehicle=pl.lit(VETERAN),
        soc_pct=(pl.col("soc_pct") + math.sin(days_ago) / 5).round(1), odometer_m=(1000 * km).round(),
        speed_kmh=pl.when(pl.col("minute") < 120).then(87.5).otherwise(0.0), locked=pl.col("minute") >= 120,
        charger_power_w=pl.col("power_w").clip(0) / _EFFICIENCY,
    )  # fmt: skip


def _frame(start: datetime, days: int, vehicle: str, minutes: int) -> pl.DataFrame:
    rows = list(_rows(start, days, minutes))
    return pl.DataFrame(rows, infer_schema_length=None).with_columns(pl.lit(vehicle).alias("vehicle"))


def troubles(until: datetime) -> pl.DataFrame:
    """Return rows of `event`: what Segway calls moved, fallen and taken out, and a fault of each that still lasts."""
    kinds = [*(("alert", code) for code in ("1", "2", "4", "10", "12")), ("fault", "E6"), ("fault", "20")]
    rows = [
        {"kind": kind, "code": code, "text": f"no. {code}", "state": state, "vehicle": vehicle, "provider": provider}
        | {"time": until - timedelta(hours=50 - 3 * number - (state == "cleared"))}
        for number, (kind, code) in enumerate(kinds)
        for provider, vehicle in (("import", CAR), ("segway", MOPED))
        for state in ("appeared", "cleared")
        if (state, code) not in (("cleared", "20"), ("cleared", "4"))
    ]
    return shaped(
        pl.DataFrame(rows).with_columns(pl.col("time").cast(TIME), received_at=pl.col("time").cast(TIME), sequence=1),
        "event",
    )


def _rows(start: datetime, days: int, ahead_min: int) -> Iterator[dict[str, Any]]:
    odometer_m, energy_wh = 20_000_000.0, 0.8 * _CAPACITY_WH
    for step in range(days * 86_400 // _STEP_S):
        second = step * _STEP_S
        at = start + timedelta(seconds=second)
        of_day = (second / 60 + ahead_min) % 1440  # minutes since the moment of the day at which it rides to work
        ambient_c = 8 + 9 * math.sin((of_day - 540) / 1440 * 2 * math.pi) + second / 86_400
        driving, charging = _trip(of_day), of_day > 1200 and energy_wh < 0.95 * _CAPACITY_WH
        speed_kmh = 35 + 25 * math.sin(of_day) if driving else 0.0
        power_w = -speed_kmh * (_WH_PER_KM + 3 * (20 - ambient_c)) + (9000 if step % 9 == 0 else 0) if driving else 0.0
        wall_w = 2300.0 - 1000 * (energy_wh / _CAPACITY_WH) ** 4 if charging else 0.0
        power_w += wall_w * _EFFICIENCY
        odometer_m += speed_kmh / 3.6 * _STEP_S
        energy_wh += power_w / 3600 * _STEP_S
        if driving or (charging and second % 60 == 0) or second % 900 == 0:
            yield {
                "time": at,
                "odometer_m": round(odometer_m),
                "speed_kmh": round(speed_kmh, 1),
                "soc_pct": round(100 * energy_wh / _CAPACITY_WH, 1),
                "energy_wh": round(energy_wh),
                "power_w": round(power_w),
                "charger_power_w": round(wall_w),
                "charging": charging,
                "locked": not driving,
                "online": True,
                "ambient_c": round(ambient_c, 1),
                "battery_c": round(ambient_c + 6 + power_w / 2000, 1),
                "soh_pct": 93.5,
                "voltage_v": round(350 + power_w / 500 + energy_wh / 1000, 1),
                "service_in_m": 900_000 - odometer_m % 900_000,
                "service_in_d": 60 - second // 86_400,
                "aux_voltage_v": 12.6 if driving else 12.2,
                "lat_deg": _LAT_DEG + 0.02 * math.sin(odometer_m / 4000),
                "lon_deg": _LON_DEG + 0.03 * math.cos(odometer_m / 4000),
                "altitude_m": round(30 + 20 * math.sin(odometer_m / 2500)),
                "hdop": 0.8,
                "satellites": 11,
            }


def _trip(of_day: float) -> bool:
    return of_day < 20 or 450 <= of_day < 480 or 1020 <= of_day < 1055
