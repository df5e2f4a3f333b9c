"""HTTP in: a raw ASGI application that verifies a push, waits until it is on disk, and only then answers 200.

Raw, because the answer is ten bytes and everything between socket and spool is paid a hundred million times.
Nothing is parsed but the signature. Served by uvicorn: granian takes three quarters as many durable pushes, see
`tests/benchmarks/README.md`.
"""

import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from logger.envelope import Envelope
from logger.errors import Forged
from logger.receive.metrics import ReceiverMetrics
from logger.sources.contract import Webhook
from logger.spool.group_commit import GroupCommit

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 16 * 1024
MAX_FIELDS = 64
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def _start(status: int, body: bytes, kind: bytes = b"application/json") -> dict[str, Any]:
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    if status in (413, 503):
        headers.append((b"connection", b"close") if status == 413 else (b"retry-after", b"5"))
    return {"type": "http.response.start", "status": status, "headers": headers}


def _answer(status: int, text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    body = json.dumps(
        {"code": status, "message": text} if status != 200 else {"code": 0}, separators=(",", ":")
    ).encode()
    return _start(status, body), {"type": "http.response.body", "body": body}


TAKEN = _answer(200, "")
FORGED = _answer(401, "signature")
NOWHERE = _answer(404, "nothing here")
NOT_POST = _answer(405, "POST only")
TOO_LARGE = _answer(413, f"at most {MAX_BODY_BYTES} bytes and {MAX_FIELDS} fields")
NOT_NOW = _answer(503, "not stored; send it again")
_Answer = tuple[dict[str, Any], dict[str, Any]]


class Receiver:
    """The application: pushes at `{prefix}/{source name}{vendor's path}`, and `/healthz`, `/readyz`, `/metrics`."""

    def __init__(
        self,
        webhooks: Mapping[str, Webhook],
        prefix: str,
        commits: GroupCommit,
        metrics: ReceiverMetrics,
        ready: Callable[[], str],
        heard: Callable[[str, str, bytes], None] = lambda source, path, push: None,
    ) -> None:
        self._routes = {
            f"{prefix}/{hook.name}{path}": (hook, kind)
            for hook in webhooks.values()
            for path, kind in hook.paths.items()
        }
        self._commits = commits
        self._metrics = metrics
        self._ready = ready
        self._heard = heard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever goes wrong is an answer too."""
        if scope["type"] != "http":
            return
        route = self._routes.get(scope["path"])
        try:
            if route is None:
                start, body = self._own_page(scope)
            else:
                start, body = await self._push(*route, scope, receive)
        except Exception:  # a fault of ours must reach the vendor as "again, please", never as a traceback
            log.exception("a request failed")
            start, body = NOT_NOW
        await send(start)
        await send(body)

    async def _push(self, hook: Webhook, kind: str, scope: Scope, receive: Receive) -> _Answer:
        if scope["method"] != "POST":
            return NOT_POST
        client = scope.get("client")
        if not hook.admits(client[0] if client else ""):
            self._metrics.refused(hook.name, "client address")
            return NOWHERE
        message = await receive()
        body = await _whole(message, receive) if message.get("more_body", False) else message.get("body", b"")
        if body is None or len(body) > MAX_BODY_BYTES or body.count(b"&") >= MAX_FIELDS:
            self._metrics.refused(hook.name, "too large")
            return TOO_LARGE
        try:
            variant = hook.verify(body)
        except Forged as error:
            self._metrics.refused(hook.name, str(error))
            return FORGED
        failure = await self._commits.put(Envelope(hook.name, kind, time.time_ns() // 1_000_000, "push", body))
        if failure is not None:
            self._metrics.not_stored(hook.name)
            return NOT_NOW
        self._metrics.taken(hook.name, variant)
        self._heard(hook.name, kind, body)
        return TAKEN

    def _own_page(self, scope: Scope) -> _Answer:
        path = scope["path"]
        if path == "/healthz":
            return _answer(200, "")
        if path == "/readyz":
            reason = self._ready()
            return _answer(503, reason) if reason else _answer(200, "")
        if path == "/metrics":
            text = self._metrics.text()
            return _start(200, text, b"text/plain; version=0.0.4"), {"type": "http.response.body", "body": text}
        self._metrics.refused("none", "unknown path")
        return NOWHERE


async def _whole(message: MutableMapping[str, Any], receive: Receive) -> bytes | None:
    """The body that begins with this message; None where the client went away before its end."""
    body: bytes = message.get("body", b"")
    while message.get("more_body", False) and len(body) <= MAX_BODY_BYTES:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
    return body
