"""The simulated cloud answers as the vendor's does, over real HTTP, and goes wrong as it is told to."""

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from logger.simulator.cloud.cloud import QUERIES, TOKEN, Cloud, Request
from logger.simulator.cloud.mishaps import Mishap
from logger.simulator.cloud.serving import Serving
from logger.simulator.cloud.vendor import Vendor
from logger.simulator.demo.sender import get, send
from logger.simulator.vehicle import speech
from logger.simulator.vehicle.physics import Scooter, fleet
from logger.simulator.vehicle.world import DAY_S

START, DAYS, SEED = 1_790_000_000, 3, 7
WHO = {"client_id": "A00000", "client_secret": "simulated-secret", "grant_type": "client_credentials"}
FIRST, TWO_PACKS = "860000000000001", "860000000000004"
PATHS = {word: path for path, word in QUERIES.items()}


class Clock:
    """A moment that a test sets."""

    def __init__(self, at: float) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


class Caller:
    """A cloud of four mopeds, and somebody who asks it; `now` is the simulated moment, `clock` that of tokens."""

    def __init__(self, *mishaps: Mishap, latency_s: float = 0.0) -> None:
        self.now, self.clock = Clock(START + DAY_S / 2), Clock(1000.0)
        who = (WHO["client_id"], WHO["client_secret"])
        self.cloud = Cloud(
            fleet(4, SEED, START, DAYS), self.now, *who, mishaps=mishaps, clock=self.clock, latency_s=latency_s
        )
        self.serving = Serving(self.cloud)

    def __enter__(self) -> "Caller":
        self.serving.__enter__()
        self.line = http.client.HTTPConnection(*self.serving.address, timeout=5)
        self.bearer = self.token()
        return self

    def __exit__(self, *_: object) -> None:
        self.line.close()
        self.serving.__exit__(None, None, None)

    def token(self) -> str:
        return str(json.loads(self.call("POST", TOKEN, urlencode(WHO))[1])["access_token"])

    def call(self, method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, bytes, Any]:
        self.line.request(method, path, body, headers)
        reply = self.line.getresponse()
        return reply.status, reply.read(), reply.headers

    def ask(self, word: str, vehicle: str = FIRST, bearer: str = "", **more: str) -> tuple[int, bytes, Any]:
        path = f"{PATHS[word]}?{urlencode({'iotCode': vehicle, **more})}"
        return self.call("GET", path, Authorization=f"bearer {bearer or self.bearer}")

    def told(self, word: str, vehicle: str = FIRST, bearer: str = "", **more: str) -> dict[str, Any]:
        status, body, _ = self.ask(word, vehicle, bearer, **more)
        assert status == 200
        found: dict[str, Any] = json.loads(body)
        return found


@pytest.fixture
def caller() -> Iterator[Caller]:
    with Caller() as caller:
        yield caller


def ever(test: Any, vehicle: int = 1) -> float:
    """The first moment at which this holds of a moped."""
    scooter = Scooter(vehicle, SEED, START, DAYS)
    for at in range(START, START + DAYS * DAY_S, 5):
        scooter.advance(at)
        if test(scooter.moped):
            return at
    raise AssertionError("never")


# ---- tokens --------------------------------------------------------------------------------------------------------


def test_a_token_is_given_to_who_knows_the_secret(caller: Caller) -> None:
    status, body, _ = caller.call("POST", TOKEN, urlencode(WHO))
    told = json.loads(body)
    assert (status, told["token_type"], told["expires_in"]) == (200, "bearer", 43199)
    status, body, _ = caller.call("POST", TOKEN, urlencode({**WHO, "client_secret": "guessed"}))
    assert (status, set(json.loads(body))) == (401, {"error", "error_description"})


def test_an_old_token_lives_on_for_300_seconds(caller: Caller) -> None:
    old = caller.bearer
    new = caller.token()
    caller.clock.at += 299
    assert (caller.told("status", bearer=old)["code"], caller.told("status", bearer=new)["code"]) == (0, 0)
    caller.clock.at += 2
    assert (caller.told("status", bearer=old)["code"], caller.told("status", bearer=new)["code"]) == (15101, 0)


def test_a_token_ends_when_it_says(caller: Caller) -> None:
    caller.clock.at += 43199
    assert caller.told("status")["code"] == 15101
    assert caller.told("status", bearer="guessed")["code"] == 15101


# ---- queries -------------------------------------------------------------------------------------------------------


def test_a_status_has_the_vendors_fields_and_units(caller: Caller) -> None:
    told = caller.told("status")
    data = told["data"]
    assert told["code"] == 0
    assert told["t"] == int(caller.now.at * 1000)
    assert ("remainingRange" in data) != ("remainderRange" in data)
    assert {type(data[name]) for name in ("online", "locked", "charging")} == {bool}
    for name in ("lockVoltage", "powerPercent", "speed", "odometer", "totalRidingSecs", "statusUtcTime"):
        assert type(data[name]) is int
    assert data["iotCode"] == FIRST
    assert 340 <= data["lockVoltage"] <= 420
    assert 1 <= data["speedMode"] <= 3
    assert 2 <= data["networkSignal"] <= 32
    assert caller.now.at - 900 <= data["statusUtcTime"] <= caller.now.at


def test_battery_info_tells_of_every_pack_in_whole_volts(caller: Caller) -> None:
    data = caller.told("battery-info", TWO_PACKS)["data"]
    assert data["batteryCount"] == 2
    assert [pack["batteryPort"] for pack in data["batteryData"]] == [1, 2]
    for pack in data["batteryData"]:
        assert set(pack) == {"batteryPort", "batteryPercent", "batteryVoltage", "cycleTimes", "temperatrue"}
        assert all(type(value) is int for value in pack.values())
        assert 39 <= pack["batteryVoltage"] <= 55
    assert 340 <= data["iotVoltage"] <= 420


def test_extra_status_and_location_have_the_vendors_fields(caller: Caller) -> None:
    data = caller.told("extra-status")["data"]
    assert {"seatCaskHelmet", "peopleSat", "saddleStatus", "handlebarStatus", "kickstand"} <= set(data)
    caller.now.at = ever(lambda moped: moped.told["location"]["locationStatus"] == "valid")
    place = caller.told("location", realTimeLocation="true")["data"]
    assert set(place) == {"latitude", "longitude", "satelliteNumber", "hdop", "altitude", "gpsUtcTime"}
    assert 54.8 < place["latitude"] < 54.9


def test_a_rider_uses_power_and_is_seen_to_move(caller: Caller) -> None:
    caller.now.at = ever(lambda moped: moped.online and moped.speed_ms > 9 and moped.power_w > 500)
    assert caller.told("battery-info")["data"]["currentPower"] > 500
    caller.now.at += 10
    status = caller.told("status")["data"]
    assert status["locked"] is False
    assert caller.told("extra-status")["data"]["peopleSat"] == 1


def test_who_is_out_of_reach_is_told_so_but_its_last_status_is_known(caller: Caller) -> None:
    caller.now.at = ever(lambda moped: not moped.online)
    assert caller.told("battery-info")["code"] == 15301
    assert caller.told("location", realTimeLocation="true")["code"] == 15301
    assert caller.told("status")["data"]["online"] is False


def test_strangers_and_calls_without_a_vehicle_get_the_vendors_codes(caller: Caller) -> None:
    assert caller.told("status", "860000000009999")["code"] == 15102
    assert caller.told("status", "")["code"] == 15004


def test_nothing_controls_a_vehicle_or_gives_its_key(caller: Caller) -> None:
    for method, path in (
        ("POST", "/api/v2/vehicle/control/unlock"),
        ("GET", "/api/v2/vehicle/query/current/bluetooth-key"),
    ):
        assert caller.call(method, path, Authorization=f"bearer {caller.bearer}")[0] == 404
    assert sum(caller.cloud.forbidden.values()) == 2


def test_calls_are_counted_by_query_and_vehicle(caller: Caller) -> None:
    for word in ("status", "status", "location"):
        caller.ask(word)
    assert caller.cloud.calls["status", FIRST] == 2
    assert caller.cloud.calls["location", FIRST] == 1
    assert caller.cloud.calls["token", ""] == 1
    assert ["status", FIRST, 2] in json.loads(caller.call("GET", "/simulator/calls")[1])["calls"]


def test_who_wants_the_connection_closed_gets_it_closed(caller: Caller) -> None:
    assert get(caller.serving.address, "/simulator/calls")[0] == 200  # it reads until the end


# ---- mishaps -------------------------------------------------------------------------------------------------------


def test_a_429_says_when_to_come_back_and_then_all_is_well() -> None:
    with Caller(Mishap("http", path="status", first=2, count=2, code=429, seconds=7)) as caller:
        got = [caller.ask("status") for _ in range(4)]
    assert [status for status, _, _ in got] == [200, 429, 429, 200]
    assert [headers["Retry-After"] for _, _, headers in got] == [None, "7", "7", None]


@pytest.mark.parametrize("code", [401, 500, 503])
def test_a_status_of_http_is_what_the_schedule_says(code: int) -> None:
    with Caller(Mishap("http", path="location", code=code)) as caller:
        assert caller.ask("location")[0] == code
        assert caller.ask("status")[0] == 200


def test_a_code_of_the_vendor_comes_with_status_200_and_for_its_vehicle_alone() -> None:
    with Caller(Mishap("code", vehicle=TWO_PACKS, code=15990, count=0)) as caller:
        assert [caller.told("status", TWO_PACKS)["code"] for _ in range(3)] == [15990] * 3
        assert caller.told("status")["code"] == 0


def test_a_schedule_may_go_by_simulated_time_and_by_chance() -> None:
    night = Mishap("code", code=15001, count=0, begin=START + DAY_S, end=START + 2 * DAY_S, chance=0.5)
    with Caller(night) as caller:
        before = [caller.told("status")["code"] for _ in range(20)]
        caller.now.at = START + 1.5 * DAY_S
        during = [caller.told("status")["code"] for _ in range(40)]
    assert set(before) == {0}
    assert 8 < during.count(15001) < 32


@pytest.mark.parametrize("kind", ["cut", "half"])
def test_a_connection_is_cut_without_an_answer_or_within_it(kind: str) -> None:
    with Caller(Mishap(kind, path="status")) as caller:
        with pytest.raises((http.client.RemoteDisconnected, http.client.IncompleteRead)) as caught:
            caller.ask("status")
        assert isinstance(caught.value, http.client.IncompleteRead) == (kind == "half")
        caller.line.close()
        assert caller.told("status")["code"] == 0


def test_silence_lasts_until_the_caller_has_enough() -> None:
    with Caller(Mishap("silence", path="status", seconds=60)) as caller:
        caller.line.sock.settimeout(0.05)
        with pytest.raises(TimeoutError):
            caller.ask("status")


def test_html_comes_with_status_200() -> None:
    with Caller(Mishap("html", path="status")) as caller:
        status, body, headers = caller.ask("status")
    assert (status, headers["Content-Type"]) == (200, "text/html")
    assert body.startswith(b"<!DOCTYPE html>")


def test_types_are_wrong_one_and_all() -> None:
    with Caller(Mishap("types", count=0, path="battery-info")) as caller:
        told = caller.told("battery-info", TWO_PACKS)
    assert told["code"] == 0
    assert type(told["data"]["drivingVoltage"]) is str
    assert type(told["data"]["charging"]) is int
    assert type(told["data"]["batteryData"]) is dict


def test_the_answer_of_another_vehicle_carries_its_name() -> None:
    with Caller(Mishap("stranger", path="status")) as caller:
        assert caller.told("status", TWO_PACKS)["data"]["iotCode"] != TWO_PACKS


def test_a_kind_of_mishap_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no kind of mishap"):
        Mishap("earthquake")


def test_answers_take_the_time_that_they_are_told_to() -> None:
    with Caller(latency_s=0.03) as caller:
        began = time.perf_counter()
        for _ in range(3):
            caller.ask("status")
        assert time.perf_counter() - began > 0.03


def test_an_answer_is_of_the_moment_that_it_names_however_fast_time_runs_meanwhile() -> None:
    moments = count(START + DAY_S // 3, 900)
    cloud = Cloud(fleet(1, SEED, START, DAYS), lambda: next(moments), WHO["client_id"], WHO["client_secret"])
    token = json.loads(cloud.answer(Request("POST", TOKEN, {}, urlencode(WHO).encode())).body)["access_token"]
    asking = Request("GET", f"{PATHS['battery-info']}?iotCode={FIRST}", {"authorization": f"bearer {token}"})
    other = Scooter(1, SEED, START, DAYS)
    for told in (json.loads(cloud.answer(asking).body) for _ in range(40)):
        other.advance(told["t"] / 1000)
        assert told["data"] == (speech.battery_answer(other.moped) if other.moped.online else None)


def test_a_cloud_runs_as_a_process_of_its_own() -> None:
    words = [sys.executable, "-m", "logger.simulator.cloud.cloud", "--vehicles", "2", "--days", "1", "--speed", "1000"]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        host = msgspec.json.decode(process.stdout.readline())["base_url"].removeprefix("http://")
        line = http.client.HTTPConnection(host, timeout=5)
        line.request("POST", TOKEN, urlencode(WHO))
        assert line.getresponse().status == 200
        line.close()
        process.terminate()
        assert process.wait(timeout=5) == 0


def test_a_cloud_whose_time_does_not_run_yet_counts_by_the_collectors_names(tmp_path: Path) -> None:
    with Vendor(tmp_path / "cloud.log", 2, 1, SEED, START, speed=1000.0, wait_s=60) as vendor:
        assert 50_000 < 1000 * vendor.where.due_s(START) <= 60_000
        assert vendor.where.due_s(START + 1000) == pytest.approx(vendor.where.due_s(START) + 1, abs=0.1)
        line = http.client.HTTPConnection(vendor.where.base_url.removeprefix("http://"), timeout=5)
        line.request("POST", TOKEN, urlencode(WHO))
        bearer = json.loads(line.getresponse().read())["access_token"]
        line.request("GET", f"{PATHS['status']}?iotCode={FIRST}", headers={"Authorization": f"bearer {bearer}"})
        assert json.loads(line.getresponse().read())["t"] == START * 1000
        line.close()
        assert vendor.calls() == {"token": 1, "status-query": 1}


def test_requests_are_sent_at_their_moments(caller: Caller) -> None:
    began = time.perf_counter()
    request = b"GET /simulator/calls HTTP/1.1\r\n\r\n"
    answers = list(send(caller.serving.address, [request] * 3, 1, at_s=(0.0, 0.05, 0.1)))
    assert [answer.place for answer in answers] == [0, 1, 2]
    assert time.perf_counter() - began >= 0.1
