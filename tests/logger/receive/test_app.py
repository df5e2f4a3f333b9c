"""The receiver over real HTTP on loopback, on a real spool; no feeder runs beside it."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from logger.service.receiver import run_receiver
from logger.settings import schema
from logger.simulator.demo.collector import PLATFORM, PREFIX, SECRET
from logger.simulator.demo.pushes import body, request
from logger.simulator.demo.sender import get, post, send
from logger.spool.log import Spool

VEHICLE = "861000000000001"
STATUS = {"online": "true", "locked": "false", "powerPercent": "80", "statusUtcTime": "1591067719"}
PATH = f"{PREFIX}/segway/v2/vehicle/status"


class RunningReceiver:
    """A receiver in a thread of this process: its address, and the spool it writes to."""

    def __init__(self, folder: Path, clients: tuple[str, ...] = (), max_bytes: int = 10**9) -> None:
        collector = schema.Collector(data_dir=str(folder), path_prefix=PREFIX, max_bytes=max_bytes)
        source = schema.Segway("segway", PLATFORM, client_secret=SECRET, vehicles=(VEHICLE,), clients=clients)
        self.settings = schema.Settings(collector=collector, sources=(source,))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listener.getsockname()
        self._loop = asyncio.new_event_loop()
        self._task = self._loop.create_task(run_receiver(self.settings, self._listener))
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        self.spool = Spool(folder)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            pass

    def status(self, raw: bytes) -> int:
        """The HTTP status of the answer to this request."""
        (answer,) = send(self.address, [raw], connections=1)
        return answer.status

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join()
        self._loop.close()
        self._listener.close()
        self.spool.close()

    def messages(self) -> list[tuple[str, bytes]]:
        """Path and body of each push in the spool."""
        return [(each.path, each.body) for each in self.spool.read("lake").envelopes if each.source == "segway"]


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[RunningReceiver]:
    running = RunningReceiver(tmp_path)
    yield running
    running.close()


def test_a_signed_push_is_answered_200_and_is_in_the_spool_byte_for_byte(receiver: RunningReceiver) -> None:
    assert receiver.status(request(VEHICLE, "status", STATUS)) == 200
    assert receiver.messages() == [("status", body(VEHICLE, STATUS))]


def test_all_five_kinds_of_push_are_stored(receiver: RunningReceiver) -> None:
    for kind in ("status", "location", "alert", "fault", "components"):
        assert receiver.status(request(VEHICLE, kind, STATUS)) == 200
    assert [path for path, _ in receiver.messages()] == ["status", "location", "alert", "fault", "components"]


def test_the_answer_is_the_one_that_the_vendor_expects(receiver: RunningReceiver) -> None:
    with socket.create_connection(receiver.address) as connection:
        connection.sendall(request(VEHICLE, "status", STATUS).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
        response = b""
        while part := connection.recv(4096):
            response += part
    head, _, text = response.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert text == b'{"code":0}'


def test_a_push_with_a_right_signature_is_stored_whatever_its_fields(receiver: RunningReceiver) -> None:
    assert receiver.status(request("899999999999999", "status", {"nonsense": "1"})) == 200
    assert len(receiver.messages()) == 1


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (request(VEHICLE, "status", STATUS, "another secret"), 401),
        (post(PATH, b""), 401),
        (post(PATH, b'{"iotCode":"1"}'), 401),
        (post(PATH, b"\x00\xff" * 100), 401),
        (post(PATH, b"a=" + b"x" * 17_000), 413),
        (post(PATH, b"&".join(b"k%d=1" % n for n in range(65))), 413),
        (post(PATH + "/more", body(VEHICLE, STATUS)), 404),
        (post("/segway/v2/vehicle/status", body(VEHICLE, STATUS)), 404),
        (post(PREFIX + "/other/v2/vehicle/status", body(VEHICLE, STATUS)), 404),
        (b"GET " + PATH.encode() + b" HTTP/1.1\r\nHost: x\r\n\r\n", 405),
    ],
)
def test_a_request_that_is_no_signed_push_is_refused_and_not_stored(
    receiver: RunningReceiver, raw: bytes, status: int
) -> None:
    assert receiver.status(raw) == status
    assert receiver.messages() == []


def test_a_chunked_body_over_the_limit_is_refused_before_its_end(receiver: RunningReceiver) -> None:
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    chunk = b"1000\r\n" + b"a" * 0x1000 + b"\r\n"
    assert receiver.status(head + chunk * 5) == 413


def test_only_listed_clients_may_call(tmp_path: Path) -> None:
    for number, (clients, status) in enumerate(((("10.0.0.0/8",), 404), (("10.0.0.0/8", "127.0.0.1"), 200))):
        receiver = RunningReceiver(tmp_path / str(number), clients=clients)
        assert receiver.status(request(VEHICLE, "status", STATUS)) == status
        receiver.close()


def test_health_readiness_and_metrics_report_the_state_of_the_receiver(receiver: RunningReceiver) -> None:
    receiver.status(request(VEHICLE, "status", STATUS))
    receiver.status(request(VEHICLE, "status", STATUS, "another secret"))
    assert get(receiver.address, "/healthz")[0] == 200
    assert get(receiver.address, "/readyz")[0] == 200
    status, text = get(receiver.address, "/metrics")
    assert status == 200
    lines = text.decode().splitlines()
    assert 'voltrail_pushes_taken_total{source="segway"} 1.0' in lines
    assert 'voltrail_push_signatures_total{reading="decoded",source="segway"} 1.0' in lines
    assert 'voltrail_pushes_refused_total{reason="wrong signature",source="segway"} 1.0' in lines
    assert 'voltrail_spool_depth{sink="lake"} 3.0' in lines  # the push, the vehicles' names and a heartbeat
    assert "voltrail_spool_alarm 0.0" in lines


def test_a_full_spool_answers_503_until_there_is_room_again(tmp_path: Path) -> None:
    receiver = RunningReceiver(tmp_path, max_bytes=200_000)
    large = [request(VEHICLE, "status", {**STATUS, "note": str(n).ljust(8000, "x")}) for n in range(60)]
    answers = [receiver.status(raw) for raw in large]
    stored = answers.count(200)
    assert set(answers) == {200, 503}
    assert answers == sorted(answers)
    assert get(receiver.address, "/readyz")[0] == 503
    assert b"voltrail_spool_alarm 1.0" in get(receiver.address, "/metrics")[1]
    assert len(receiver.messages()) == stored
    receiver.spool.settle("lake", receiver.spool.read("lake").sequences[-1])
    assert receiver.status(request(VEHICLE, "status", STATUS)) == 200
    assert get(receiver.address, "/readyz")[0] == 200
    receiver.close()


def test_the_heartbeat_is_stored_in_the_spool_as_every_message(receiver: RunningReceiver) -> None:
    receiver.status(request(VEHICLE, "status", STATUS))
    assert [each.source for each in receiver.spool.read("lake").envelopes].count("collector") == 1
