"""The rows that a message must make, by the vendor's words alone."""

import json

import polars as pl

from logger.simulator.demo.expected_rows import ExpectedRow, answer_rows, date_rows, push_row, quarantine_row

DAY_MS = 86_400_000
RECEIVED = 1_790_000_000_000


def test_a_push_makes_one_row_at_the_vehicles_time() -> None:
    assert push_row("status", {"odometer": "7", "statusUtcTime": "5"}) == ExpectedRow("status", 5000, "", 7)
    assert push_row("location", {"gpsUtcTime": "5"}) == ExpectedRow("location", 5000)
    fault = {"code": "E2", "faultStatus": "0", "statusUtcTime": "5"}
    assert push_row("fault", fault) == ExpectedRow("event", 5000, "fault E2")
    assert push_row("components", {"type": "4", "status": "1", "statusUtcTime": "5"}).subkey == "component 4"


def answer(code: int, data: object) -> bytes:
    return json.dumps({"code": code, "data": data, "t": 9000}).encode()


def test_an_answer_makes_a_row_for_each_of_its_parts_and_none_without_data() -> None:
    packs = {"batteryData": [{"batteryPort": 1}, {"batteryPort": 2}]}
    battery = [ExpectedRow("battery", 9000), ExpectedRow("pack", 9000, "1"), ExpectedRow("pack", 9000, "2")]
    assert answer_rows("battery-info", answer(0, packs)) == battery
    assert answer_rows("extra-status", answer(0, {})) == [ExpectedRow("body", 9000)]
    status = answer(0, {"statusUtcTime": 5, "odometer": 7})
    assert answer_rows("status-query", status) == [ExpectedRow("status", 5000, "", 7)]
    assert answer_rows("location-query", answer(0, {"gpsUtcTime": "5"})) == [ExpectedRow("location", 5000)]
    assert answer_rows("location-query", answer(15400, None)) == []
    assert answer_rows("battery-info", answer(15301, None)) == [ExpectedRow("status", 9000)]
    assert answer_rows("battery-info", answer(15102, None)) == [quarantine_row(answer(15102, None))]


def test_a_device_time_outside_its_bounds_is_replaced_by_the_first_receipt() -> None:
    received = pl.DataFrame(
        {"path": "status", "identity": ["a", "b", "c", "b"], "received_at": [RECEIVED + ms for ms in (0, 1, 2, 3)]}
    )
    device_at = [RECEIVED + 600_000, RECEIVED + 600_002, RECEIVED - 30 * DAY_MS, RECEIVED + 600_002]
    rows = pl.DataFrame({"path": "status", "identity": ["a", "b", "c", "b"], "device_at": device_at})
    dated = date_rows(rows, received)
    assert dated["clock_error"].to_list() == [None, "ahead", "behind", "ahead"]
    assert (dated["time"] - RECEIVED).to_list() == [600_000, 1, 2, 1]


def test_a_row_without_a_device_time_lies_at_its_receipt() -> None:
    received = pl.DataFrame({"path": ["status"], "identity": ["a"], "received_at": [RECEIVED]})
    rows = pl.DataFrame(
        {"path": ["status"], "identity": ["a"], "device_at": [None]}, schema_overrides={"device_at": pl.Int64}
    )
    assert date_rows(rows, received).select("time", "clock_error").row(0) == (RECEIVED, None)
