"""A small demo: real processes, real HTTP, and the stored data compared with the truth."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from logger.decode.intake_stats import HOUR_MS
from logger.settings import schema
from logger.settings.load import load_settings
from logger.spool.open import open_spool
from logger.stores import open_lake
from tests.helpers.command_line import voltrail

UNLISTED = b"=899999999999"
Demo = tuple[Path, dict[str, Any]]  # the folder and the figures


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    out = tmp_path_factory.mktemp("demo") / "out"
    words = ["demo", "--vehicles", "4", "--days", "2", "--seed", "5", "--out", str(out), "--no-open", "--json"]
    done = voltrail(out.parent, *words)
    assert done.returncode == 0, done.stderr
    return out, json.loads(done.stdout)


def test_every_message_that_was_answered_is_stored_exactly_once(demo: Demo) -> None:
    _, figures = demo
    assert figures["verdict"] == dict.fromkeys(figures["verdict"], 0)
    assert figures["complete"]
    assert figures["answered"] == figures["sent"] - figures["refused"] > 1000
    assert figures["stored"] == figures["expected"]
    repeated = figures["repeated"] + figures["same_second"]
    assert figures["stored"] + repeated + figures["quarantined"] == figures["answered"]
    assert figures["quarantined"] == 10
    assert figures["refused"] == 20


def test_it_ends_in_a_report_of_what_was_found_beside_the_truth(demo: Demo) -> None:
    out, figures = demo
    assert figures["report"] == str(out / "report.html")
    html = (out / "report.html").read_text()
    truth = html[html.index('<section id="truth"') : html.index('<section id="summary"')]
    trips = figures["analysis"]["trips"]["trips"]
    assert f'<data value="{float(trips["value"])}">' in truth or f'<data value="{trips["value"]}">' in truth
    assert f"in truth {trips['true']}<" in truth


def test_the_distance_of_every_vehicle_is_the_one_it_reported(demo: Demo) -> None:
    _, figures = demo
    for vehicle in figures["vehicles"]:
        assert vehicle["measured_m"] == vehicle["reported_m"] <= vehicle["driven_m"]
    assert sum(vehicle["measured_m"] for vehicle in figures["vehicles"]) > 1000


def test_fresh_pushes_save_the_polls_that_they_answer_and_no_others(demo: Demo) -> None:
    _, figures = demo
    queries = {each["query"]: each for each in figures["queries"]}
    assert set(queries) == {"status-query", "location-query", "extra-status", "battery-info"}
    for each in queries.values():
        assert each["requests"] == each["cloud_requests"] == each["answered"]
        assert each["failed"] == 0
    assert sum(each["answered"] for each in queries.values()) == figures["answers"]
    assert queries["battery-info"]["requests"] >= 6 > queries["battery-info"]["skipped"] == 0
    assert queries["status-query"]["skipped"] > queries["status-query"]["requests"]


def test_what_only_answers_contain_is_in_its_tables(demo: Demo) -> None:
    out, figures = demo
    store = open_lake(load_settings(out / "voltrail.toml"))
    for name in ("battery", "pack", "body"):
        rows = store.scan(name).collect()
        assert set(rows["via"]) == ({"poll"} if name == "body" else {"poll", "import"})
        assert set(rows["vehicle"]) <= {vehicle["vehicle"] for vehicle in figures["vehicles"]}
    assert store.scan("pack").collect()["pack_voltage_v"].is_between(39, 55).all()


def test_what_batteries_hold_stands_beside_the_truth(demo: Demo) -> None:
    _, figures = demo
    health = figures["analysis"]["health"]
    assert len(health["vehicles"]) + health["without"] == len(figures["vehicles"])
    assert all(each["true_wh"] > 0 for each in health["vehicles"])


def test_the_trips_are_the_true_ones(demo: Demo) -> None:
    out, figures = demo
    compared = figures["analysis"]["trips"]
    trips = pl.read_parquet(out / "truth" / "trips.parquet")
    assert compared["trips"]["true"] + compared["unobservable"] == trips.height > 5
    assert compared["trips"]["value"] == sum(compared["kinds"].values())
    assert compared["matched"] >= 0.9 * trips.height
    assert compared["distance_m"]["true"] <= trips["distance_m"].sum()  # as far as it was reported
    assert compared["distance_m"]["value"] == pytest.approx(compared["distance_m"]["true"], rel=0.02)
    assert 0.8 < compared["energy_wh"]["true"] / float(trips["energy_wh"].sum()) < 1 + 1e-9


def test_charges_by_cable_are_found_with_their_cost(demo: Demo) -> None:
    out, figures = demo
    compared = figures["analysis"]["charges"]
    truth = pl.read_parquet(out / "truth" / "charges.parquet").drop_nulls("port")
    assert compared["sessions"] + compared["unobservable"] == truth.n_unique(["vehicle", "started_at"]) >= 1
    assert compared["matched"] >= compared["sessions"] - 1
    if not compared["unobservable"]:
        assert compared["energy_wh"]["true"] == pytest.approx(truth["energy_wh"].sum())
        assert compared["cost"]["true"] == pytest.approx(float(truth["wall_wh"].sum()) / 1000 * 0.30)
    priced = open_lake(load_settings(out / "voltrail.toml")).scan("charges").drop_nulls("cost").collect()
    assert set(priced["currency"]) == {"EUR"}
    assert compared["cost"]["value"] == pytest.approx(compared["energy_wh"]["value"] / 1000 * 0.30 / 0.90)


def test_every_sum_of_the_demo_has_an_interval_that_contains_the_truth(demo: Demo) -> None:
    out, figures = demo
    trips, charges = figures["analysis"]["trips"], figures["analysis"]["charges"]
    pushed_m = pl.read_parquet(out / "truth" / "odometer.parquet")["pushed_m"].sum()
    for each in (trips["trips"], trips["energy_wh"], charges["energy_wh"], charges["cost"]):
        assert each["low"] <= each["value"] <= each["high"]
        assert each["low"] <= each["true"] <= each["high"]
    metres = trips["distance_m"]  # metres pushed by hand right before a trip look like a part of it
    assert metres["low"] - pushed_m <= metres["true"] <= metres["high"]


def test_the_truth_is_written_beside_the_results(demo: Demo) -> None:
    out, figures = demo
    trips = pl.read_parquet(out / "truth" / "trips.parquet")
    assert trips.height == sum(vehicle["trips"] for vehicle in figures["vehicles"])


def test_the_collector_has_heartbeats(demo: Demo) -> None:
    out, _ = demo
    heartbeats = open_lake(load_settings(out / "voltrail.toml")).scan("collector").collect()
    assert heartbeats.height >= 1
    assert heartbeats["provider"].to_list() == ["none"] * heartbeats.height


def test_the_intake_statistics_count_every_message(demo: Demo) -> None:
    out, figures = demo
    settings = load_settings(out / "voltrail.toml")
    intake = open_lake(settings).scan("intake").collect()
    messages = list(identities(settings))
    pushes = figures["answered"] - figures["quarantined"]
    assert intake["received"].sum() == pushes + figures["answers"] == len(messages)
    assert intake["duplicates"].sum() == len(messages) - len(set(messages)) >= figures["repeated"] > 0
    assert set(intake["source"]) == {"segway"}


def identities(settings: schema.Settings) -> Iterator[tuple[object, ...]]:
    """Yield for each message of a listed vehicle what makes it different from all others received in its hour."""
    log = open_spool(settings)
    for batch in log.read_settled("lake", 0):
        for each in batch.envelopes:
            if each.source == "segway" and UNLISTED not in each.body:
                identity = each.body[-32:] if each.via == "push" else (each.vehicle, json.loads(each.body)["t"])
                yield each.received_at // HOUR_MS, each.path, identity
    log.close()


def test_the_same_seed_gives_the_same_pushes(tmp_path: Path) -> None:
    from logger.simulator.vehicle.fleet import fleet
    from logger.simulator.vehicle.transmission import transmit

    def pushes(seed: int) -> list[Any]:
        return [transmit(simulation, seed) for simulation in fleet(2, seed, 1_700_000_000, 2)]

    assert pushes(5) == pushes(5)
    assert pushes(5) != pushes(6)


def test_the_log_of_the_service_holds_no_error(demo: Demo) -> None:
    out, _ = demo
    text = (out / "run.log").read_text()
    assert "ERROR" not in text
    assert "Traceback" not in text
    assert pl.read_json(out / "data" / "feeder-lake.json")["failures"].to_list() == [0]
