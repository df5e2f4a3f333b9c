"""A small demo of all vendors: one service collects pushed mopeds and pushed and polled cars into the same tables."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from logger.settings.load import load_settings
from logger.simulator.demo.cars import CarFleet
from logger.stores import open_lake
from logger.stores.lake.lake import Lake
from tests.helpers.command_line import voltrail

CARS = {"smartcar", "hiven", "smart", "saic", "saic-gateway"}
Demo = tuple[Path, dict[str, Any]]  # the folder and the figures


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    out = tmp_path_factory.mktemp("demo") / "out"
    words = ["--vehicles", "2", "--days", "3", "--seed", "5", "--providers", "all"]
    done = voltrail(out.parent, "demo", *words, "--out", str(out), "--no-open", "--json")
    assert done.returncode == 0, done.stderr
    return out, json.loads(done.stdout)


def lake(demo: Demo) -> Lake:
    return open_lake(load_settings(demo[0] / "voltrail.toml"))


def test_every_event_of_a_car_that_was_answered_is_stored(demo: Demo) -> None:
    _, figures = demo
    assert figures["complete"]
    cars = {each["provider"]: each for each in figures["cars"]}
    assert cars.keys() == CARS
    assert cars["smartcar"]["events"] > 50
    assert [each["missing_rows"] + each["refused"] for each in figures["cars"]] == [0] * len(CARS)
    assert all(each["rows"] > 0 for each in figures["cars"])


def test_one_table_holds_the_vehicles_of_all_vendors(demo: Demo) -> None:
    status = lake(demo).scan("status").collect()
    assert set(status["provider"]) == {"segway", *CARS}
    assert "push" in set(status.filter(provider="smartcar")["via"])
    polls = json.loads((demo[0] / "data" / "receiver.json").read_text())["polls"]
    assert polls["smartcar"]["answered"] > 0
    assert [polls[name]["failed"] for name in CARS] == [0] * len(CARS)
    assert set(status.filter(pl.col("provider").is_in(list(CARS - {"smartcar"})))["via"]) == {"poll"}
    assert status["soc_pct"].drop_nulls().is_between(0, 100).all()


def test_cars_get_trips_by_the_same_rules_as_mopeds(demo: Demo) -> None:
    _, figures = demo
    found = {each["provider"]: each for each in figures["analysis"]["cars"]}
    cars = found["smartcar"]
    assert cars["trips"] >= 1
    assert cars["distance_m"] == pytest.approx(cars["true_distance_m"], rel=0.1)
    trips = lake(demo).scan("trips").collect()
    assert {"segway", "smartcar"} <= set(trips["provider"])


def test_cars_that_are_only_polled_get_trips_and_charges_too(demo: Demo) -> None:
    _, figures = demo
    found = [each for each in figures["analysis"]["cars"] if each["provider"] != "smartcar"]
    assert len(found) == len(CARS) - 1
    # What happened before a car's first poll, or after its last one, cannot be seen: in three days, that may be much.
    assert sum(each["trips"] for each in found) >= 1
    assert sum(each["charges"] for each in found) >= 1
    assert sum(each["distance_m"] for each in found) <= 1.05 * sum(each["true_distance_m"] for each in found)


def test_a_sleeping_car_is_woken_as_rarely_as_its_settings_say(demo: Demo) -> None:
    polls = json.loads((demo[0] / "data" / "receiver.json").read_text())["polls"]
    days, cars = 3, 1
    assert 1 <= polls["saic"]["requests"] <= days * cars * 86_400 / 900
    assert polls["saic"]["requests"] < polls["smart"]["requests"]


def test_the_figures_of_the_mopeds_are_not_those_of_the_cars(demo: Demo) -> None:
    out, figures = demo
    assert {each["source"] for each in figures["queries"]} == {"segway"}
    assert figures["verdict"] == dict.fromkeys(figures["verdict"], 0)
    trips = pl.read_parquet(out / "truth" / "trips.parquet")
    compared = figures["analysis"]["trips"]
    assert compared["trips"]["true"] + compared["unobservable"] == trips.height


def test_no_secret_of_a_cloud_is_in_the_log(demo: Demo) -> None:
    text = (demo[0] / "run.log").read_text()
    assert "ERROR" not in text
    names = ("client", "token", "key", "session", "signing", "password")
    for secret in (f"simulated-{name}" for name in names):
        assert secret not in text


def test_no_cars_are_nothing(tmp_path: Path) -> None:
    none = CarFleet(0, 1, 1_790_000_000, 1)
    assert (none.vehicles, none.events, none.settings(tmp_path)) == ({}, [], "")
