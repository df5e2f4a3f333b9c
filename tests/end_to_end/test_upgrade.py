"""A data folder that version 0.1 left behind is opened, delivered, analysed, exported and replayed by this one."""

import json
import tarfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from logger.commands.export import export_rows
from logger.settings.load import load_settings
from logger.stores import open_lake
from tests.helpers.command_line import voltrail

CASE = Path(__file__).parents[1] / "cases" / "upgrade" / "0.1"
ROWS: dict[str, Any] = json.loads((CASE / "rows.json").read_text())
RIDDEN = "860000000000001"  # whose last ride still waits in the spool
RIDE_M = 2400.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder as it lay when 0.1 was stopped."""
    with tarfile.open(CASE / "folder.tar.xz") as packed:
        packed.extractall(tmp_path, filter="data")
    return tmp_path


def exported(folder: Path, table: str) -> pl.DataFrame:
    """This table as `voltrail export` writes it."""
    file = folder / f"{table}.parquet"
    export_rows(open_lake(load_settings(folder / "voltrail.toml")).scan(table), "parquet", file)
    return pl.read_parquet(file)


def test_it_is_opened_as_it_lay(folder: Path) -> None:
    done = voltrail(folder, "status", "--json")
    assert done.returncode == 0, done.stderr
    known = json.loads(done.stdout)
    assert {each["vehicle"] for each in known["vehicles"]} == {RIDDEN, "860000000000002", "van"}
    assert {sink["name"]: sink["waiting"] for sink in known["sinks"]} == {"lake": ROWS["waiting"]}


def test_every_table_is_exported_whole(folder: Path) -> None:
    rows = {table: exported(folder, table) for table in ROWS["before"]}
    assert {table: found.height for table, found in rows.items()} == ROWS["before"]
    assert not any(found["vehicle"].has_nulls() or found["time"].has_nulls() for found in rows.values())
    done = voltrail(folder, "export", "trips")
    assert done.stdout.count("\n") == 1 + ROWS["before"]["trips"], done.stderr


def test_what_waits_in_the_spool_is_delivered_and_analysed(folder: Path) -> None:
    (folder / "none.csv").write_text("time,vehicle,soc_pct\n2026-11-29T16:00:00Z,van,89\n")
    done = voltrail(folder, "import", "none.csv")  # waits until the lake holds all that came before it, too
    assert done.returncode == 0, done.stderr
    more = {
        table: ROWS["delivered"][table] + 1 for table in ("status", "vehicles")
    }  # an import names its vehicles, too
    expected = {**ROWS["delivered"], **more}
    assert {table: exported(folder, table).height for table in expected} == expected
    before = exported(folder, "trips")
    done = voltrail(folder, "analyze")
    assert done.returncode == 0, done.stderr
    last = exported(folder, "trips").filter(pl.col("vehicle") == RIDDEN).sort("started_at").tail(1)
    assert last["distance_m"].to_list() == pytest.approx([RIDE_M])
    assert last["started_at"][0] > before["started_at"].max()


def test_its_raw_messages_are_decoded_again_to_the_same_rows(folder: Path) -> None:
    done = voltrail(folder, "replay", "--json")
    assert done.returncode == 0, done.stderr
    for table in ("status", "location", "battery", "pack", "event"):
        assert exported(folder, table).height == ROWS["before"][table]
