"""Rollups on schedule: once an hour, and then of the days that changed."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from analytics.engine.rollup_days import roll_when_due
from logger.settings import schema
from logger.settings.schema import LakeSettings, Settings, Sinks
from logger.stores import open_lake
from logger.tables import ROLLUPS, TIME, shaped

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_rollups_are_made_once_an_hour(tmp_path: Path) -> None:
    settings = Settings(schema.Collector(data_dir=str(tmp_path)), Sinks(LakeSettings(path=str(tmp_path / "lake"))))
    lake = open_lake(settings)
    row = {"provider": "p", "vehicle": "a", "time": AT, "received_at": AT, "soc_pct": 50.0, "sequence": 1}
    rows = pl.DataFrame([row]).with_columns(pl.col("time", "received_at").cast(TIME))
    lake.write("status", shaped(rows, "status"))
    assert {each.table for each in roll_when_due(lake, tmp_path)} == {*ROLLUPS, "states_1d"}
    assert lake.scan("status_1d").collect()["mean_soc_pct"].to_list() == [50.0]
    assert roll_when_due(lake, tmp_path) == []
    assert {each.days for each in roll_when_due(lake, tmp_path, every_s=0)} == {0}
