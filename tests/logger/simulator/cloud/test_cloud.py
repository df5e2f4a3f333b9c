"""The simulated cloud answers over real HTTP as the vendor's does."""

import json
import time
from collections.abc import Iterator
from itertools import count
from urllib.parse import urlencode

import pytest

from logger.simulator.cloud.cloud import TOKEN, Cloud, Request
from logger.simulator.vehicle import messages
from logger.simulator.vehicle.environment import DAY_S
from logger.simulator.vehicle.fleet import Simulation, fleet
from tests.logger.simulator.cloud.client import (
    DAYS,
    FIRST,
    LOGIN,
    PATHS,
    SEED,
    START,
    TWO_PACKS,
    Client,
    first_moment,
)


@pytest.fixture
def client() -> Iterator[Client]:
    with Client() as client:
        yield client


# ---- tokens --------------------------------------------------------------------------------------------------------


def test_a_token_is_issued_for_the_right_secret_only(client: Client) -> None:
    status, body, _ = client.call("POST", TOKEN, urlencode(LOGIN))
    answer = json.loads(body)
    assert (status, answer["token_type"], answer["expires_in"]) == (200, "bearer", 43199)
    status, body, _ = client.call("POST", TOKEN, urlencode({**LOGIN, "client_secret": "guessed"}))
    assert (status, set(json.loads(body))) == (401, {"error", "error_description"})


def test_an_old_token_stays_valid_for_300_seconds(client: Client) -> None:
    old = client.bearer
    new = client.token()
    client.clock.at += 299
    assert (client.envelope("status", bearer=old)["code"], client.envelope("status", bearer=new)["code"]) == (0, 0)
    client.clock.at += 2
    assert (client.envelope("status", bearer=old)["code"], client.envelope("status", bearer=new)["code"]) == (15101, 0)


def test_a_token_expires_at_its_stated_time(client: Client) -> None:
    client.clock.at += 43199
    assert client.envelope("status")["code"] == 15101
    assert client.envelope("status", bearer="guessed")["code"] == 15101


# ---- queries -------------------------------------------------------------------------------------------------------


def test_a_status_has_the_vendors_fields_and_units(client: Client) -> None:
    envelope = client.envelope("status")
    data = envelope["data"]
    assert envelope["code"] == 0
    assert envelope["t"] == int(client.now.at * 1000)
    assert ("remainingRange" in data) != ("remainderRange" in data)
    assert {type(data[name]) for name in ("online", "locked", "charging")} == {bool}
    for name in ("lockVoltage", "powerPercent", "speed", "odometer", "totalRidingSecs", "statusUtcTime"):
        assert type(data[name]) is int
    assert data["iotCode"] == FIRST
    assert 340 <= data["lockVoltage"] <= 420
    assert 1 <= data["speedMode"] <= 3
    assert 2 <= data["networkSignal"] <= 32
    assert client.now.at - 900 <= data["statusUtcTime"] <= client.now.at


def test_battery_info_has_every_pack_with_whole_volts(client: Client) -> None:
    data = client.envelope("battery-info", TWO_PACKS)["data"]
    assert data["batteryCount"] == 2
    assert [pack["batteryPort"] for pack in data["batteryData"]] == [1, 2]
    for pack in data["batteryData"]:
        assert set(pack) == {"batteryPort", "batteryPercent", "batteryVoltage", "cycleTimes", "temperatrue"}
        assert all(type(value) is int for value in pack.values())
        assert 39 <= pack["batteryVoltage"] <= 55
    assert 340 <= data["iotVoltage"] <= 420


def test_extra_status_and_location_have_the_vendors_fields(client: Client) -> None:
    data = client.envelope("extra-status")["data"]
    assert {"seatCaskHelmet", "peopleSat", "saddleStatus", "handlebarStatus", "kickstand"} <= set(data)
    client.now.at = first_moment(lambda moped: moped.last_received["location"]["locationStatus"] == "valid")
    location = client.envelope("location", realTimeLocation="true")["data"]
    assert set(location) == {"latitude", "longitude", "satelliteNumber", "hdop", "altitude", "gpsUtcTime"}
    assert 54.8 < location["latitude"] < 54.9


def test_power_and_switches_of_a_moped_that_is_ridden(client: Client) -> None:
    client.now.at = first_moment(lambda moped: moped.online and moped.speed_ms > 9 and moped.power_w > 500)
    assert client.envelope("battery-info")["data"]["currentPower"] > 500
    client.now.at += 10
    status = client.envelope("status")["data"]
    assert status["locked"] is False
    assert client.envelope("extra-status")["data"]["peopleSat"] == 1


def test_of_an_offline_vehicle_only_the_last_status_is_answered(client: Client) -> None:
    client.now.at = first_moment(lambda moped: not moped.online)
    assert client.envelope("battery-info")["code"] == 15301
    assert client.envelope("location", realTimeLocation="true")["code"] == 15301
    assert client.envelope("status")["data"]["online"] is False


def test_unknown_vehicles_and_calls_without_a_vehicle_get_the_vendors_codes(client: Client) -> None:
    assert client.envelope("status", "860000000009999")["code"] == 15102
    assert client.envelope("status", "")["code"] == 15004


def test_no_call_controls_a_vehicle_or_returns_its_key(client: Client) -> None:
    for method, path in (
        ("POST", "/api/v2/vehicle/control/unlock"),
        ("GET", "/api/v2/vehicle/query/current/bluetooth-key"),
    ):
        assert client.call(method, path, Authorization=f"bearer {client.bearer}")[0] == 404
    assert sum(client.cloud.forbidden.values()) == 2


def test_calls_are_counted_by_query_and_vehicle(client: Client) -> None:
    for word in ("status", "status", "location"):
        client.query(word)
    assert client.cloud.calls["status", FIRST] == 2
    assert client.cloud.calls["location", FIRST] == 1
    assert client.cloud.calls["token", ""] == 1
    assert ["status", FIRST, 2] in json.loads(client.call("GET", "/simulator/calls")[1])["calls"]


def test_answers_take_the_configured_latency() -> None:
    with Client(latency_s=0.03) as client:
        began = time.perf_counter()
        for _ in range(3):
            client.query("status")
        assert time.perf_counter() - began > 0.03


def test_an_answer_has_the_state_of_its_stated_moment_even_if_time_runs_fast() -> None:
    moments = count(START + DAY_S // 3, 900)
    cloud = Cloud(fleet(1, SEED, START, DAYS), lambda: next(moments), LOGIN["client_id"], LOGIN["client_secret"])
    token = json.loads(cloud.answer(Request("POST", TOKEN, {}, urlencode(LOGIN).encode())).body)["access_token"]
    request = Request("GET", f"{PATHS['battery-info']}?iotCode={FIRST}", {"authorization": f"bearer {token}"})
    other = Simulation(1, SEED, START, DAYS)
    for envelope in (json.loads(cloud.answer(request).body) for _ in range(40)):
        other.advance(envelope["t"] / 1000)
        assert envelope["data"] == (messages.battery_answer(other.moped) if other.moped.online else None)
