"""Any bytes as a push: always the right HTTP answer, never a crash; signed pushes of nonsense go to quarantine."""

import hashlib
import random
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote_from_bytes

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logger.simulator.demo.collector import PLATFORM, PREFIX, SECRET, SOURCE
from logger.simulator.demo.pushes import body
from logger.simulator.demo.sender import post, send
from logger.sources.segway.account import MAX_FIELDS, SegwayWebhook
from tests.torture.push_audit import messages_in_lake, messages_in_spool
from tests.torture.push_client import HOST, PushPlan
from tests.torture.service import Service

PATHS = tuple(f"{PREFIX}/{SOURCE}/v2/vehicle/{kind}" for kind in ("status", "location", "alert", "fault", "components"))
_VEHICLE = "860000000000001"
_NAMES = (
    *("iotCode", "platformCode", "statusUtcTime", "gpsUtcTime", "gpsUTCTime", "odometer", "powerPercent", "online"),
    *("locked", "speed", "latitude", "longitude", "altitude", "hdop", "locationStatus", "satelliteNumber", "type"),
    *("status", "code", "alertStatus", "faultStatus", "charging", "lockVoltage", "remainingRange", "totalRidingSecs"),
)
_ODD = (b"", b"0", b"-1", b"1e308", b"nan", b"inf", b"9" * 40, b"NULL", b"[]", b"\xff\xfe", "☃".encode(), b"65535")
_PLAIN = bytes(code for code in range(0x20, 0x100) if code not in b"&=\x7f")  # one signed text, one reading
_Case = tuple[bytes, tuple[int, ...]]  # a request and its right answers


# ---- the requests --------------------------------------------------------------------------------------------------


def signed(pairs: dict[str, bytes]) -> bytes:
    """Return a form of any bytes with a right signature."""
    text = b"&".join(key.encode() + b"=" + value for key, value in sorted(pairs.items()))
    signature = hashlib.md5(text + b"&client_secret=" + SECRET.encode()).hexdigest()
    return "&".join(
        f"{k}={quote_from_bytes(v)}" for k, v in (*pairs.items(), ("signature", signature.encode()))
    ).encode()


def unknown_vehicle(chance: random.Random) -> bytes:
    """Return a signed form of no vehicle: it is accepted and quarantined."""
    names = chance.sample(_NAMES[1:], chance.randrange(1, 8))
    return signed({"iotCode": b"no vehicle", **{name: _value(chance) for name in names}, "salt": _salt(chance)})


def odd_values(chance: random.Random) -> bytes:
    """Return a vehicle's push with nonsense values: it is accepted, and some of it may be stored."""
    names = chance.sample(_NAMES[2:], chance.randrange(1, 12))
    values = {name: _value(chance) for name in names}
    return signed({"iotCode": _VEHICLE.encode(), "platformCode": PLATFORM.encode(), **values, "salt": _salt(chance)})


def _value(chance: random.Random) -> bytes:
    return chance.choice(_ODD) if chance.random() < 0.5 else bytes(chance.choices(_PLAIN, k=chance.randrange(20)))


def _salt(chance: random.Random) -> bytes:
    return str(chance.getrandbits(64)).encode()


def damaged_push(chance: random.Random) -> bytes:
    """Return a good push that is truncated or has one wrong bit."""
    push = PushPlan().push(chance.randrange(1, 10**6))
    good = bytearray(body(push.vehicle, push.fields()))
    if chance.random() < 0.5:
        return bytes(good[: chance.randrange(len(good))])
    good[chance.randrange(len(good))] ^= 1 << chance.randrange(8)
    return bytes(good)


def chunked(path: str, content: bytes, chance: random.Random) -> bytes:
    """Return a POST whose body is sent in chunks."""
    request = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    while content:
        size = chance.randrange(1, len(content) + 1)
        request, content = request + b"%x\r\n%b\r\n" % (size, content[:size]), content[size:]
    return request + b"0\r\n\r\n"


def _random(chance: random.Random) -> _Case:
    return post(chance.choice(PATHS), chance.randbytes(chance.choice((0, 1, 30, 300, 3000)))), (401,)


def _unknown_vehicle(chance: random.Random) -> _Case:
    return post(chance.choice(PATHS), unknown_vehicle(chance)), (200,)


def _odd_values(chance: random.Random) -> _Case:
    return post(chance.choice(PATHS), odd_values(chance)), (200,)


def _damaged_push(chance: random.Random) -> _Case:
    """Return a damaged push; 200 is right if a letter of the signature changed its case."""
    return post(chance.choice(PATHS), damaged_push(chance)), (200, 401)


def _chunked(chance: random.Random) -> _Case:
    if chance.random() < 0.5:
        return chunked(chance.choice(PATHS), odd_values(chance), chance), (200,)
    return chunked(chance.choice(PATHS), chance.randbytes(chance.randrange(300)), chance), (401,)


def _elsewhere(chance: random.Random) -> _Case:
    path = "/" + quote_from_bytes(chance.randbytes(chance.randrange(30)))
    return post(path, chance.randbytes(chance.randrange(300))), (404,)


def _other_method(chance: random.Random) -> _Case:
    request = post(chance.choice(PATHS), chance.randbytes(chance.randrange(300)))
    return request.replace(b"POST", chance.choice((b"PUT", b"DELETE", b"PATCH", b"OPTIONS")), 1), (405,)


_ON_SHARED_CONNECTIONS: tuple[Callable[[random.Random], _Case], ...] = (
    *(_random, _random, _unknown_vehicle, _odd_values, _damaged_push, _damaged_push),
    *(_chunked, _elsewhere, _other_method),
)


def _too_large(chance: random.Random) -> _Case:
    size = chance.choice((SegwayWebhook.max_body_bytes + 1, 20_000, 70_000, 3_000_000))
    return post(chance.choice(PATHS), chance.randbytes(size)), (413,)


def _too_many_fields(chance: random.Random) -> _Case:
    return post(chance.choice(PATHS), b"a=1&" * chance.randrange(MAX_FIELDS, 3000)), (413,)


def _large_chunks(chance: random.Random) -> _Case:
    return chunked(
        chance.choice(PATHS), chance.randbytes(chance.choice((SegwayWebhook.max_body_bytes + 1, 200_000))), chance
    ), (413,)


def _broken(chance: random.Random) -> _Case:
    """Return a request with some wrong bytes in its head, and enough bytes behind it to complete any request."""
    good = bytearray(post(chance.choice(PATHS), b"a=1"))
    end = good.index(b"\r\n\r\n")
    for _ in range(chance.randrange(1, 6)):
        good[chance.randrange(end)] = chance.randrange(256)
    return bytes(good) + b"\r\n\r\n" + bytes(70_000), (200, 400, 401, 404, 405, 413)


def _noise(chance: random.Random) -> _Case:
    return chance.randbytes(chance.randrange(1, 300)) + b"\r\n\r\n", (400,)


_ON_OWN_CONNECTION = (_too_large, _too_many_fields, _large_chunks, _broken, _broken, _broken, _noise)


# ---- sending ------------------------------------------------------------------------------------------------


def status(port: int, request: bytes) -> int:
    """Return the status on a connection of its own; 0 if the server closes it without an answer."""
    with socket.create_connection((HOST, port), timeout=10) as connection:
        try:
            connection.sendall(request)
        except ConnectionError:
            pass  # the server answered before it had read everything
        answer = b""
        while b"\r\n\r\n" not in answer and (part := connection.recv(65536)):
            answer += part
    return int(answer[9:12]) if answer.startswith(b"HTTP/1.1 ") else 0


class Report(msgspec.Struct):
    """The answers to many odd requests by kind, and the wrong ones."""

    seed: int
    answers: Counter[tuple[str, int]]
    wrong: list[tuple[int, bytes]]

    def note(self, kind: str, case: _Case, status: int) -> None:
        """Note one answer."""
        self.answers[kind, status] += 1
        if status not in case[1]:
            self.wrong.append((status, case[0][:500]))

    def accepted_count(self, kind: str) -> int:
        """Return how many of this kind were answered 200."""
        return self.answers[kind, 200]


def send_odd_requests(port: int, count: int, seed: int) -> Report:
    """Send odd requests: nine in ten one after the other on a few connections, the others each on its own."""
    chance, report = random.Random(seed), Report(seed, Counter(), [])
    cases: list[tuple[str, _Case]] = []

    def requests() -> Iterator[bytes]:
        for _ in range(count * 9 // 10):
            kind = chance.choice(_ON_SHARED_CONNECTIONS)
            cases.append((kind.__name__, kind(chance)))
            yield cases[-1][1][0]

    for answer in send((HOST, port), requests()):
        kind, case = cases[answer.number]
        cases[answer.number] = (kind, (b"", ()))
        report.note(kind, case, answer.status)
    for _ in range(count - count * 9 // 10):
        own = chance.choice(_ON_OWN_CONNECTION)
        case = own(chance)
        report.note(own.__name__, case, status(port, case[0]))
    return report


def _check(folder: Path, count: int, seed: int) -> None:
    print(f"\nseed {seed}")
    with Service(folder) as service:
        service.start()
        before = service.children()
        report = send_odd_requests(service.port, count, seed)
        for kind, code in sorted(report.answers):
            print(f"{kind.strip('_').replace('_', ' '):<16}{code:>4}{report.answers[kind, code]:>9,}")
        assert not report.wrong, f"seed {seed}: {len(report.wrong)} answers were wrong: {report.wrong[:3]}"
        assert status(service.port, PushPlan().push(1).request()) == 200
        assert service.children() == before, "a process was started again"
        assert service.stop() == 0
        assert not service.log.faults(), service.log.faults()
        quarantine = service.lake().scan("quarantine").collect()
        unknown = quarantine.filter(pl.col("body").bin.contains(b"=no%20vehicle&"))
        assert unknown.height == report.accepted_count("_unknown_vehicle")
        assert quarantine.filter(pl.col("reason").str.contains("decoder failed")).is_empty()
        assert messages_in_lake(service.lake()) == messages_in_spool(service), f"seed {seed}"


def test_any_bytes_as_a_body_get_an_answer_and_so_does_the_good_push_after_them(tmp_path: Path) -> None:
    with Service(tmp_path) as service:
        service.start()

        @settings(max_examples=300, deadline=None)
        @given(st.sampled_from(PATHS), st.binary(max_size=2000))
        def is_refused(path: str, content: bytes) -> None:
            assert status(service.port, post(path, content)) in (401, 413)

        @settings(max_examples=300, deadline=None)
        @given(st.sampled_from(PATHS), st.dictionaries(st.sampled_from(_NAMES), st.binary(max_size=40), max_size=12))
        def is_accepted(path: str, pairs: dict[str, bytes]) -> None:
            ambiguous = any(byte in b"&=\x7f" or byte < 0x20 for value in pairs.values() for byte in value)
            assert status(service.port, post(path, signed(pairs))) == (401 if ambiguous else 200)

        is_refused()
        is_accepted()
        assert status(service.port, PushPlan().push(1).request()) == 200
        assert service.stop() == 0
        assert not service.log.faults(), service.log.faults()
        assert messages_in_lake(service.lake()) == messages_in_spool(service)


def test_a_thousand_odd_requests_get_the_right_answers(tmp_path: Path) -> None:
    _check(tmp_path, 1_000, seed=1)


@pytest.mark.torture
def test_a_hundred_thousand_odd_requests_get_the_right_answers(tmp_path: Path) -> None:
    _check(tmp_path, 100_000, seed=2)
