"""`voltrail status` calls every vehicle in the stores by the label that the settings give it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from logger.live.overview import read_overview
from logger.settings.schema import Collector, LakeSettings, Settings, Sinks, Vehicle
from logger.stores import open_lake
from logger.tables import shaped

AT = datetime(2026, 6, 1, 8, tzinfo=UTC)


@pytest.fixture
def imported(tmp_path: Path) -> Settings:
    """Settings that name one of two imported vehicles."""
    sinks = Sinks(LakeSettings(str(tmp_path / "lake")))
    settings = Settings(Collector(data_dir=str(tmp_path)), sinks, vehicles={"zoe": Vehicle(label="My Zoe")})
    told = {"provider": "import", "via": "import", "clock": "device", "time": AT, "received_at": AT, "soc_pct": 80.0}
    rows = [{**told, "vehicle": name, "sequence": number} for number, name in enumerate(("zoe", "leaf"), 1)]
    open_lake(settings).write("status", shaped(pl.DataFrame(rows), "status"))
    return settings


def test_an_imported_vehicle_has_the_label_of_the_settings(imported: Settings) -> None:
    assert [(each.vehicle, each.label) for each in read_overview(imported).vehicles] == [
        ("zoe", "My Zoe"),
        ("leaf", "leaf"),
    ]


def test_an_imported_vehicle_is_found_by_its_label(imported: Settings) -> None:
    assert [each.vehicle for each in read_overview(imported, ["My Zoe"]).vehicles] == ["zoe"]


def test_a_vehicle_that_tells_its_values_one_by_one_shows_the_newest_of_each(imported: Settings) -> None:
    later = {"provider": "import", "via": "poll", "clock": "received", "time": AT + timedelta(hours=1), "locked": True}
    row = {**later, "received_at": AT + timedelta(hours=1), "vehicle": "zoe", "sequence": 3}
    open_lake(imported).write("status", shaped(pl.DataFrame([row]), "status"))
    (zoe,) = read_overview(imported, ["zoe"], AT + timedelta(hours=1)).vehicles
    assert (zoe.soc_pct, zoe.state, zoe.age_s) == (80.0, "parked", 0)
