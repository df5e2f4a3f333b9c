"""Analyses as their user sees them: by hand, and on schedule below `voltrail run`."""

import json
import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from logger.process_state import read_state
from logger.simulator.demo.collector import Collector
from tests.analytics.driven import BEGIN, driven
from tests.helpers.command_line import voltrail
from tests.helpers.waiting import wait_until

COLUMNS = ["vehicle", "time", "locked", "odometer_m", "ride_time_s"]


@pytest.fixture
def ridden(tmp_path: Path) -> tuple[Path, Collector]:
    """A folder with settings that analyse every second, and a vehicle's rides, imported."""
    more = '[analytics]\nevery_s = 1\n[places."Depot"]\nlat_deg = 52.0\nlon_deg = 5.0\nradius_m = 500\n'
    collector = Collector(tmp_path, ["861477038719116"], more)
    rows = pl.DataFrame(list(driven("moped", 3, 9.5, 40.2))).select(COLUMNS)
    placed = rows.with_columns(lat_deg=52.0 + pl.col("odometer_m") * 1e-6, lon_deg=5.0)
    placed.with_columns(pl.col("time").dt.to_string("iso:strict")).write_csv(tmp_path / "rides.csv")
    done = voltrail(tmp_path, "import", "rides.csv")
    assert done.returncode == 0, done.stderr
    return tmp_path, collector


def test_analyze_prints_what_it_made(ridden: tuple[Path, Collector]) -> None:
    folder, _ = ridden
    done = voltrail(folder, "analyze", "--json")
    assert json.loads(done.stdout)[0] == {"table": "trips", "vehicles": 1, "rows": 2, "commits": 1}
    assert done.stderr == ""
    again = voltrail(folder, "analyze")
    assert again.stdout.splitlines()[0].split() == ["table", "vehicles", "rows", "commits"]
    assert again.stdout.splitlines()[1].split() == ["trips", "0", "0", "0"]
    last = voltrail(folder, "status").stdout.splitlines()[-1]
    assert re.fullmatch(
        r"analysis +the last one ended \d+ s ago, took [\d.]+ s, touched 0 vehicles, looked at 0 rows", last
    )


def test_trips_and_their_tracks_can_be_exported(ridden: tuple[Path, Collector]) -> None:
    folder, _ = ridden
    voltrail(folder, "analyze")
    trips = pl.read_csv(voltrail(folder, "export", "trips").stdout.encode())
    assert trips["start_place"].to_list() == ["Depot"] * 2
    done = voltrail(folder, "export", "gpx", "--trip", trips["trip_id"][0], "--out", "ride.gpx")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (folder / "ride.gpx").read_text().count("<trkpt ") == 6
    wrong = voltrail(folder, "export", "gpx")
    assert (wrong.returncode, "voltrail export gpx --trip ID" in wrong.stderr) == (2, True)


def test_a_reader_that_has_seen_enough_is_no_error(ridden: tuple[Path, Collector]) -> None:
    command = [sys.executable, "-m", "voltrail", "export", "status", "--format", "csv"]
    with subprocess.Popen(command, cwd=ridden[0], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert (process.stderr.read(), process.wait()) == (b"", 0)


def test_a_running_service_analyses_on_schedule(ridden: tuple[Path, Collector]) -> None:
    folder, collector = ridden
    with collector:
        wait_until(
            lambda: read_state(folder / "data", "analysis").get("rows", {}).get("trips") == 2, "two trips are found"
        )
    assert "ERROR" not in (folder / "run.log").read_text()
    assert BEGIN.isoformat()[:10] in voltrail(folder, "export", "trips").stdout
