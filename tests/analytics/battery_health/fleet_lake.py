"""A lake of its own for a small fleet, and what analyses make of it."""

from pathlib import Path
from typing import Any

import polars as pl

from analytics.engine.jobs import Wish, analyze
from logger.settings.schema import Collector, LakeSettings, Model, Settings, Sinks
from logger.stores.lake.lake import Lake
from logger.tables import table
from tests.analytics.driven import stored

SHEET_WH = 1440.0


class Place:
    """A lake of its own, and settings that know a data sheet."""

    def __init__(self, folder: Path) -> None:
        models = {"moped": Model(capacity_wh=SHEET_WH, wh_per_km=30.0)}
        self.settings = Settings(
            Collector(data_dir=str(folder)), Sinks(LakeSettings(str(folder / "lake"))), models=models
        )
        self.lake = Lake(str(folder / "lake"), "log")
        self.sequence = 1

    def write(self, name: str, rows: list[dict[str, Any]]) -> None:
        self.lake.write(name, stored(rows, self.sequence, name))
        self.sequence += len(rows)

    def analyze(self, **wish: Any) -> None:
        analyze(self.settings, Wish(**wish))

    def made(self, name: str) -> pl.DataFrame:
        return self.lake.scan(name).sort(table(name).key).collect()

    def value(self, check: str) -> float | None:
        found = self.made("calibration").filter(check=check)
        return found["value"].item() if found.height else None
