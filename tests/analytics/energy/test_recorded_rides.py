"""Energy of rides that were really recorded, thinned to a row a second, against what their recorders say of them."""

from pathlib import Path

import pytest

from tests.analytics.recorded import situations
from tests.cases.reports.fleet import Fleet
from tests.conftest import SHARED

FOLDER = SHARED / "data"
RIDES = {"unicycle_2024-05-24": (1064.0, 0.055), "ebike_2024-07-24": (1.0, None)}  # Wh, and the widest half


@pytest.mark.skipif(not (FOLDER / "recordings").is_dir(), reason="recordings of real rides are not here")
def test_the_interval_of_a_ride_holds_what_its_recorder_says(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, [each for each in situations(FOLDER) if each.name in RIDES])
    fleet.analyse()
    trips = fleet.tables(["trips"])["trips"]
    assert sorted(trips["vehicle"]) == sorted(RIDES)
    for ride in trips.iter_rows(named=True):
        used, widest = RIDES[ride["vehicle"]]
        assert ride["energy_low_wh"] <= used <= ride["energy_high_wh"]
        assert widest is None or ride["energy_high_wh"] - ride["energy_wh"] <= widest * ride["energy_wh"]
