"""The simulated cloud fails as its schedule says, over real HTTP."""

import http.client

import pytest

from logger.simulator.cloud.failures import Failure
from logger.simulator.vehicle.environment import DAY_S
from tests.logger.simulator.cloud.client import START, TWO_PACKS, Client


def test_a_429_states_the_waiting_time_and_the_next_call_succeeds() -> None:
    with Client(Failure("http", path="status", first=2, count=2, code=429, seconds=7)) as client:
        answers = [client.query("status") for _ in range(4)]
    assert [status for status, _, _ in answers] == [200, 429, 429, 200]
    assert [headers["Retry-After"] for _, _, headers in answers] == [None, "7", "7", None]


@pytest.mark.parametrize("code", [401, 500, 503])
def test_the_http_status_is_that_of_the_schedule(code: int) -> None:
    with Client(Failure("http", path="location", code=code)) as client:
        assert client.query("location")[0] == code
        assert client.query("status")[0] == 200


def test_a_code_of_the_vendor_has_status_200_and_affects_only_its_vehicle() -> None:
    with Client(Failure("code", vehicle=TWO_PACKS, code=15990, count=0)) as client:
        assert [client.envelope("status", TWO_PACKS)["code"] for _ in range(3)] == [15990] * 3
        assert client.envelope("status")["code"] == 0


def test_a_failure_may_be_limited_to_a_simulated_time_and_to_a_chance() -> None:
    night = Failure("code", code=15001, count=0, begin=START + DAY_S, end=START + 2 * DAY_S, chance=0.5)
    with Client(night) as client:
        before = [client.envelope("status")["code"] for _ in range(20)]
        client.now.at = START + 1.5 * DAY_S
        during = [client.envelope("status")["code"] for _ in range(40)]
    assert set(before) == {0}
    assert 8 < during.count(15001) < 32


@pytest.mark.parametrize("kind", ["disconnect", "truncate"])
def test_a_connection_is_closed_without_an_answer_or_within_it(kind: str) -> None:
    with Client(Failure(kind, path="status")) as client:
        with pytest.raises((http.client.RemoteDisconnected, http.client.IncompleteRead)) as caught:
            client.query("status")
        assert isinstance(caught.value, http.client.IncompleteRead) == (kind == "truncate")
        client.connection.close()
        assert client.envelope("status")["code"] == 0


def test_without_an_answer_the_client_times_out() -> None:
    with Client(Failure("no_answer", path="status", seconds=60)) as client:
        client.connection.sock.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client.query("status")


def test_html_has_status_200() -> None:
    with Client(Failure("html", path="status")) as client:
        status, body, headers = client.query("status")
    assert (status, headers["Content-Type"]) == (200, "text/html")
    assert body.startswith(b"<!DOCTYPE html>")


def test_wrong_types_affect_every_value() -> None:
    with Client(Failure("wrong_types", count=0, path="battery-info")) as client:
        envelope = client.envelope("battery-info", TWO_PACKS)
    assert envelope["code"] == 0
    assert type(envelope["data"]["drivingVoltage"]) is str
    assert type(envelope["data"]["charging"]) is int
    assert type(envelope["data"]["batteryData"]) is dict


def test_the_answer_of_another_vehicle_has_its_name() -> None:
    with Client(Failure("other_vehicle", path="status")) as client:
        assert client.envelope("status", TWO_PACKS)["data"]["iotCode"] != TWO_PACKS


def test_an_unknown_kind_of_failure_is_an_error() -> None:
    with pytest.raises(ValueError, match="unknown kind of failure"):
        Failure("earthquake")
