"""The vehicles beside the demo tell of themselves what panels show, whatever the day and the hour."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from analytics.battery_health.calibration import TRIPS
from analytics.battery_health.model_months import MONTHS
from analytics.frames import month
from tests.dashboards.car import VETERAN, write_vehicles

NOWS = ["2026-11-30T23:50", "2026-12-01T00:10", "2027-03-01T06:00"]


@pytest.mark.parametrize("now", NOWS)
def test_the_months_before_this_one_and_the_last_have_enough_drives_for_figures_of_the_model(
    now: str, tmp_path: Path
) -> None:
    until = datetime.fromisoformat(now).replace(tzinfo=UTC)
    write_vehicles(tmp_path / "vehicles.csv", until, days=2)
    rows = pl.read_csv(tmp_path / "vehicles.csv", try_parse_dates=True).filter(pl.col("vehicle") == VETERAN)
    starts = rows.filter((pl.col("speed_kmh") > 0) & (pl.col("soc_pct") > 89.5))["time"].dt.date().unique()
    for begin in (month(until), month(until, -1)):
        first, end = month(begin, -MONTHS).date(), begin.date()
        assert starts.is_between(first, end, closed="left").sum() >= TRIPS
