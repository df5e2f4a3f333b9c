"""The traps of the vendor's documentation that a push can show, numbered as in the README beside the source."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from logger.decode.odometer_check import OdometerCheck
from logger.errors import Forged
from logger.receive.app import Receiver
from logger.receive.metrics import ReceiverMetrics
from logger.settings.schema import Model
from logger.sources.segway.account import SegwayAccount
from logger.sources.segway.api import QUERIES
from logger.sources.segway.messages import ALERTS, COMPONENTS, FAULT_SYSTEMS, FAULTS, PATHS
from logger.sources.segway.signature import Verifier
from logger.spool.group_commit import GroupCommit
from logger.spool.log import Spool
from tests.helpers.segway_pushes import (
    AT,
    EVENTS,
    IDS,
    OTHER,
    RECEIVED,
    SAMPLES,
    SECRET,
    VEHICLE,
    account,
    body,
    decode_all,
    envelope,
    form,
    reason,
    row,
    rows,
    signed_body,
)

SENT_AT = datetime.fromtimestamp(AT, UTC)
RECEIVED_AT = SENT_AT + timedelta(milliseconds=1500)


# ---- status --------------------------------------------------------------------------------------------------------


def test_the_sample_of_a_status_makes_one_row_with_all_its_values() -> None:
    assert {name: value for name, value in row("status").items() if value is not None} == {
        "provider": "segway",
        "vehicle": VEHICLE,
        "time": SENT_AT,
        "online": True,
        "locked": False,
        "charging": False,
        "charge_state": "unknown",
        "soc_pct": 80.0,
        "speed_kmh": 20.0,
        "odometer_m": 9000.0,
        "range_m": 30000.0,
        "ride_time_s": 110.0,
        "ride_mode": 1,
        "network_signal": 22,
        "lock_voltage_v": 4.12,
        "received_at": RECEIVED_AT,
        "via": "push",
        "clock": "device",
        "flags": [],
        "sequence": 1,
    }


@pytest.mark.parametrize(
    ("sent", "volt"), [("412", 4.12), ("342", 3.42), ("411", 4.11), ("999", 9.99), ("3420", 3.42), ("6000", 6.0)]
)
def test_trap_01_lock_voltage_is_hundredths_of_a_volt(sent: str, volt: float) -> None:
    values = row("status", lockVoltage=sent)
    assert (values["lock_voltage_v"], values["flags"]) == (volt, [])


def test_trap_01_hundredths_and_thousandths_are_exact() -> None:
    sent = [*range(250, 451), *range(2500, 6001, 7)]
    pushes = [envelope("status", body("status", lockVoltage=f"{each}")) for each in sent]
    volts = [each["lock_voltage_v"] for each in rows(decode_all(*pushes), "status")]
    assert volts == [each / 100 if each < 1000 else each / 1000 for each in sent]


@pytest.mark.parametrize("sent", ["1000", "1500", "2499", "6001", "-412"])
def test_trap_01_a_lock_voltage_that_fits_neither_unit_is_null_and_flagged(sent: str) -> None:
    values = row("status", lockVoltage=sent)
    assert values["lock_voltage_v"] is None
    assert values["flags"] == ["implausible:lock_voltage_v", "unit:lock_voltage_v"]


def test_trap_01_a_dead_cell_is_implausible_though_its_unit_is_known() -> None:
    values = row("status", lockVoltage="0")
    assert (values["lock_voltage_v"], values["flags"]) == (None, ["implausible:lock_voltage_v"])


@pytest.mark.parametrize("name", ["remainingRange", "remainderRange"])
def test_trap_02_the_range_is_read_under_either_name_in_tens_of_metres(name: str) -> None:
    values = row("status", without={"remainingRange", "remainderRange"} - {name}, **{name: "3000"})
    assert (values["range_m"], values["flags"]) == (30000.0, [])


def test_trap_02_two_ranges_that_agree_are_one() -> None:
    values = row("status", remainderRange="3000")
    assert (values["range_m"], values["flags"]) == (30000.0, [])


def test_trap_02_two_ranges_that_differ_are_flagged_and_the_first_is_kept() -> None:
    values = row("status", remainderRange="2900")
    assert (values["range_m"], values["flags"]) == (30000.0, ["differ:range_m"])


def test_trap_02_a_blank_range_is_ignored_for_the_other() -> None:
    values = row("status", remainingRange="", remainderRange="2900")
    assert (values["range_m"], values["flags"]) == (29000.0, [])


def test_trap_11_speed_mode_zero_means_unknown() -> None:
    assert [row("status", speedMode=mode)["ride_mode"] for mode in "0123"] == [None, 1, 2, 3]
    assert row("status", speedMode="0")["flags"] == []


@pytest.mark.parametrize("name", ["online", "locked", "charging"])
def test_trap_12_the_text_false_is_not_true(name: str) -> None:
    assert [row("status", **{name: text})[name] for text in ("true", "false", "1", "0")] == [True, False, True, False]


def test_trap_12_the_case_of_a_boolean_does_not_matter() -> None:
    assert [row("status", locked=text)["locked"] for text in ("True", "FALSE", " true ")] == [True, False, True]


@pytest.mark.parametrize("text", ["yes", "2", "on", "null", "-"])
def test_trap_12_any_other_text_is_neither_true_nor_false(text: str) -> None:
    values = row("status", locked=text)
    assert (values["locked"], values["flags"]) == (None, ["unreadable:locked"])


def test_trap_12_a_blank_is_neither_true_nor_false_and_not_flagged() -> None:
    values = row("status", locked="")
    assert (values["locked"], values["flags"]) == (None, [])


def test_trap_16_speed_is_in_kmh_unless_the_settings_scale_it() -> None:
    in_mph = account(scales=Model(speed_scale=1.609344))
    assert row("status")["speed_kmh"] == 20.0
    assert row("status", in_mph)["speed_kmh"] == pytest.approx(32.18688)


def test_trap_17_the_odometer_is_in_metres_unless_the_settings_scale_it() -> None:
    legacy = account(scales=Model(odometer_scale=10))
    assert row("status")["odometer_m"] == 9000.0
    assert row("status", legacy)["odometer_m"] == 90000.0


def test_trap_17_a_wrong_scale_shows_as_a_jump_beyond_two_hundred_kmh() -> None:
    pushes = [
        envelope("status", body("status", odometer=f"{odometer}", statusUtcTime=f"{AT + seconds}"))
        for seconds, odometer in ((0, 9000), (10, 9555), (20, 10200), (30, 10190))
    ]
    checked = OdometerCheck(pl.DataFrame(schema=decode_all(pushes[0]).rows["status"].schema)).check(
        decode_all(*pushes).rows["status"]
    )
    assert checked["odometer_m"].to_list() == [9000, 9555, 10200, 10190]
    assert checked["flags"].to_list() == [None, None, ["odometer_jump"], ["odometer_back"]]


@pytest.mark.parametrize("sent", ["2", "22", "32", "99", "0"])
def test_trap_25_the_radio_signal_is_stored_as_it_came(sent: str) -> None:
    values = row("status", networkSignal=sent)
    assert (values["network_signal"], values["flags"]) == (int(sent), [])


def test_trap_26_charging_and_percent_of_a_status_are_not_those_of_the_battery() -> None:
    result = decode_all(envelope("status", body("status", charging="true", powerPercent="81")))
    (status,) = rows(result, "status")
    assert (status["charging"], status["charge_state"], status["soc_pct"]) == (True, "charging", 81.0)
    assert list(result.rows) == ["status"]


# ---- times ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["gpsUtcTime", "gpsUTCTime"])
@pytest.mark.parametrize("text", [f"{AT}", f" {AT}", f"{AT}.0", f"{AT}000"])
def test_trap_03_the_time_of_a_fix_is_read_in_either_spelling(name: str, text: str) -> None:
    values = row("location", without={"gpsUtcTime"} - {name}, **{name: text})
    assert (values["time"], values["clock"], values["flags"]) == (SENT_AT, "device", [])


@pytest.mark.parametrize(
    ("text", "milliseconds"), [(f"{AT}", 0), (f"{AT}.25", 250), (f"{AT}000", 0), (f"{AT}123", 123)]
)
def test_trap_04_seconds_and_milliseconds_are_distinguished_by_size(text: str, milliseconds: int) -> None:
    values = row("status", statusUtcTime=text)
    assert values["time"] == SENT_AT + timedelta(milliseconds=milliseconds)
    assert (values["clock"], values["flags"]) == ("device", [])


@pytest.mark.parametrize(
    ("text", "flag"),
    [
        ("99999999999", "time_ahead"),  # a second of the year 5138
        ("100000000000", "time_behind"),  # a millisecond of 1973
        ("99999999999999", "time_ahead"),
        ("100000000000000", "time_missing"),
    ],
)
def test_trap_04_the_bounds_between_the_sizes_are_1e11_and_1e14(text: str, flag: str) -> None:
    assert row("status", statusUtcTime=text)["flags"] == [flag]


@pytest.mark.parametrize("text", [f"{AT}000000", f"{AT}000000000", "", "{tinmstamp}", "nan", "inf", "-inf"])
def test_trap_04_any_other_size_is_no_time(text: str) -> None:
    values = row("status", statusUtcTime=text)
    assert (values["time"], values["clock"], values["flags"]) == (RECEIVED_AT, "received", ["time_missing"])


# ---- location ------------------------------------------------------------------------------------------------------


def test_the_sample_of_a_location_makes_one_row_with_all_its_values() -> None:
    assert {name: value for name, value in row("location").items() if value is not None} == {
        "provider": "segway",
        "vehicle": VEHICLE,
        "time": SENT_AT,
        "lat_deg": 22.634228,
        "lon_deg": 114.125962,
        "altitude_m": 10.1,
        "hdop": 1.38,
        "satellites": 6,
        "fix_valid": True,
        "received_at": RECEIVED_AT,
        "via": "push",
        "clock": "device",
        "flags": [],
        "sequence": 1,
    }


def test_trap_08_the_satellite_number_is_a_count_and_no_longitude() -> None:
    values = row("location", satelliteNumber="12")
    assert (values["satellites"], values["lon_deg"]) == (12, 114.125962)
    assert row("location", satelliteNumber="114.125962")["flags"] == ["unreadable:satellites"]


def test_trap_13_a_plus_is_a_space_and_an_encoded_plus_a_plus() -> None:
    for written in (b"+22.5", b"%2B22.5", b"22.5", b"%2022.5", b"2%32.5"):
        content = body("location", latitude="@").replace(b"%40", written)
        (location,) = rows(decode_all(envelope("location", content)), "location")
        assert (location["lat_deg"], location["flags"]) == (22.5, None)


@pytest.mark.parametrize("zero", ["0", "0.0", "0.000000", "-0.0"])
@pytest.mark.parametrize("status", ["valid", "invalid", ""])
def test_trap_18_latitude_and_longitude_zero_are_no_position(status: str, zero: str) -> None:
    values = row("location", locationStatus=status, latitude=zero, longitude=zero)
    assert (values["lat_deg"], values["lon_deg"], values["fix_valid"]) == (None, None, False)
    assert (values["time"], values["flags"]) == (SENT_AT, ["null_island"])


def test_trap_18_an_empty_position_without_a_fix_keeps_its_row() -> None:
    values = row("location", locationStatus="invalid", latitude="", longitude="")
    assert (values["lat_deg"], values["lon_deg"], values["fix_valid"]) == (None, None, False)
    assert (values["time"], values["flags"]) == (SENT_AT, [])


def test_trap_18_a_position_without_a_fix_is_no_position() -> None:
    values = row("location", locationStatus="invalid")
    assert (values["lat_deg"], values["lon_deg"], values["fix_valid"], values["flags"]) == (None, None, False, [])


def test_trap_18_latitude_zero_alone_is_a_position() -> None:
    values = row("location", latitude="0.0")
    assert (values["lat_deg"], values["lon_deg"], values["fix_valid"], values["flags"]) == (0.0, 114.125962, True, [])


def test_trap_19_a_status_may_hold_a_position_too() -> None:
    more = {"latitude": "22.6", "longitude": "114.1", "altitude": "10", "gpsUtcTime": f"{AT - 7}", "vehicleCode": "N1"}
    result = decode_all(envelope("status", body("status", **more)))
    (status,), (location,) = rows(result, "status"), rows(result, "location")
    assert (status["time"], status["odometer_m"]) == (SENT_AT, 9000.0)
    assert (location["time"], location["lat_deg"], location["altitude_m"]) == (
        SENT_AT - timedelta(seconds=7),
        22.6,
        10.0,
    )
    assert result.messages.height == 1


def test_trap_19_a_blank_position_in_a_status_makes_no_row() -> None:
    blank = {"latitude": "", "longitude": " ", "gpsUtcTime": ""}
    assert list(decode_all(envelope("status", body("status", **blank))).rows) == ["status"]


def test_trap_19_additional_fields_are_part_of_the_signature() -> None:
    with pytest.raises(Forged):
        Verifier(SECRET).verify(body("status") + b"&vehicleCode=N1")
    assert Verifier(SECRET).verify(body("status", vehicleCode="N1")) == "decoded"


# ---- events --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "event_kind", "code", "system", "text", "state"),
    [
        ("alert", "alert", "2", None, "fell down while locked", "appeared"),
        ("fault", "fault", "E5", "IoT", "GNSS", "appeared"),
        ("components", "component", "1", None, "saddle", "locked"),
    ],
)
def test_the_sample_of_an_event_makes_one_row_with_all_its_values(
    kind: str, event_kind: str, code: str, system: str | None, text: str, state: str
) -> None:
    assert row(kind) == {
        "provider": "segway",
        "vehicle": VEHICLE,
        "time": SENT_AT,
        "kind": event_kind,
        "code": code,
        "system": system,
        "text": text,
        "state": state,
        "received_at": RECEIVED_AT,
        "via": "push",
        "clock": "device",
        "flags": [],
        "sequence": 1,
    }


def test_trap_09_no_field_is_required_only_because_a_sample_has_it() -> None:
    assert row("alert", without={"alertStatus"})["state"] is None
    assert row("fault", without={"faultStatus"})["state"] is None
    assert row("components", without={"status"})["state"] is None
    assert row("fault", without={"statusUtcTime"})["clock"] == "received"
    assert row("location", without={"latitude", "longitude", "hdop"})["fix_valid"] is True
    optional = {"lockVoltage", "networkSignal", "charging", "powerPercent", "speedMode", "speed", "odometer", "online"}
    assert row("status", without=optional)["locked"] is False


def test_trap_09_placeholders_in_braces_are_no_values() -> None:
    values = row("fault", faultStatus="{disappered}", statusUtcTime="{tinmstamp}")
    assert (values["state"], values["code"], values["time"]) == (None, "E5", RECEIVED_AT)
    assert values["flags"] == ["time_missing", "unreadable:state"]


@pytest.mark.parametrize("kind", SAMPLES)
def test_trap_09_a_signature_is_always_required(kind: str) -> None:
    with pytest.raises(Forged, match="no usable signature"):
        Verifier(SECRET).verify(form({**IDS, **SAMPLES[kind]}))


@pytest.mark.parametrize(("kind", "name"), [("alert", "code"), ("fault", "code"), ("components", "type")])
def test_an_event_without_its_code_makes_no_row(kind: str, name: str) -> None:
    assert reason(kind, body(kind, without={name})) == f"lacks {name}"
    assert reason(kind, body(kind, **{name: ""})) == f"lacks {name}"
    assert reason(kind, body(kind, **{name: " "})) == f"lacks {name}"


@pytest.mark.parametrize("code", ["E0", "E9", "10", "47", "1E5", "010", "0x10", "1.0", "true", "99", "b"])
def test_trap_10_the_code_of_a_fault_is_stored_as_text(code: str) -> None:
    values = row("fault", code=code)
    assert (values["code"], values["flags"]) == (code, [])


def test_trap_10_a_code_is_looked_up_as_it_is_written() -> None:
    texts = [row("fault", code=code)["text"] for code in ("E1", "e1", "1E1", "10", "010", "10.0", "16")]
    assert texts == ["backup battery", None, None, "ECU communication", None, None, "configuration save"]


@pytest.mark.parametrize(("sent", "state"), [("0", "appeared"), ("1", "cleared")])
def test_an_alert_or_fault_appears_with_zero_and_clears_with_one(sent: str, state: str) -> None:
    assert row("alert", alertStatus=sent)["state"] == state
    assert row("fault", faultStatus=sent)["state"] == state


@pytest.mark.parametrize(
    ("part", "sent", "text", "state"),
    [
        ("1", "1", "saddle", "unlocked"),
        ("1", "2", "saddle", "locked"),
        ("2", "1", "tail box", "unlocked"),
        ("2", "2", "tail box", "locked"),
        ("4", "1", "helmet", "returned"),
        ("4", "2", "helmet", "taken"),
    ],
)
def test_trap_21_22_each_component_has_its_own_states(part: str, sent: str, text: str, state: str) -> None:
    values = row("components", type=part, status=sent)
    assert (values["code"], values["text"], values["state"], values["flags"]) == (part, text, state, [])


@pytest.mark.parametrize(("part", "sent"), [("1", "0"), ("3", "1"), ("4", "3"), ("7", "2"), ("1", "true")])
def test_trap_21_22_an_unknown_component_or_state_is_stored_without_a_state(part: str, sent: str) -> None:
    values = row("components", type=part, status=sent)
    assert (values["code"], values["state"], values["flags"]) == (part, None, ["unreadable:state"])


def test_trap_23_alerts_and_faults_name_two_batteries_though_there_may_be_three() -> None:
    for texts in (ALERTS, FAULTS["E-moped"]):
        all_texts = " ".join(texts.values())
        assert "battery 1" in all_texts
        assert "battery 2" in all_texts
        assert "battery 3" not in all_texts
    assert row("alert", code="12")["text"] == "low power"
    assert row("alert", code="13")["text"] is None


# ---- the tables of codes -------------------------------------------------------------------------------------------


def test_there_are_forty_eight_fault_codes_and_twelve_are_reserved() -> None:
    faults = FAULTS["E-moped"]
    assert list(map(str, sorted(faults))) == sorted([f"E{digit}" for digit in range(10)] + [*map(str, range(10, 48))])
    reserved = sorted(code for code, text in faults.items() if text == "reserved")
    assert reserved == ["18", "27", "28", "29", "30", "36", "37", "40", "43", "44", "45", "46"]


def test_every_fault_has_a_system() -> None:
    systems = FAULT_SYSTEMS["E-moped"]
    assert Counter(systems.values()) == {"IoT": 10, "drive": 5, "BMS": 13, "centralControl": 20}
    assert set(systems) == set(FAULTS["E-moped"])


@pytest.mark.parametrize(
    ("code", "system", "text"),
    [
        ("E5", "IoT", "GNSS"),
        ("10", "centralControl", "ECU communication"),
        ("12", "drive", "motor Hall sensor"),
        ("15", "drive", "brake switch"),
        ("19", "BMS", "battery 1 temperature sensor"),
        ("24", "BMS", "battery 2 communication"),
        ("30", "BMS", "reserved"),
        ("17", "centralControl", "dashboard communication"),
        ("47", "centralControl", "battery compartment unlocked"),
        ("48", None, None),
    ],
)
def test_a_fault_row_has_its_system_and_its_text(code: str, system: str | None, text: str | None) -> None:
    values = row("fault", code=code)
    assert (values["system"], values["text"]) == (system, text)


def test_the_fault_table_is_used_for_its_model_only() -> None:
    values = row("fault", account(model="T60"))
    assert (values["code"], values["state"], values["system"], values["text"]) == ("E5", "appeared", None, None)


@pytest.mark.parametrize(("code", "text"), ALERTS.items())
def test_an_alert_row_has_its_text(code: str, text: str) -> None:
    assert row("alert", code=code)["text"] == text


def test_there_are_seven_alerts() -> None:
    assert sorted(ALERTS, key=int) == ["1", "2", "3", "4", "10", "11", "12"]


def test_the_components_are_1_2_and_4() -> None:
    assert list(COMPONENTS) == ["1", "2", "4"]


# ---- receiving -----------------------------------------------------------------------------------------------------


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with closing(Spool(tmp_path)) as opened_spool:
        yield opened_spool


def answers(spool: Spool, moped: SegwayAccount, prefix: str, *pushes: tuple[str, bytes]) -> list[tuple[int, bytes]]:
    """Status and body of a receiver's answers to these pushes (path, body); it writes to this spool."""

    async def push_all() -> list[tuple[int, bytes]]:
        commits = GroupCommit(spool.append)
        receiver = Receiver({moped.name: moped}, prefix, commits, ReceiverMetrics(dict), lambda: "")
        try:
            return [await _post(receiver, path, content) for path, content in pushes]
        finally:
            await commits.close()

    return asyncio.run(push_all())


async def _post(receiver: Receiver, path: str, content: bytes) -> tuple[int, bytes]:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await receiver({"type": "http", "method": "POST", "path": path, "client": ("203.0.113.9", 1)}, receive, send)
    return sent[0]["status"], sent[1]["body"]


@pytest.mark.parametrize("prefix", ["", "/a1b2c3", "/a/b"])
def test_trap_29_the_vendors_paths_follow_the_prefix_and_the_accounts_name(spool: Spool, prefix: str) -> None:
    pushes = [(f"{prefix}/moped/v2/vehicle/{kind}", body(kind)) for kind in SAMPLES]
    assert answers(spool, account(), prefix, *pushes) == [(200, b'{"code":0}')] * 5
    envelopes = spool.read("lake").envelopes
    assert [(each.source, each.path, each.body) for each in envelopes] == [
        ("moped", kind, body(kind)) for kind in SAMPLES
    ]


@pytest.mark.parametrize(
    "path", ["/v2/vehicle/status", "/other/v2/vehicle/status", "/moped/v2/vehicle/state", "/moped", "/moped/status"]
)
def test_trap_29_any_other_path_is_unknown(spool: Spool, path: str) -> None:
    assert answers(spool, account(), "", (path, body("status")))[0][0] == 404
    assert len(spool.read("lake")) == 0


def test_trap_29_the_paths_are_the_five_that_the_vendor_pushes_to() -> None:
    assert dict(PATHS) == {f"/v2/vehicle/{kind}": kind for kind in SAMPLES}
    assert set(account().shapes) - set(QUERIES) == set(SAMPLES)


UNUSABLE = {
    "unknown vehicle: iotCode is not listed": body("status", iotCode="861477038719118"),
    "platformCode is not the account's": body("status", platformCode="E20081"),
    "lacks statusUtcTime": body("status", without={"statusUtcTime"}),
    "lacks online or locked or powerPercent or odometer": signed_body({**IDS, "statusUtcTime": f"{AT}"}),
    "alertStatus belongs to another path": body("status", alertStatus="0"),
}


@pytest.mark.parametrize(("expected_reason", "content"), UNUSABLE.items())
def test_trap_30_an_unusable_push_with_a_right_signature_is_answered_200_and_put_in_quarantine(
    spool: Spool, expected_reason: str, content: bytes
) -> None:
    (answer,) = answers(spool, account(), "", ("/moped/v2/vehicle/status", content))
    assert answer == (200, b'{"code":0}')
    assert [each.body for each in spool.read("lake").envelopes] == [content]
    assert reason("status", content) == expected_reason


@pytest.mark.parametrize("content", [b"", b"{}", form({**IDS, **SAMPLES["status"]}), body("status") + b"&a=1"])
def test_trap_30_a_push_without_a_right_signature_is_refused_and_not_stored(spool: Spool, content: bytes) -> None:
    (answer,) = answers(spool, account(), "", ("/moped/v2/vehicle/status", content))
    assert answer[0] == 401
    assert SECRET.encode() not in answer[1]
    assert len(spool.read("lake")) == 0


@pytest.mark.parametrize("path", SAMPLES)
@pytest.mark.parametrize("kind", SAMPLES)
def test_a_message_sent_to_the_path_of_another_kind_never_reaches_a_table(kind: str, path: str) -> None:
    result = decode_all(envelope(path, body(kind)))
    if kind == path:
        assert list(result.rows) == ["event" if kind in EVENTS else kind]
    else:
        assert list(result.rows) == ["quarantine"]


def test_rows_of_vehicles_and_accounts_are_separate() -> None:
    result = decode_all(
        envelope("status", body("status")),
        envelope("status", body("status", iotCode=OTHER, odometer="7")),
        envelope("status", body("status"), source="other"),
        sources={"moped": account(), "other": account(vehicles=())},
    )
    assert [(each["vehicle"], each["odometer_m"]) for each in rows(result, "status")] == [(VEHICLE, 9000), (OTHER, 7)]
    assert [each["source"] for each in rows(result, "quarantine")] == ["other"]


def test_a_repeated_push_makes_the_same_row() -> None:
    result = decode_all(*(envelope("status", body("status"), at=RECEIVED + delay_ms) for delay_ms in (0, 5000)))
    first, second = rows(result, "status")
    assert {**first, "received_at": None, "sequence": None} == {**second, "received_at": None, "sequence": None}
    assert result.messages["identity"].n_unique() == 1
