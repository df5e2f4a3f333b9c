"""Any bytes that a cloud sends become an answer or a `Retry`, in bounded time and memory."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from logger.errors import Busy, LoginNeeded, Retry
from logger.settings.schema import Segway as Account
from logger.sources.contract import PollOutcome
from logger.sources.grant import Grant
from logger.sources.http import MAX_BODY_BYTES, WHOLE_S, Answer, exchange, raise_for_later
from logger.sources.segway.api import SegwayCloud

VEHICLE = "860000000000001"
TOKEN = {"access_token": "t0ken", "expires_in": 43199}
Reply = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """A server that sends what a test wants, byte by byte, and records the head of each request."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self.heads: list[bytes] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                for line in head.lower().split(b"\r\n"):
                    if line.startswith(b"content-length:"):
                        await reader.readexactly(int(line.split(b":")[1]))
                self.heads.append(head)
                await self._reply(head, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def calls(self, method: bytes) -> int:
        """The number of requests of this method."""
        return sum(method in head.split(b"\r\n")[0] for head in self.heads)


@asynccontextmanager
async def open_server(reply: Reply) -> AsyncIterator[Server]:
    server = Server(reply)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listener.close()


def always(response: bytes) -> Reply:
    """Send these bytes to every request, then close the connection."""

    async def reply(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(response)
        await writer.drain()
        writer.close()

    return reply


def response(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    """The bytes of an HTTP response; `length` is what its head claims of the body."""
    length = len(body) if length is None else length
    return "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {length}", *headers, "", ""]).encode() + body


def exchange_with(reply: Reply, whole_s: float = WHOLE_S) -> Answer:
    """The answer of a server that replies like this to one request."""

    async def send() -> Answer:
        async with open_server(reply) as server, httpx.AsyncClient() as http:
            return await exchange(http, "city", "GET", server.url, whole_s=whole_s)

    return asyncio.run(send())


# ---- the exchange --------------------------------------------------------------------------------------------------


def test_an_endless_body_is_read_up_to_the_limit_only() -> None:
    sent = 0

    async def endless(_: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        while sent < 100_000_000:
            writer.write(bytes(100_000))
            await writer.drain()
            sent += 100_000

    with pytest.raises(Retry, match="more than 65,536 bytes"):
        exchange_with(endless)
    assert sent < 20_000_000  # what the kernel buffers


def test_an_answer_that_never_ends_is_a_retry_after_the_time_limit() -> None:
    async def drip(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)

    with pytest.raises(Retry, match="takes more than"):
        exchange_with(drip, whole_s=0.2)


def test_a_compressed_answer_is_decompressed_though_it_was_requested_plain() -> None:
    assert exchange_with(always(response(gzip.compress(b'{"code":0}'), "Content-Encoding: gzip"))).body == b'{"code":0}'


def test_a_body_in_an_unknown_encoding_is_kept_as_it_came() -> None:
    assert exchange_with(always(response(b"\x28\xb5\x2f\xfd?", "Content-Encoding: zstd"))).body == b"\x28\xb5\x2f\xfd?"


@pytest.mark.parametrize(
    "reply",
    [
        response(b"no gzip at all", "Content-Encoding: gzip"),
        response(gzip.compress(b"{}" * 1000)[:-20], "Content-Encoding: gzip"),
        response(gzip.compress(bytes(50_000_000)), "Content-Encoding: gzip"),
        response(b"{}", length=5),
        response(b"{}", length=-5),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"HTTP/9.9 whatever\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1_000_000 + b"\r\n\r\n",
        b"",
    ],
    ids=["no gzip", "half a gzip", "gzip bomb", "too short", "less than nothing", "no chunk", "half a chunk",
         "two lengths", "unknown version", "another protocol", "huge head", "nothing"],
)  # fmt: skip
def test_an_invalid_response_is_a_retry_with_one_short_line(reply: bytes) -> None:
    with pytest.raises(Retry, match=r"city: 127\.0\.0\.1 does not answer as it should") as raised:
        exchange_with(always(reply))
    assert len(str(raised.value)) < 300
    assert "\n" not in str(raised.value)


def test_a_redirection_is_not_followed() -> None:
    answer = exchange_with(always(response(b"", "Location: http://127.0.0.1:1/elsewhere", status="302 Found")))
    with pytest.raises(Retry, match="HTTP 302, where 200 is expected: check base_url"):
        raise_for_later("city", answer)


def busy_s(retry_after: str) -> float:
    """The pause after a 429 with this `Retry-After` [s]."""
    head = f"HTTP/1.1 429 Too Many\r\nContent-Length: 0\r\nRetry-After: {retry_after}\r\n\r\n"
    answer = exchange_with(always(head.encode("latin-1")))
    with pytest.raises(Busy) as raised:
        raise_for_later("city", answer)
    return raised.value.after


@pytest.mark.parametrize(
    ("retry_after", "low", "high"),
    [
        ("7", 7, 7),
        ("0", 0, 0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
        ("99999999", 3600, 3600),
        ("9" * 400, 3600, 3600),
        ("Wed, 21 Oct 9999 07:28:00 GMT", 3600, 3600),
        ("-5", 10, 10),
        ("1e9", 10, 10),
        ("soon", 10, 10),
        ("\xb2", 10, 10),
        ("", 10, 10),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date_within_bounds(retry_after: str, low: int, high: int) -> None:
    assert low <= busy_s(retry_after) <= high


def test_a_retry_after_date_in_two_minutes_is_two_minutes() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=120), usegmt=True)
    assert 100 < busy_s(date) <= 120


def test_a_503_with_retry_after_pauses_the_whole_account() -> None:
    with pytest.raises(Busy):
        raise_for_later("city", Answer(503, b"", retry_after_s=30))
    with pytest.raises(Retry) as raised:
        raise_for_later("city", Answer(503, b""))
    assert not isinstance(raised.value, Busy)


# ---- tokens --------------------------------------------------------------------------------------------------------


def cloud_reply(token: bytes, answer: bytes = b'{"code":0,"t":1}') -> Reply:
    """The replies of a cloud: this to a request for a token, that to a query."""

    async def reply(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(response(token if head.startswith(b"POST") else answer))
        await writer.drain()

    return reply


async def poll(server: Server, *, at_once: int = 1, times: int = 1, vehicle: str = VEHICLE) -> list[PollOutcome]:
    """Make `at_once` queries together, `times` times, ten seconds of the client's clock apart."""
    now = 1000.0
    account = Account("city", "A00000", client_secret="hush-hush", base_url=server.url, vehicles=(vehicle,))
    client = SegwayCloud(account, clock=lambda: now)
    outcomes: list[PollOutcome] = []
    async with httpx.AsyncClient() as http:
        for _ in range(times):
            calls = (client.request(http, "status-query", vehicle) for _ in range(at_once))
            outcomes += [outcome for _, outcome in await asyncio.gather(*calls)]
            now += 10
    return outcomes


@pytest.mark.parametrize(
    "lifetime", ["0", "-5", '"soon"', "null", '"43199"', "1e999", '"nan"', "[]", "{}", "true", "1"]
)
def test_a_token_with_an_odd_lifetime_is_used_and_not_requested_again_at_once(lifetime: str) -> None:
    async def scenario() -> None:
        async with open_server(cloud_reply(f'{{"access_token":"t0ken","expires_in":{lifetime}}}'.encode())) as server:
            assert await poll(server, times=4) == ["ok"] * 4
            assert server.calls(b"POST") == 1

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "token",
    [{}, {"access_token": ""}, {"access_token": None}, {"access_token": 5}, {"access_token": "a\r\nX-Evil: se-cret"},
     {"access_token": "se-crét"}, {"access_token": "se-cret " * 2000}, [], "se-cret"],
    ids=["none", "empty", "null", "number", "two lines", "not ASCII", "endless", "list", "text"],
)  # fmt: skip
def test_a_token_that_fits_into_no_header_is_a_retry_and_is_in_no_error(token: object) -> None:
    async def scenario() -> None:
        async with open_server(cloud_reply(json.dumps(token, ensure_ascii=False).encode())) as server:
            with pytest.raises(Retry) as raised:
                await poll(server)
            assert "se-cr" not in str(raised.value)
            assert server.calls(b"GET") == 0

    asyncio.run(scenario())


def test_a_wrong_secret_is_tried_once_however_many_calls_wait_for_the_token() -> None:
    async def refuse(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(response(b"{}", status="401 Unauthorized"))
        await writer.drain()

    async def scenario() -> None:
        async with open_server(refuse) as server:
            account = Account("city", "A00000", client_secret="hush-hush", base_url=server.url)
            client = SegwayCloud(account)
            async with httpx.AsyncClient() as http:
                calls = [client.request(http, "status-query", VEHICLE) for _ in range(8)]
                results = await asyncio.gather(*calls, return_exceptions=True)
            assert {type(result) for result in results} == {LoginNeeded}
            assert server.calls(b"POST") == 1

    asyncio.run(scenario())


# ---- answers and requests ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [b"[" * 50_000, b'{"code":' + b"[" * 50_000, b'{"code":NaN}', b'{"code":1e999}', b'{"code":' + b"9" * 5000 + b"}",
     b'{"code":true}', b'{"code":"\xff"}', b"\xff\xfe", b"", b"null", b'{"code":"0x0"}'],
    ids=["deep", "deep code", "NaN", "infinite", "long number", "boolean", "no UTF-8", "no text", "empty",
         "null", "hex"],
)  # fmt: skip
def test_an_unreadable_answer_is_kept_and_is_no_failure(body: bytes) -> None:
    async def scenario() -> None:
        async with open_server(cloud_reply(json.dumps(TOKEN).encode(), body)) as server:
            assert await poll(server) == ["unreadable"]

    asyncio.run(scenario())


def test_a_vehicle_number_cannot_change_the_head_of_a_request() -> None:
    async def scenario() -> None:
        async with open_server(cloud_reply(json.dumps(TOKEN).encode())) as server:
            await poll(server, vehicle="1 HTTP/1.1\r\nX-Evil: yes&iotCode=2#?")
            (head,) = (head for head in server.heads if head.startswith(b"GET"))
            assert b"X-Evil: yes" not in head
            assert head.count(b"iotCode=") == 1
            assert len(head.split(b"\r\n")[0].split(b" ")) == 3

    asyncio.run(scenario())


def test_a_body_just_below_the_limit_is_read() -> None:
    body = b'{"code":0,"data":"' + b"x" * (MAX_BODY_BYTES - 20) + b'"}'
    assert exchange_with(always(response(body))).body == body


def test_neither_an_answer_nor_a_grant_prints_the_token() -> None:
    body = json.dumps(TOKEN).encode()
    assert repr(Answer(200, body)) == f"Answer(200, {len(body)} bytes)"
    assert "t0ken" not in repr(Grant("t0ken"))
