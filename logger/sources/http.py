"""One HTTP exchange with a cloud, bounded in time and size: it ends with an answer, or a `Retry`.

httpx bounds each read, not the whole; it takes a body of any size, and unpacks it to any size. A cloud in trouble, or a
server that answers in its place, must not cost memory, nor keep a connection for ever.
"""

import asyncio
import zlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import msgspec

from logger.errors import Busy, Retry
from logger.retry_after import parse_retry_after_s

WHOLE_S = 30.0
_LEAST_READ_S, _REST_S = 20.0, 10.0  # a single read may take the whole time but the rest
MAX_BODY_BYTES = 64 * 1024  # by default: most answers have half a kilobyte
_MOST_QUOTED = 200  # characters of a foreign error in one of ours
_RETRY_AFTER_S = 10.0  # by default
_MAX_RETRY_AFTER_S = 3600.0  # so that a wrong date does not end polling
_PACKED = {"gzip": 31, "x-gzip": 31, "deflate": 15}  # window bits of zlib


class Answer(msgspec.Struct, frozen=True):
    """HTTP status, body unpacked, `Retry-After` [s] (None: there is none), `Date` as it came, and headers `kept`."""

    status: int
    body: bytes
    retry_after_s: float | None = None
    date: str = ""
    kept: Mapping[str, str] = {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.status}, {len(self.body)} bytes)"  # the body may be a token


async def exchange(
    http: httpx.AsyncClient,
    name: str,
    method: str,
    url: str,
    *,
    whole_s: float = WHOLE_S,
    max_bytes: int = MAX_BODY_BYTES,
    keep: Sequence[str] = (),
    auth: tuple[str, str] | None = None,
    **options: Any,
) -> Answer:
    """Send this request and read the answer, its headers `keep` too; `auth` is a name and a secret.

    Raises `Retry` where no answer comes in time, or none that can be read.
    """
    request = http.build_request(method, url, timeout=max(_LEAST_READ_S, whole_s - _REST_S), **options)
    request.headers["Accept-Encoding"] = "identity"
    if auth is not None:
        request.headers["Authorization"] = "Basic " + b64encode(":".join(auth).encode()).decode()
    try:
        async with asyncio.timeout(whole_s):
            return await _send(http, request, max_bytes, keep)
    except TimeoutError as error:
        raise Retry(f"{name}: {request.url.host} takes more than {whole_s:.0f} s for an answer", after=5) from error
    except (httpx.HTTPError, httpx.InvalidURL, zlib.error, _Unreadable) as error:
        what = f"{type(error).__name__.lstrip('_')}: {error}".rstrip(": ")[:_MOST_QUOTED]
        raise Retry(f"{name}: {request.url.host} does not answer as it should: {what}", after=5) from error


def raise_for_later(name: str, answer: Answer) -> None:
    """Raise `Busy` for 429, and 503 with `Retry-After`; `Retry` for any other status than 200."""
    text = f"{name}: the cloud answers HTTP {answer.status}"
    if answer.status == 429 or (answer.status == 503 and answer.retry_after_s is not None):
        raise Busy(text, after=_RETRY_AFTER_S if answer.retry_after_s is None else answer.retry_after_s)
    if answer.status >= 500:
        raise Retry(text, after=_RETRY_AFTER_S)
    if answer.status != 200:
        raise Retry(f"{text}, where 200 is expected: check base_url", after=60)


class _Unreadable(Exception):
    """An answer that cannot be read within the bounds."""


async def _send(http: httpx.AsyncClient, request: httpx.Request, max_bytes: int, keep: Sequence[str]) -> Answer:
    response = await http.send(request, stream=True)
    try:
        packed = b""
        async for part in response.aiter_raw():
            packed += part
            if len(packed) > max_bytes:
                raise _Unreadable(f"a body of more than {max_bytes:,} bytes")
    finally:
        await response.aclose()
    body = _unpack(packed, response.headers.get("content-encoding", "").strip().lower(), max_bytes)
    retry_after_s = parse_retry_after_s(response.headers.get("retry-after", ""), _MAX_RETRY_AFTER_S)
    kept = {name: response.headers[name] for name in keep if name in response.headers}
    return Answer(response.status_code, body, retry_after_s, response.headers.get("date", ""), kept)


def _unpack(packed: bytes, encoding: str, max_bytes: int) -> bytes:
    """The body unpacked, though it was requested plain; as it came where its encoding is unknown."""
    if encoding not in _PACKED:
        return packed
    inflate = zlib.decompressobj(_PACKED[encoding])
    body = inflate.decompress(packed, max_bytes)
    if inflate.unconsumed_tail:
        raise _Unreadable(f"a body of more than {max_bytes:,} bytes, unpacked")
    if not inflate.eof:
        raise _Unreadable("a packed body without its end")
    return body
