"""What `check` finds about spool, lake and vehicles, on a real spool and a real lake."""

import json
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from logger.envelope import Envelope
from logger.errors import Retry
from logger.locks import exclusive_lock
from logger.service.feeder import wait_delivered
from logger.settings.load import load_settings
from logger.simulator.demo.pushes import body
from logger.spool.inspect import SpoolReader
from logger.spool.open import open_spool
from tests.helpers.check_setup import ONE, OTHER, Setup, only

STATUS = {"online": "true", "locked": "true", "powerPercent": "80", "statusUtcTime": "1790000000"}


def push(vehicle: str, age_s: float = 0.0, via: str = "push", fields: dict[str, str] = STATUS) -> Envelope:
    return Envelope("segway", "status", int((time.time() - age_s) * 1000), via, body(vehicle, fields))


def append(setup: Setup, *envelopes: Envelope, delivered: bool = False) -> None:
    settings = load_settings(setup.file)
    log = open_spool(settings)
    last = log.append(envelopes)
    log.close()
    if delivered:
        wait_delivered(settings, last, lambda waiting: None)


def write_feeder_state(setup: Setup, **state: object) -> None:
    """Write what a feeder reports."""
    (setup.data / "feeder-lake.json").write_text(json.dumps({"at": datetime.now(UTC).isoformat(), **state}))


# ---- what waits ----------------------------------------------------------------------------------------------------


def test_what_waits_is_the_same_seen_from_within_and_from_outside(tmp_path: Path) -> None:
    setup = Setup(tmp_path)
    append(setup, push(ONE, 100), push(OTHER, 50))
    log, seen = open_spool(load_settings(setup.file)), SpoolReader(setup.data)
    log.settle("lake", 1)
    within = log.depth("lake"), log.bytes
    (open_,) = seen.waiting(["lake"])
    assert (open_.messages, seen.bytes()) == within == (1, log.bytes)
    log.close()
    (closed,) = seen.waiting(["lake"])
    assert (closed, seen.bytes()) == (open_, within[1])
    assert [each.body for each in seen.newest(10)] == [push(ONE).body, push(OTHER).body]


def test_a_look_from_outside_makes_no_file(tmp_path: Path) -> None:
    setup = Setup(tmp_path)
    append(setup, push(ONE))
    before = sorted(setup.data.iterdir())
    SpoolReader(setup.data).waiting(["lake"])
    assert sorted(setup.data.iterdir()) == before


def test_messages_that_wait_while_nothing_runs_are_a_warning_with_their_age(tmp_path: Path) -> None:
    setup = Setup(tmp_path)
    append(setup, push(ONE, 7200), push(OTHER))
    finding = setup.found("sink lake")
    assert finding.level == "warning"
    assert finding.text == "no voltrail is running; 2 messages waiting, the oldest for 2 h"
    assert not list(setup.data.glob("spool.db-*"))


@pytest.mark.parametrize(
    ("age_s", "feeder", "level", "text"),
    [
        (0, {}, "ok", "1 message waiting"),
        (600, {}, "warning", "the oldest for 10 min"),
        (600, {"error": "the lake at /x: table status: no"}, "error", "table status: no"),
        (0, {"at": "2026-01-01T00:00:00+00:00"}, "error", "the feeder is silent for"),
    ],
)
def test_a_store_that_lags_beside_a_running_service_is_found(
    tmp_path: Path, age_s: float, feeder: dict[str, str], level: str, text: str
) -> None:
    setup = Setup(tmp_path)
    append(setup, push(ONE, age_s))
    write_feeder_state(setup, **feeder)
    with exclusive_lock(setup.data / "run.lock"):
        finding = setup.found("sink lake")
    assert finding.level == level
    assert text in finding.text


def test_a_spool_that_is_nearly_full_is_an_error(tmp_path: Path) -> None:
    setup = Setup(tmp_path)
    append(setup, push(ONE))
    used = SpoolReader(setup.data).bytes()
    finding = setup.replace("[collector]", f"[collector]\nmax_bytes = {used}").found("spool")
    assert finding.level == "error"
    assert "100% of max_bytes" in finding.text


@pytest.mark.parametrize(("times", "level"), [(1.8, "warning"), (1.05, "error")])
def test_a_spool_that_fills_says_early_which_sink_is_to_blame(tmp_path: Path, times: float, level: str) -> None:
    setup = Setup(tmp_path).add(
        '\n[sinks.influx]\nurl = "http://127.0.0.1:1"\nbucket = "b"\norg = "o"\ntoken_file = "segway.secret"\n'
    )
    append(setup, push(ONE), push(OTHER))
    with closing(open_spool(load_settings(setup.file))) as log:
        log.settle("lake", 2)
    limit = int(SpoolReader(setup.data).bytes() * times)
    finding = setup.replace("[collector]", f"[collector]\nmax_bytes = {limit}").found("spool")
    assert finding.level == level
    assert "for 2 messages that wait for the sink influx" in finding.text
    assert finding.remedy.startswith("mend influx")


def test_a_broken_spool_is_an_error_and_the_rest_is_looked_at(tmp_path: Path) -> None:
    setup = Setup(tmp_path)
    setup.data.mkdir()
    (setup.data / "spool.db").write_bytes(b"no database" * 1000)
    findings = setup.findings()
    assert only(findings, "spool").level == "error"
    assert "keep a copy" in only(findings, "spool").remedy
    assert only(findings, "vehicles segway").level == "warning"
    with pytest.raises(Retry, match="not a database"):
        SpoolReader(setup.data).bytes()


def test_a_broken_lake_is_an_error_and_the_rest_is_looked_at(tmp_path: Path) -> None:
    setup = Setup(tmp_path)
    append(setup, push(ONE), delivered=True)
    for entry in (setup.data / "lake" / "status" / "_delta_log").glob("*.json"):
        entry.write_text("no table")
    findings = setup.findings()
    assert only(findings, "lake").level == "error"
    assert "table status" in only(findings, "lake").text
    assert only(findings, "sink lake").level == "ok"
    assert "not looked at" in only(findings, "vehicles segway").text


# ---- which vehicles have reported ------------------------------------------------------------------------------------


def test_an_account_without_any_push_is_a_warning_that_says_what_to_register(tmp_path: Path) -> None:
    setup = Setup(tmp_path)
    finding = setup.found("pushes segway")
    assert finding.level == "warning"
    assert "none has ever come" in finding.text
    assert "register https://YOUR-HOST/simulated/segway" in finding.remedy


@pytest.mark.parametrize("delivered", [False, True])
def test_a_push_in_the_spool_or_in_the_lake_has_come_and_its_vehicle_has_reported(
    tmp_path: Path, delivered: bool
) -> None:
    setup = Setup(tmp_path)
    append(setup, push(ONE), delivered=delivered)
    findings = setup.findings()
    assert only(findings, "pushes segway").level == "ok"
    finding = only(findings, "vehicles segway")
    assert (finding.level, finding.text) == ("warning", f"1 of 2 has never reported: {OTHER}")


def test_a_push_of_a_stranger_came_too(tmp_path: Path) -> None:
    setup = Setup(tmp_path)
    append(setup, push("861000000000009"), delivered=True)
    assert setup.found("pushes segway").level == "ok"


def test_an_answer_is_no_push_and_shows_that_the_vehicle_reports(tmp_path: Path) -> None:
    setup = Setup(tmp_path)
    answer = {"code": 0, "t": int(time.time() * 1000), "data": {"iotCode": ONE, "statusUtcTime": int(time.time())}}
    body_of_answer = json.dumps(answer).encode()
    append(
        setup, Envelope("segway", "status-query", int(time.time() * 1000), "poll", body_of_answer, ONE), delivered=True
    )
    findings = setup.findings()
    assert only(findings, "pushes segway").level == "warning"
    assert only(findings, "vehicles segway").text == f"1 of 2 has never reported: {OTHER}"


def test_all_have_reported_and_vehicles_out_of_service_need_not(tmp_path: Path) -> None:
    setup = Setup(tmp_path).add(f'[vehicles."{OTHER}"]\nin_service = false\n')
    append(setup, push(ONE), delivered=True)
    assert setup.found("vehicles segway").text == "all 1 have reported"


def test_a_number_that_is_none_of_a_vehicle_is_a_warning(tmp_path: Path) -> None:
    setup = Setup(tmp_path).replace(OTHER, "86100")
    append(setup, push(ONE), push("86100"))
    texts = [each.text for each in setup.findings() if each.about == "vehicles segway"]
    assert texts == ["no number of a vehicle: 86100", "all 2 have reported"]


@pytest.mark.parametrize(("more", "level"), [("", "warning"), ('unknown_vehicles = "accept"\n', "ok")])
def test_an_account_that_lists_no_vehicle_takes_all_or_none(tmp_path: Path, more: str, level: str) -> None:
    setup = Setup(tmp_path).replace(f'"{ONE}", "{OTHER}"', "").add(more)
    assert setup.found("vehicles segway").level == level
