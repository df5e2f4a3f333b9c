"""Answers of the cloud become rows. The traps of the documentation are numbered as in the README beside the source."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from logger.decode.result import DecodeResult
from logger.envelope import Envelope
from logger.errors import ConfigError
from logger.settings.schema import Model
from logger.settings.schema import Segway as Settings
from logger.sources.segway import api
from logger.sources.segway.api import QUERIES
from logger.sources.segway.login import REGIONS, base_url
from logger.sources.segway.messages import CODES, answer_shapes
from tests.helpers.segway_pushes import RECEIVED, VEHICLE, account, decode_all, rows

ANSWERED = RECEIVED - 500  # the server's time in an answer [ms]
STATUS = {
    "iotCode": VEHICLE,
    "online": True,
    "locked": False,
    "lockVoltage": 342,
    "networkSignal": 22,
    "charging": False,
    "powerPercent": 80,
    "speedMode": 1,
    "speed": 20,
    "odometer": 9000,
    "remainderRange": 3000,
    "totalRidingSecs": 110,
    "statusUtcTime": ANSWERED // 1000 - 3,
}
BATTERY = {
    "charging": True,
    "vehiclePercent": 79,
    "batteryCount": 3,
    "drivingVoltage": 80,
    "currentPower": 312,
    "iotPercent": 90,
    "iotVoltage": 411,
    "batteryData": [
        {"batteryPort": 1, "batteryPercent": 81, "batteryVoltage": 48, "cycleTimes": 12, "temperatrue": 21},
        {"batteryPort": 2, "batteryPercent": 77, "batteryVoltage": 47, "cycleTimes": 30, "temperature": 22},
        {"batteryPort": 3, "batteryPercent": 75, "batteryVoltage": 47, "cycleTimes": 31, "temperatrue1": 23},
    ],
}
LOCATION = {"latitude": 22.6, "longitude": 114.1, "satelliteNumber": 6, "hdop": 1.38, "altitude": 10.1}


def answer(data: Any, code: Any = 0, **more: Any) -> bytes:
    """The body of an answer with these data, code and further members."""
    return json.dumps({"code": code, "msg": "Success", "data": data, "t": ANSWERED, "opId": "x", **more}).encode()


def decode_answer(query: str, body: bytes, vehicle: str = VEHICLE, at: int = RECEIVED) -> DecodeResult:
    """The result of decoding this answer to a query."""
    moped = account()
    moped.shapes = {**moped.shapes, **answer_shapes(Model())}
    return decode_all(Envelope("moped", query, at, "poll", body, vehicle), sources={"moped": moped})


def only_row(result: DecodeResult, table: str) -> dict[str, Any]:
    """The one row of this table."""
    (row,) = rows(result, table)
    return row


def moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def test_a_status_answer_makes_the_row_that_the_push_would_make() -> None:
    row = only_row(decode_answer("status-query", answer(STATUS)), "status")
    assert (row["soc_pct"], row["locked"], row["odometer_m"], row["speed_kmh"]) == (80.0, False, 9000.0, 20.0)
    assert (row["lock_voltage_v"], row["range_m"], row["ride_time_s"]) == (3.42, 30_000.0, 110.0)
    assert (row["via"], row["clock"], row["vehicle"]) == ("poll", "device", VEHICLE)


def test_trap_02_either_spelling_of_the_remaining_range_is_read() -> None:
    status = {name: value for name, value in STATUS.items() if name != "remainderRange"}
    row = only_row(decode_answer("status-query", answer({**status, "remainingRange": 123})), "status")
    assert row["range_m"] == 1230.0


@pytest.mark.parametrize("name", ["gpsUtcTime", "gpsUTCTime"])
@pytest.mark.parametrize("kind", [int, str])
def test_trap_03_the_time_of_a_fix_is_a_number_or_a_text_under_either_name(name: str, kind: type) -> None:
    row = only_row(decode_answer("location-query", answer({**LOCATION, name: kind(ANSWERED // 1000)})), "location")
    assert (row["time"], row["clock"]) == (moment(ANSWERED // 1000 * 1000), "device")
    assert (row["lat_deg"], row["lon_deg"], row["satellites"], row["hdop"]) == (22.6, 114.1, 6, 1.38)


def test_trap_04_seconds_and_milliseconds_are_distinguished_by_size() -> None:
    row = only_row(decode_answer("status-query", answer({**STATUS, "statusUtcTime": ANSWERED})), "status")
    assert row["time"] == moment(ANSWERED)


def test_trap_05_an_answer_26_days_old_has_the_devices_time_and_not_the_servers() -> None:
    old = ANSWERED - 26 * 86_400_000
    row = only_row(decode_answer("status-query", answer({**STATUS, "statusUtcTime": old // 1000})), "status")
    assert (row["time"], row["clock"], row["flags"]) == (moment(old // 1000 * 1000), "device", None)


def test_trap_06_the_temperature_of_a_pack_is_read_however_it_is_spelled() -> None:
    packs = rows(decode_answer("battery-info", answer(BATTERY)), "pack")
    assert {row["port"]: row["pack_c"] for row in packs} == {"1": 21.0, "2": 22.0, "3": 23.0}


@pytest.mark.parametrize("trace", ["opId", "resId"])
def test_trap_07_either_name_of_the_trace_is_fine(trace: str) -> None:
    body = json.dumps({"code": 0, "msg": "ok", "data": BATTERY, "t": ANSWERED, trace: "x"}).encode()
    assert only_row(decode_answer("battery-info", body), "battery")["bms_soc_pct"] == 79.0


def test_trap_14_an_answer_that_is_no_json_is_in_quarantine_with_its_bytes() -> None:
    body = "{“code”:0,msg:ok}".encode()
    row = only_row(decode_answer("status-query", body), "quarantine")
    assert row["reason"].startswith("not JSON")
    assert row["body"] == body


@pytest.mark.parametrize("text", ["Success", "success", ""])
def test_trap_15_the_code_decides_and_not_the_text(text: str) -> None:
    assert only_row(decode_answer("status-query", answer(STATUS, msg=text)), "status")["soc_pct"] == 80.0
    assert only_row(decode_answer("status-query", answer(STATUS, code="0")), "status")["soc_pct"] == 80.0


def test_trap_20_a_driving_voltage_of_80_is_read_as_volts_and_flagged() -> None:
    row = only_row(decode_answer("battery-info", answer(BATTERY)), "battery")
    assert (row["voltage_v"], row["flags"]) == (80.0, ["unit:voltage_v"])


def test_trap_21_a_lock_is_1_when_locked_and_cruise_is_on_at_1() -> None:
    extra = {"seatCaskHelmet": 1, "tailboxHelmet": 2, "peopleSat": 1, "cruiseStatus": 0}
    extra |= {"saddleStatus": 1, "tailboxStatus": 0, "handlebarStatus": 1, "kickstand": 1}
    row = only_row(decode_answer("extra-status", answer(extra)), "body")
    assert (row["helmets_seat"], row["helmets_tailbox"], row["occupied"], row["cruise"]) == (1, 2, True, False)
    locks = ("saddle_locked", "tailbox_locked", "handlebar_locked", "kickstand_open")
    assert [row[name] for name in locks] == [True, False, True, True]


def test_trap_23_a_third_battery_is_a_pack_like_the_others() -> None:
    packs = rows(decode_answer("battery-info", answer(BATTERY)), "pack")
    assert [(row["port"], row["pack_soc_pct"], row["pack_cycles"]) for row in packs] == [
        ("1", 81.0, 12),
        ("2", 77.0, 30),
        ("3", 75.0, 31),
    ]


def test_trap_26_charging_and_percent_of_the_battery_are_stored_beside_those_of_the_display() -> None:
    status = only_row(decode_answer("status-query", answer(STATUS)), "status")
    battery = only_row(decode_answer("battery-info", answer(BATTERY)), "battery")
    assert (status["charging"], status["soc_pct"]) == (False, 80.0)
    assert (battery["bms_charging"], battery["bms_soc_pct"]) == (True, 79.0)


@pytest.mark.parametrize(
    ("query", "data", "table"), [("extra-status", {"kickstand": 1}, "body"), ("battery-info", BATTERY, "battery")]
)
def test_trap_27_an_answer_without_a_device_time_has_the_servers(query: str, data: Any, table: str) -> None:
    row = only_row(decode_answer(query, answer(data)), table)
    assert (row["time"], row["clock"]) == (moment(ANSWERED), "server")


@pytest.mark.parametrize("code", [15300, 15301, 15302, 15303])
@pytest.mark.parametrize("query", QUERIES)
def test_a_vehicle_that_cannot_be_reached_is_offline_at_the_servers_time(query: str, code: int) -> None:
    result = decode_answer(query, answer(None, code))
    row = only_row(result, "status")
    assert (row["online"], row["soc_pct"], row["clock"], row["time"]) == (False, None, "server", moment(ANSWERED))
    assert set(result.rows) == {"status"}


@pytest.mark.parametrize("code", [15400, 15500])
def test_the_codes_for_no_location_and_for_an_upgrade_make_no_row(code: int) -> None:
    assert decode_answer("location-query", answer(None, code)).rows == {}


@pytest.mark.parametrize("code", [15004, 15100, 15102, 15101, 15001, 15707, 15990, 99999, None, "no number"])
def test_any_other_code_is_kept_in_quarantine_with_the_code(code: Any) -> None:
    row = only_row(decode_answer("status-query", answer(None, code)), "quarantine")
    assert row["reason"].startswith("the vendor answered")


def test_the_answer_of_another_vehicle_is_stored_for_none() -> None:
    result = decode_answer("status-query", answer({**STATUS, "iotCode": "861477038719999"}))
    assert set(result.rows) == {"quarantine"}
    assert "another vehicle" in only_row(result, "quarantine")["reason"]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b'{"code":0', b"<html>", b"\xff\xfe", b'{"code":0,"data":[1],"t":"x"}']
)
def test_bytes_that_are_no_answer_make_no_row_outside_quarantine(body: bytes) -> None:
    result = decode_answer("battery-info", body)
    assert set(result.rows) <= {"quarantine"}


def test_a_value_of_a_wrong_type_loses_its_field_and_not_the_answer() -> None:
    wrong = {**STATUS, "powerPercent": {"value": 80}, "odometer": "far", "locked": 2, "speed": None, "online": "true"}
    row = only_row(decode_answer("status-query", answer(wrong)), "status")
    assert (row["soc_pct"], row["odometer_m"], row["locked"], row["speed_kmh"], row["online"]) == (
        None,
        None,
        None,
        None,
        True,
    )
    assert row["flags"] == ["unreadable:locked", "unreadable:odometer_m"]


def test_a_pack_without_a_port_makes_no_row() -> None:
    data = {**BATTERY, "batteryData": [{"batteryPercent": 50}, "odd", None]}
    assert "pack" not in decode_answer("battery-info", answer(data)).rows


def test_all_38_codes_are_sorted() -> None:
    assert len(CODES) == 38
    assert {CODES[code] for code in (15623, 15624, 15625)} == {"unavailable"}
    assert {code for code, meaning in CODES.items() if meaning == "unsupported"} == {15004, 15100, 15102, 15707, 15990}
    assert [code for code, meaning in CODES.items() if meaning == "login"] == [15101]
    assert [code for code, meaning in CODES.items() if meaning == "retry"] == [15001]


def test_no_query_gets_a_key_of_a_lock_or_controls_a_vehicle() -> None:
    assert set(QUERIES) == {"status-query", "location-query", "extra-status", "battery-info"}
    for path in QUERIES.values():
        assert "/query/current/" in path
        assert not any(word in path for word in ("bluetooth", "control", "setting", "key"))
    source = Path(api.__file__).read_text()
    assert "/control/" not in source
    assert "/setting/" not in source
    assert "bluetooth-key" not in source


@pytest.mark.parametrize(("letter", "region"), REGIONS.items())
def test_the_region_follows_from_the_first_letter_of_the_platform_code(letter: str, region: str) -> None:
    assert base_url(Settings("x", f"{letter}20081")) == f"https://{region}-api.segwaydiscovery.com"
    assert base_url(Settings("x", f"{letter}20081", base_url="http://cloud/")) == "http://cloud"


def test_the_error_for_a_platform_code_without_region_says_what_is_wrong() -> None:
    with pytest.raises(ConfigError, match="names no region by its first letter"):
        base_url(Settings("x", "X20081"))
