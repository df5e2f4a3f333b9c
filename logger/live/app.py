"""The live page over HTTP: a raw ASGI application that only reads, behind a token.

`/` is the page, `/events` its server-sent events, `/api/vehicles` the same as JSON, `/token` takes the token of the
form. A program sends the token as `Authorization: Bearer TOKEN`; a browser gets a cookie that follows from it.
"""

import asyncio
import hashlib
import hmac
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from logger.display.formats import Formats
from logger.errors import LoggerError
from logger.live.page import frame, login_page, policy
from logger.live.snapshots import Snapshots

log = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
_COOKIE = "voltrail-live"
_MOST_BODY = 4096
_HTML, _JSON, _EVENTS = "text/html; charset=utf-8", "application/json", "text/event-stream"
_KEPT_ALIVE = b": \n\n"  # so that proxies do not take a quiet page for a dead one


class LivePage:
    """The application; `closing` is set when the process ends, so that open pages do not hold it up."""

    def __init__(
        self, token: str, snapshots: Snapshots, formats: Formats, every_s: float, closing: asyncio.Event
    ) -> None:
        self._token, self._snapshots, self._formats = token.encode(), snapshots, formats
        self._every_s, self._closing = every_s, closing
        self._cookie = hmac.new(self._token, b"voltrail live page", hashlib.sha256).hexdigest()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request; a fault of ours is answered, too."""
        if scope["type"] != "http":
            return
        answer = _Answer(send, scope["method"] == "HEAD")
        try:
            await self._answer(scope, receive, answer)
        except LoggerError as error:
            log.warning("%s", error)
            await answer.whole(503, _JSON, b'{"error":"the lake cannot be read now"}')

    async def _answer(self, scope: Message, receive: Receive, answer: "_Answer") -> None:
        method, path = scope["method"], scope["path"]
        if path == "/token" and method == "POST":
            await self._log_in(await _body(receive), answer)
        elif method not in ("GET", "HEAD"):
            await answer.whole(405, _JSON, b'{"error":"nothing can be changed here"}', [("allow", "GET, HEAD")])
        elif not self._knows(dict(scope["headers"])):
            await self._refuse(path, answer)
        else:
            await self._page(path, receive, answer)

    async def _page(self, path: str, receive: Receive, answer: "_Answer") -> None:
        if path == "/":
            await answer.whole(200, _HTML, frame(self._formats).encode())
        elif path == "/api/vehicles":
            await answer.whole(200, _JSON, (await self._snapshots.newest()).api)
        elif path == "/events" and not answer.head_only:
            await self._events(receive, answer)
        else:
            await answer.whole(404, _JSON, b'{"error":"nothing here"}')

    # ---- the token --------------------------------------------------------------------------------------------------

    def _knows(self, headers: Mapping[bytes, bytes]) -> bool:
        bearer = headers.get(b"authorization", b"")
        if hmac.compare_digest(bearer, b"Bearer " + self._token):
            return True
        return hmac.compare_digest(_cookie(headers.get(b"cookie", b"")), self._cookie.encode())

    async def _log_in(self, body: bytes, answer: "_Answer") -> None:
        token = parse_qs(body.decode("utf-8", "replace")).get("token", [""])[0]
        if not hmac.compare_digest(token.encode(), self._token):
            await answer.whole(401, _HTML, login_page(self._formats, refused=True).encode())
            return
        cookie = f"{_COOKIE}={self._cookie}; HttpOnly; SameSite=Strict; Path=/; Max-Age=31536000"
        await answer.whole(303, _HTML, b"", [("location", "./"), ("set-cookie", cookie)])

    async def _refuse(self, path: str, answer: "_Answer") -> None:
        if path == "/":
            await answer.whole(401, _HTML, login_page(self._formats, refused=False).encode())
        else:
            text = b'{"error":"send the token of [live] as Authorization: Bearer TOKEN"}'
            await answer.whole(401, _JSON, text, [("www-authenticate", "Bearer")])

    # ---- events -----------------------------------------------------------------------------------------------------

    async def _events(self, receive: Receive, answer: "_Answer") -> None:
        """Send each new reading until the reader goes away or the process ends."""
        await answer.begin(200, _EVENTS)
        gone = asyncio.ensure_future(_gone(receive))
        ended = asyncio.ensure_future(self._closing.wait())
        sent = 0
        try:
            while not (gone.done() or ended.done()):
                sent = await self._send_newest(sent, answer)
                await asyncio.wait({gone, ended}, timeout=self._every_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            ended.cancel()
        await answer.part(b"", more=False)

    async def _send_newest(self, sent: int, answer: "_Answer") -> int:
        try:
            reading = await self._snapshots.newest()
        except LoggerError as error:
            log.warning("%s", error)
            await answer.part(_KEPT_ALIVE)
            return sent
        await answer.part(_KEPT_ALIVE if reading.number == sent else b"data: " + reading.event + b"\n\n")
        return reading.number


class _Answer:
    """How an answer is sent: with headers that keep it out of caches, frames and other pages."""

    def __init__(self, send: Send, head_only: bool) -> None:
        self._send, self.head_only = send, head_only

    async def whole(self, status: int, kind: str, body: bytes, more: Iterable[tuple[str, str]] = ()) -> None:
        await self.begin(status, kind, [("content-length", str(len(body))), *more])
        await self.part(b"" if self.head_only else body, more=False)

    async def begin(self, status: int, kind: str, more: Iterable[tuple[str, str]] = ()) -> None:
        safe = {
            "content-type": kind, "cache-control": "no-store", "content-security-policy": policy(),
            "x-content-type-options": "nosniff", "referrer-policy": "no-referrer",
        }  # fmt: skip
        headers = [(name.encode(), value.encode()) for name, value in (*safe.items(), *more)]
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def part(self, body: bytes, *, more: bool = True) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": more})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more and len(body) <= _MOST_BODY:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body[:_MOST_BODY]


def _cookie(header: bytes) -> bytes:
    try:
        found = SimpleCookie(header.decode("latin-1")).get(_COOKIE)
    except CookieError:
        return b""
    return found.value.encode() if found else b""
