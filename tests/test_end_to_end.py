"""The demo, small: real processes, real HTTP, and what arrived held against what happened."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from logger import config
from logger.stores import lake


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("demo") / "out"
    words = ["demo", "--vehicles", "3", "--days", "2", "--seed", "5", "--out", str(out), "--no-open", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "voltrail", *words], capture_output=True, text=True, check=True, timeout=100
    )
    return out, json.loads(done.stdout)


def test_every_push_that_was_answered_is_stored_exactly_once(demo: tuple[Path, dict[str, Any]]) -> None:
    _, told = demo
    assert told["answered"] == told["sent"] - told["refused"] > 3000
    assert told["stored"] == told["expected"]
    assert told["quarantined"] == 10
    assert told["refused"] == 20


def test_the_metres_of_every_vehicle_are_those_it_drove(demo: tuple[Path, dict[str, Any]]) -> None:
    _, told = demo
    for vehicle in told["vehicles"]:
        assert vehicle["driven_m"] > 1000
        assert vehicle["measured_m"] == vehicle["driven_m"]


def test_repeats_are_recognised_one_by_one(demo: tuple[Path, dict[str, Any]]) -> None:
    _, told = demo
    assert told["repeated"] == sum(vehicle["repeated"] for vehicle in told["vehicles"]) > 0


def test_the_collector_has_proof_that_it_ran(demo: tuple[Path, dict[str, Any]]) -> None:
    out, _ = demo
    beats = lake(config.load(out / "voltrail.toml")).scan("collector").collect()
    assert beats.height >= 1
    assert beats["provider"].to_list() == ["none"] * beats.height


def test_the_books_on_intake_add_up(demo: tuple[Path, dict[str, Any]]) -> None:
    out, told = demo
    intake = lake(config.load(out / "voltrail.toml")).scan("intake").collect()
    assert intake["received"].sum() == told["answered"] - told["quarantined"]
    assert intake["duplicates"].sum() == told["repeated"]
    assert set(intake["source"]) == {"segway"}


def test_the_same_seed_tells_the_same_story(tmp_path: Path) -> None:
    from logger.demo.kinematics import fleet, sent

    def story(seed: int) -> list[Any]:
        return [sent(scooter, seed) for scooter in fleet(2, seed, 1_700_000_000, 2)]

    assert story(5) == story(5)
    assert story(5) != story(6)


def test_the_log_of_the_service_holds_no_error(demo: tuple[Path, dict[str, Any]]) -> None:
    out, _ = demo
    text = (out / "run.log").read_text()
    assert "ERROR" not in text
    assert "Traceback" not in text
    assert pl.read_json(out / "data" / "feeder.json")["failures"].struct.unnest().width == 0
