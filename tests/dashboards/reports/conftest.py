"""What tests of reports share: settings with a lake below a folder, and reports of a fleet made by hand."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from logger.settings.load import parse_settings
from logger.settings.schema import Settings
from logger.stores import open_lake
from tests.dashboards.reports import made

DAYS = 14
NAMES = ("V1", "V2", "V3", "V4")
SETTINGS = """
[collector]
data_dir = "data"
[tariffs]
currency = "EUR"
per_kwh = 0.32
efficiency = 0.9
co2_g_per_kwh = 380
[vehicles.V1]
label = "Ann's moped"
model = "E-moped"
group = "north"
[vehicles.V2]
model = "E-moped"
[vehicles.V3]
model = "Scooter"
[vehicles.V4]
model = "Scooter"
"""


def settings_in(folder: Path, more: str = "") -> Settings:
    """Return settings whose lake is below this folder."""
    return parse_settings(SETTINGS + more, folder / "voltrail.toml", {})


def end_of(days: int) -> datetime:
    """Return the moment at which the fleet's newest rows are an hour old."""
    return datetime.fromisoformat(f"{made.FIRST}T00:00:00+00:00") + timedelta(days=days)


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The settings of a fleet of four vehicles and two weeks."""
    settings = settings_in(tmp_path_factory.mktemp("fleet"))
    made.fill(open_lake(settings), NAMES, DAYS)
    return settings
