"""A fleet whose derived tables are made by hand, of any size, for reports: two models, three trips a day."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import polars as pl

from analytics.battery_health import reasons
from logger.stores.lake.lake import Lake
from logger.tables import shaped

FIRST = date(2026, 10, 1)
LAST_HOUR = 23
TRIPS_A_DAY = 3
_EVER = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
_HOUR = pl.duration(hours=1)


def fill(lake: Lake, vehicles: Sequence[str], days: int, tables: Sequence[str] | None = None, scale: float = 1) -> None:
    """Write the tables of these vehicles, all or those named; `scale` multiplies what is driven."""
    for name, rows in made(vehicles, days, scale).items():
        if tables is None or name in tables:
            lake.replace(name, shaped(rows, name), None, *_EVER)


def made(vehicles: Sequence[str], days: int, scale: float = 1) -> dict[str, pl.DataFrame]:
    """Return the rows of each table."""
    base = _days(vehicles, days, scale)
    return {
        "consumption": base,
        "coverage": base.with_columns(
            odometer_m=pl.col("distance_m") * 1.25, trips_m="distance_m", expected=100, received=95
        ),
        "trips": _trips(base),
        "charges": _charges(base),
        "states": _states(base),
        "standby": _standby(base),
        "consumption_by": _consumption_by(base),
        "episodes": _episodes(base),
        "forecast": _forecast(base),
        "battery_health": _battery_health(base),
        "calibration": _calibration(base),
    }


def _days(vehicles: Sequence[str], days: int, scale: float) -> pl.DataFrame:
    numbers = pl.DataFrame({"vehicle": list(vehicles), "number": range(len(vehicles))})
    dates = pl.DataFrame({"date": [FIRST + timedelta(days=number) for number in range(days)]}).with_row_index("at")
    km = (4 + pl.col("number") % 7 + pl.col("at") % 5) * 1.0 * scale
    rows = numbers.join(dates, how="cross").with_columns(distance_m=km * 1000, provider=pl.lit("made"))
    wh = pl.col("distance_m") / 1000 * (30 + pl.col("number") % 4)
    return rows.with_columns(
        time=pl.col("date").cast(pl.Datetime("ms")).dt.replace_time_zone("UTC"),
        day=pl.col("date").dt.strftime("%Y-%m-%d"),
        driven_wh=wh, driven_low_wh=wh * 0.9, driven_high_wh=wh * 1.1, standby_wh=pl.lit(20.0),
        charged_wh=pl.when(pl.col("at") % 3 == 0).then(900.0).otherwise(0.0),
        wh_per_km_net=wh / (pl.col("distance_m") / 1000), wh_per_km_gross=1.1 * wh / (pl.col("distance_m") / 1000),
        trips=TRIPS_A_DAY, driving_s=pl.col("distance_m") / 6,
    )  # fmt: skip


def _trips(base: pl.DataFrame) -> pl.DataFrame:
    each = base.join(pl.DataFrame({"turn": range(TRIPS_A_DAY)}), how="cross")
    start = pl.col("time") + _HOUR * (7 + 4 * pl.col("turn"))
    lat, lon = 52.5 + pl.col("number") % 11 / 300, 13.4 + pl.col("turn") / 200
    return each.select(
        "provider", "vehicle", time=start, started_at=start, finished_at=start + pl.duration(minutes=20),
        trip_id=pl.concat_str("vehicle", pl.lit("/"), start.dt.epoch("s")),
        kind=pl.when(pl.col("turn") == 0).then(pl.lit("bridged")).otherwise(pl.lit("observed")),
        distance_m=pl.col("distance_m") / TRIPS_A_DAY, energy_wh=pl.col("driven_wh") / TRIPS_A_DAY,
        start_lat_deg=lat, start_lon_deg=lon, finish_lat_deg=lat + 0.01, finish_lon_deg=lon - 0.008,
    )  # fmt: skip


def _charges(base: pl.DataFrame) -> pl.DataFrame:
    start = pl.col("time") + _HOUR * 22
    return base.filter(pl.col("at") % 3 == 0).select(
        "provider", "vehicle", time=start, started_at=start, finished_at=start + _HOUR, kind=pl.lit("charge"),
        charge_id=pl.concat_str("vehicle", pl.lit("/c"), "at"), soc_start_pct=30.0, soc_finish_pct=90.0,
        energy_wh=900.0, energy_low_wh=850.0, energy_high_wh=950.0, energy_source=pl.lit("soc"),
        cost=0.32, currency=pl.lit("EUR"), place=pl.lit("Depot"),
    )  # fmt: skip


def _states(base: pl.DataFrame) -> pl.DataFrame:
    spans = pl.DataFrame(
        {"state": ["parked", "riding", "parked", "no_data"], "begin": [0, 7, 8, 22], "end": [7, 8, 22, 24]}
    )
    each = base.join(spans, how="cross")
    start, end = pl.col("time") + _HOUR * pl.col("begin"), pl.col("time") + _HOUR * pl.col("end")
    seconds = (pl.col("end") - pl.col("begin")) * 3600
    return each.select(
        "provider", "vehicle", "state", time=start, started_at=start, finished_at=end, duration_s=seconds
    )


def _standby(base: pl.DataFrame) -> pl.DataFrame:
    end, lost = pl.col("time") + _HOUR * 6, pl.when(pl.col("number") == 0).then(3.0).otherwise(0.25)
    return base.select(
        "provider", "vehicle", "time", started_at="time", finished_at=end, soc_lost_pct=lost, pct_per_day=4 * lost,
        pct_per_day_low=4 * lost - 2, pct_per_day_high=4 * lost + 2, mean_w=1.5, resolvable=2.0,
    )  # fmt: skip


def _consumption_by(base: pl.DataFrame) -> pl.DataFrame:
    steps = {"by": ["temperature"] * 3 + ["speed"] * 2, "bin_start": [0.0, 5.0, 10.0, 20.0, 25.0]}
    each = base.join(pl.DataFrame(steps).with_row_index("step"), how="cross")
    wh = pl.col("driven_wh") * (1.2 - 0.1 * pl.col("step"))
    names = pl.concat_str(pl.col("bin_start").cast(pl.Int64), pl.lit(".."), (pl.col("bin_start") + 5).cast(pl.Int64))
    return each.with_columns(
        bin=names, trips=1, energy_wh=wh, energy_low_wh=wh * 0.9, energy_high_wh=wh * 1.1, distance_km2=1.0
    )


def _episodes(base: pl.DataFrame) -> pl.DataFrame:
    first = base.filter(pl.col("at") == 0)
    return first.select(
        "provider", "vehicle", time=pl.col("time") + _HOUR, started_at=pl.col("time") + _HOUR, kind=pl.lit("fault"),
        code=pl.lit("E6"), system=pl.lit("modem"), text=pl.lit("4G modem"), count=2, open=pl.col("number") == 1,
    )  # fmt: skip


def _forecast(base: pl.DataFrame) -> pl.DataFrame:
    last = base.filter(pl.col("at") == pl.col("at").max())
    return last.select(
        "provider", "vehicle", time=pl.col("time") + _HOUR * LAST_HOUR,
        soc_pct=pl.when(pl.col("number") == 2).then(12.0).otherwise(70.0), below_at_next_service=0.1,
    )  # fmt: skip


def _battery_health(base: pl.DataFrame) -> pl.DataFrame:
    months = base.filter(pl.col("at") % 30 == 0)
    wh = 1400.0 - pl.col("number") % 9 * 20 - pl.col("at") / 3
    verdict = {
        "method": pl.lit("verdict"), "as_of": pl.col("day"), "stint_id": pl.lit("s"), "capacity_wh": wh,
        "capacity_low_wh": wh - 60, "capacity_high_wh": wh + 60, "soh_pct": wh / 14.4, "soh_low_pct": wh / 14.4 - 4,
        "soh_high_pct": wh / 14.4 + 4, "reference": pl.lit(reasons.OF_DATA_SHEET.format(1440)),
        "cycles": 80.0 + pl.col("at") / 4,
        "efc": 60.0 + pl.col("at") / 4, "n": pl.lit(30), "weak_probability": pl.lit(0.2),
        "verdict": pl.lit("estimate"), "port": pl.lit("1"),
    }  # fmt: skip
    rows = months.select("provider", "vehicle", "time", **verdict)
    other = months.select(
        "provider", "vehicle", "time", method=pl.lit("resistance"), verdict=pl.lit("insufficient"), port=pl.lit("1"),
        reason=pl.lit(reasons.SKEWED),
    )  # fmt: skip
    return pl.concat([rows, other], how="diagonal")


def _calibration(base: pl.DataFrame) -> pl.DataFrame:
    checks = [
        ("wh_per_km", "estimate", 31.0, 29.0, 33.0), ("capacity_wh", "estimate", 1380.0, 1300.0, 1460.0),
        ("range", "vernier", 0.9, None, None), ("fade", "insufficient", None, None, None),
        ("mtbf_km", "none_seen", None, 400.0, None), ("a_new_check", "estimate", 0.5, 0.4, 0.6),
    ]  # fmt: skip
    rows = [(model, *check, 40) for model in ("E-moped", "Scooter") for check in checks]
    names = ("model", "check", "answer", "value", "low", "high", "n")
    return pl.DataFrame(rows, schema=names, orient="row").with_columns(
        provider=pl.lit("made"), vehicle=pl.lit("none"), time=base["time"].min() if base.height else _EVER[0]
    )
