"""The demo's table of batteries: the last verdict of each moped beside what its packs truly hold."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from logger.simulator.demo.health_comparison import SHOWN, HealthComparison, VehicleHealth, compare_health
from logger.stores.lake.lake import Lake
from logger.tables import TIME, shaped

DAY = datetime(2026, 3, 1, tzinfo=UTC)


def verdict(vehicle: str, capacity_wh: float | None, as_of: str = "2026-03-02", **more: Any) -> dict[str, Any]:
    low, high = (None, None) if capacity_wh is None else (0.9 * capacity_wh, 1.1 * capacity_wh)
    ends = {"capacity_low_wh": low, "capacity_high_wh": high}
    return {"provider": "segway", "vehicle": vehicle, "time": DAY, "method": "verdict", "as_of": as_of,
            "capacity_wh": capacity_wh, **ends, **more}  # fmt: skip


def compared(folder: Path, *rows: dict[str, Any]) -> HealthComparison:
    lake = Lake(str(folder / "lake"))
    told = shaped(pl.DataFrame(list(rows), infer_schema_length=None, schema_overrides={"time": TIME}), "battery_health")
    lake.replace("battery_health", told, None, DAY, DAY.replace(day=9))
    packs = [
        {"provider": "segway", "vehicle": vehicle, "day": date(2026, 3, 2), "port": port, "capacity_wh": 600.0,
         "soh_pct": 90.0}
        for vehicle in {row["vehicle"] for row in rows}
        for port in (1, 2, None)
    ]  # fmt: skip
    pl.DataFrame(packs).write_parquet(folder / "packs.parquet")
    return compare_health(lake, folder)


def test_the_last_verdict_stands_beside_the_packs_that_are_in_the_vehicle(tmp_path: Path) -> None:
    later = DAY.replace(day=2)
    got = compared(
        tmp_path,
        verdict("a", 900.0),
        verdict("a", 1250.0, time=later, soh_pct=93.0, soh_low_pct=84.0, soh_high_pct=102.0),
        verdict("b", None),
    )
    assert got.without == 1
    assert got.vehicles == (VehicleHealth("a", 1250.0, 1125.0, 1375.0, 93.0, 84.0, 102.0, 1200.0, 90.0),)
    summary, _, row = got.lines()
    assert summary == (
        "batteries     1 with a figure: the interval of 100% contains the truth, off by 4.2 % (median);"
        " 1 without a figure"
    )
    assert row.split() == ["a", "1,250", "1,125–1,375", "1,200", "93", "84–102", "90"]


def test_where_there_is_no_figure_yet_the_demo_says_so(tmp_path: Path) -> None:
    assert list(compared(tmp_path, verdict("a", None)).lines()) == [
        "batteries     no figure yet for 1 vehicles: `battery_health` tells why"
    ]


def test_many_vehicles_are_counted_and_not_listed(tmp_path: Path) -> None:
    got = list(compared(tmp_path, *(verdict(f"v{number}", 1300.0) for number in range(SHOWN + 3))).lines())
    assert len(got) == SHOWN + 3
    assert got[-1] == "  … and 3 more in `battery_health`"
