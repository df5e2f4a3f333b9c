"""Any bytes as a push: always an HTTP answer that is due, never a crash; what is signed and odd goes to quarantine."""

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

from logger.simulator.demo.collector import PLATFORM, PREFIX, SECRET
from logger.simulator.demo.pushes import body
from logger.simulator.demo.sender import post, send
from logger.sources.segway.account import MAX_FIELDS, SegwayWebhook
from tests.torture.fleet import HOST, Story
from tests.torture.running import SOURCE, Service
from tests.torture.verdict import booked, settled

PATHS = tuple(f"{PREFIX}/{SOURCE}/v2/vehicle/{kind}" for kind in ("status", "location", "alert", "fault", "components"))
_VEHICLE = "860000000000001"
_NAMES = (
    *("iotCode", "platformCode", "statusUtcTime", "gpsUtcTime", "gpsUTCTime", "odometer", "powerPercent", "online"),
    *("locked", "speed", "latitude", "longitude", "altitude", "hdop", "locationStatus", "satelliteNumber", "type"),
    *("status", "code", "alertStatus", "faultStatus", "charging", "lockVoltage", "remainingRange", "totalRidingSecs"),
)
_ODD = (b"", b"0", b"-1", b"1e308", b"nan", b"inf", b"9" * 40, b"NULL", b"[]", b"\xff\xfe", "☃".encode(), b"65535")
_PLAIN = bytes(code for code in range(0x20, 0x100) if code not in b"&=\x7f")  # one signed text, one reading
_Case = tuple[bytes, tuple[int, ...]]  # a request and the answers that are due to it


# ---- what is sent --------------------------------------------------------------------------------------------------


def signed(pairs: dict[str, bytes]) -> bytes:
    """A form of any bytes, rightly signed."""
    text = b"&".join(key.encode() + b"=" + value for key, value in sorted(pairs.items()))
    signature = hashlib.md5(text + b"&client_secret=" + SECRET.encode()).hexdigest()
    return "&".join(
        f"{k}={quote_from_bytes(v)}" for k, v in (*pairs.items(), ("signature", signature.encode()))
    ).encode()


def stranger(chance: random.Random) -> bytes:
    """Rightly signed garbage that no vehicle can have sent: taken, and set aside."""
    names = chance.sample(_NAMES[1:], chance.randrange(1, 8))
    return signed({"iotCode": b"no vehicle", **{name: _value(chance) for name in names}, "salt": _salt(chance)})


def odd_values(chance: random.Random) -> bytes:
    """A vehicle's own push with values that nobody meant: taken, whatever becomes of it."""
    names = chance.sample(_NAMES[2:], chance.randrange(1, 12))
    told = {name: _value(chance) for name in names}
    return signed({"iotCode": _VEHICLE.encode(), "platformCode": PLATFORM.encode(), **told, "salt": _salt(chance)})


def _value(chance: random.Random) -> bytes:
    return chance.choice(_ODD) if chance.random() < 0.5 else bytes(chance.choices(_PLAIN, k=chance.randrange(20)))


def _salt(chance: random.Random) -> bytes:
    return str(chance.getrandbits(64)).encode()


def spoilt(chance: random.Random) -> bytes:
    """A good push cut short, or with one bit turned."""
    push = Story().push(chance.randrange(1, 10**6))
    good = bytearray(body(push.vehicle, push.fields()))
    if chance.random() < 0.5:
        return bytes(good[: chance.randrange(len(good))])
    good[chance.randrange(len(good))] ^= 1 << chance.randrange(8)
    return bytes(good)


def chunked(path: str, content: bytes, chance: random.Random) -> bytes:
    """One POST whose body comes in chunks."""
    request = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    while content:
        size = chance.randrange(1, len(content) + 1)
        request, content = request + b"%x\r\n%b\r\n" % (size, content[:size]), content[size:]
    return request + b"0\r\n\r\n"


def _random(chance: random.Random) -> _Case:
    return post(chance.choice(PATHS), chance.randbytes(chance.choice((0, 1, 30, 300, 3000)))), (401,)


def _garbage(chance: random.Random) -> _Case:
    return post(chance.choice(PATHS), stranger(chance)), (200,)


def _odd(chance: random.Random) -> _Case:
    return post(chance.choice(PATHS), odd_values(chance)), (200,)


def _spoilt(chance: random.Random) -> _Case:
    return post(chance.choice(PATHS), spoilt(chance)), (200, 401)  # a letter of the signature may have changed case


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


_KEPT_ALIVE: tuple[Callable[[random.Random], _Case], ...] = (
    *(_random, _random, _garbage, _odd, _spoilt, _spoilt),
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
    """Some bytes before the body turned into others; what follows makes half a request a whole or a wrong one."""
    good = bytearray(post(chance.choice(PATHS), b"a=1"))
    end = good.index(b"\r\n\r\n")
    for _ in range(chance.randrange(1, 6)):
        good[chance.randrange(end)] = chance.randrange(256)
    return bytes(good) + b"\r\n\r\n" + bytes(70_000), (200, 400, 401, 404, 405, 413)


def _noise(chance: random.Random) -> _Case:
    return chance.randbytes(chance.randrange(1, 300)) + b"\r\n\r\n", (400,)


_ON_ITS_OWN = (_too_large, _too_many_fields, _large_chunks, _broken, _broken, _broken, _noise)


# ---- how it is sent ------------------------------------------------------------------------------------------------


def status(port: int, request: bytes) -> int:
    """The answer on a connection of its own; 0 where the server closes without one."""
    with socket.create_connection((HOST, port), timeout=10) as line:
        try:
            line.sendall(request)
        except ConnectionError:
            pass  # it was answered before it had been read to its end
        got = b""
        while b"\r\n\r\n" not in got and (part := line.recv(65536)):
            got += part
    return int(got[9:12]) if got.startswith(b"HTTP/1.1 ") else 0


class Mistreated(msgspec.Struct):
    """What came of many odd requests: answers by kind, and those that were not due."""

    seed: int
    answers: Counter[tuple[str, int]]
    undue: list[tuple[int, bytes]]

    def note(self, kind: str, case: _Case, got: int) -> None:
        """One answer."""
        self.answers[kind, got] += 1
        if got not in case[1]:
            self.undue.append((got, case[0][:500]))

    def taken(self, kind: str) -> int:
        """How many of this kind were answered 200."""
        return self.answers[kind, 200]


def mistreat(port: int, bodies: int, seed: int) -> Mistreated:
    """Send so many odd requests: nine in ten one after the other on a few connections, the rest each on its own."""
    chance, result = random.Random(seed), Mistreated(seed, Counter(), [])
    cases: list[tuple[str, _Case]] = []

    def made() -> Iterator[bytes]:
        for _ in range(bodies * 9 // 10):
            kind = chance.choice(_KEPT_ALIVE)
            cases.append((kind.__name__, kind(chance)))
            yield cases[-1][1][0]

    for answer in send((HOST, port), made()):
        kind, case = cases[answer.place]
        cases[answer.place] = (kind, (b"", ()))
        result.note(kind, case, answer.status)
    for _ in range(bodies - bodies * 9 // 10):
        own = chance.choice(_ON_ITS_OWN)
        case = own(chance)
        result.note(own.__name__, case, status(port, case[0]))
    return result


def _check(folder: Path, bodies: int, seed: int) -> None:
    print(f"\nseed {seed}")
    with Service(folder) as service:
        service.start()
        before = service.children()
        got = mistreat(service.port, bodies, seed)
        for kind, code in sorted(got.answers):
            print(f"{kind.strip('_').replace('_', ' '):<16}{code:>4}{got.answers[kind, code]:>9,}")
        assert not got.undue, f"seed {seed}: {len(got.undue)} answers were not due: {got.undue[:3]}"
        assert status(service.port, Story().push(1).request()) == 200
        assert service.children() == before, "a process was started anew"
        assert service.stop() == 0
        assert not service.log.faults(), service.log.faults()
        quarantine = service.lake().scan("quarantine").collect()
        assert quarantine.filter(pl.col("body").bin.contains(b"=no%20vehicle&")).height == got.taken("_garbage")
        assert quarantine.filter(pl.col("reason").str.contains("decoder failed")).is_empty()
        assert booked(service.lake()) == settled(service), f"seed {seed}"


def test_any_bytes_as_a_body_get_an_answer_and_so_does_the_good_push_behind_them(tmp_path: Path) -> None:
    with Service(tmp_path) as service:
        service.start()

        @settings(max_examples=300, deadline=None)
        @given(st.sampled_from(PATHS), st.binary(max_size=2000))
        def refused(path: str, content: bytes) -> None:
            assert status(service.port, post(path, content)) in (401, 413)

        @settings(max_examples=300, deadline=None)
        @given(st.sampled_from(PATHS), st.dictionaries(st.sampled_from(_NAMES), st.binary(max_size=40), max_size=12))
        def taken(path: str, pairs: dict[str, bytes]) -> None:
            several = any(byte in b"&=\x7f" or byte < 0x20 for value in pairs.values() for byte in value)
            assert status(service.port, post(path, signed(pairs))) == (401 if several else 200)

        refused()
        taken()
        assert status(service.port, Story().push(1).request()) == 200
        assert service.stop() == 0
        assert not service.log.faults(), service.log.faults()
        assert booked(service.lake()) == settled(service)


def test_a_thousand_odd_requests_are_answered_as_is_due(tmp_path: Path) -> None:
    _check(tmp_path, 1_000, seed=1)


@pytest.mark.torture
def test_a_hundred_thousand_odd_requests_are_answered_as_is_due(tmp_path: Path) -> None:
    _check(tmp_path, 100_000, seed=2)
