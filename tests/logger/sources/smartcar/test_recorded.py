"""Webhooks and answers that real cars sent decode to what they said."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from logger.decode.result import DecodeResult
from logger.envelope import Envelope
from tests.conftest import SHARED
from tests.helpers.segway_pushes import decode_all
from tests.helpers.source_kits import account_of

FOLDER = SHARED / "data" / "payloads" / "smartcar"
DAY_MS = 86_400_000


def recorded(name: str) -> bytes:
    path: Path = FOLDER / name
    if not path.is_file():
        pytest.skip(f"no recordings: {path} is not there")
    return path.read_bytes()


def decode(body: bytes, path: str, received: str, vehicle: str = "", copies: int = 1) -> DecodeResult:
    account = account_of("smartcar", unknown_vehicles="accept")
    at = int(datetime.fromisoformat(received).timestamp() * 1000)
    via = "poll" if vehicle else "push"
    messages = [Envelope("smartcar", path, at + n * DAY_MS, via, body, vehicle) for n in range(copies)]
    return decode_all(*messages, sources={"smartcar": account})


def values(result: DecodeResult) -> dict[str, Any]:
    """Every value of every row, by column; no column has two."""
    found: dict[str, Any] = {}
    for name, rows in result.rows.items():
        for row in rows.to_dicts():
            kept = {key: value for key, value in row.items() if value is not None}
            found |= {f"{name}.{key}": value for key, value in kept.items()}
    return found


def test_a_plug_in_hybrid_that_rests() -> None:
    found = values(decode(recorded("byd_seal_all.json"), "webhook", "2026-01-09T00:53:30Z"))
    assert (found["status.soc_pct"], found["status.odometer_m"]) == (78, 10_321_000)
    assert (found["status.locked"], found["status.online"], found["status.asleep"]) == (True, True, False)
    assert str(found["status.time"]) == "2026-01-09 00:53:21+00:00"
    assert found["status.clock"] == "device"
    assert "status.flags" not in found


def test_a_car_that_charges_by_three_phases() -> None:
    result = decode(recorded("polestar_2_all.json"), "webhook", "2026-02-01T09:25:45Z")
    found = values(result)
    status = {name: found[f"status.{name}"] for name in ("soc_pct", "odometer_m", "range_m", "charge_left_s")}
    assert status == {"soc_pct": 89, "odometer_m": 42_506_300, "range_m": 290_000, "charge_left_s": 900}
    assert (found["status.charging"], found["status.charge_state"], found["status.plugged"]) == (True, "charging", True)
    assert found["status.charge_limit_pct"] == 90
    battery = {name.removeprefix("battery."): found[name] for name in found if name.startswith("battery.")}
    assert battery["nominal_wh"] == 82_000
    assert (battery["charger_current_a"], battery["charger_max_a"]) == (7, 18)
    assert (battery["charger_power_w"], battery["charger_voltage_v"]) == (4683, 223)
    assert (battery["charger_phases"], battery["charger_kind"]) == (3, "ac")
    assert (found["event.kind"], found["event.code"], found["event.state"]) == ("firmware", "4.2.13", "appeared")
    openings = ("doors_open", "windows_open", "trunk_open", "hood_open")
    assert [found[f"body.{name}"] for name in openings] == [False] * 4
    assert "body.sunroof_open" not in found
    assert (round(found["location.lat_deg"], 3), round(found["location.lon_deg"], 3)) == (61.111, 23.333)


def test_each_value_stands_at_the_moment_at_which_the_car_measured_it() -> None:
    rows = decode(recorded("polestar_2_all.json"), "webhook", "2026-02-01T09:25:45Z").rows["status"]
    moments = {str(row["time"]): row for row in rows.to_dicts()}
    assert moments["2026-02-01 09:25:33+00:00"]["soc_pct"] == 89
    assert moments["2026-01-31 09:47:40+00:00"]["odometer_m"] == 42_506_300
    assert moments["2026-02-01 09:03:40+00:00"]["online"] is True


@pytest.mark.parametrize("name", ["byd_seal_all.json", "polestar_2_all.json", "vw_id_4_all.json"])
def test_an_event_that_comes_again_at_once_or_forty_days_later_makes_no_row_more(name: str) -> None:
    body = recorded(name)
    once = decode(body, "webhook", "2026-02-01T09:25:45Z").rows
    again = decode(body, "webhook", "2026-02-01T09:25:45Z", copies=41).rows
    for table, rows in once.items():
        keys = ["vehicle", "time", *(["kind", "code"] if table == "event" else [])]
        assert again[table].select(keys).unique().sort(keys).equals(rows.select(keys).unique().sort(keys))


def test_signals_with_an_error_make_no_value_and_a_missing_time_is_that_of_the_receipt() -> None:
    rows = decode(recorded("vw_id_4_all.json"), "webhook", "2025-09-18T23:40:00Z").rows["status"].to_dicts()
    (timeless,) = [row for row in rows if row["clock"] == "received"]
    assert (timeless["charging"], timeless["flags"]) == (False, ["time_missing"])
    assert not [row for row in rows if row["locked"] is not None or row["range_m"] is not None]
    assert {row["soc_pct"] for row in rows} == {42, None}


def test_an_event_of_errors_makes_no_row_and_is_no_fault() -> None:
    result = decode(recorded("vw_id_4_error.json"), "webhook", "2025-09-18T19:40:00Z")
    assert (result.rows, result.messages.height) == ({}, 1)


def test_a_test_of_the_webhook_is_not_stored_among_real_values() -> None:
    result = decode(recorded("vw_id_4_test_mode.json"), "webhook", "2025-09-18T23:40:00Z")
    assert list(result.rows) == ["quarantine"]
    assert "TEST" in result.rows["quarantine"]["reason"][0]


def test_a_recorded_batch_has_its_values_at_their_moments() -> None:
    (call,) = json.loads(recorded("api_vw_id_4.ok.json"))
    body = json.dumps(call["response"]).encode()
    result = decode(body, "state", "2025-05-09T17:27:27Z", vehicle="7b0c2f6e-1d34-4a58-9e21-5c4d3b2a1f01")
    found = values(result)
    assert (found["status.soc_pct"], found["status.range_m"], found["status.odometer_m"]) == (68, 275_000, 21_919_000)
    assert (found["status.plugged"], found["status.charging"], found["status.charge_limit_pct"]) == (False, False, 100)
    assert found["battery.nominal_wh"] == 82_000
    assert (found["location.lat_deg"], found["location.lon_deg"]) == (37.4292, 122.1381)
    assert "2025-05-09 15:40:57+00:00" in {str(row["time"]) for row in result.rows["status"].to_dicts()}


def test_a_recorded_batch_in_miles_is_converted() -> None:
    (call,) = json.loads(recorded("api_vw_id_4.imperial.json"))
    body = json.dumps(call["response"]).encode()
    found = values(decode(body, "state", "2019-10-24T00:45:00Z", vehicle="7b0c2f6e-1d34-4a58-9e21-5c4d3b2a1f01"))
    assert found["status.odometer_m"] == pytest.approx(37829 * 1609.344)
