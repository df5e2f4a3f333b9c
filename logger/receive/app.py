"""HTTP in: a raw ASGI application that has a push verified, waits until it is on disk, and only then answers 200.

Raw ASGI, because a reply is ten bytes and everything between socket and spool is paid for every push. Nothing of a push
is parsed but its signature. Served by uvicorn: granian takes three quarters as many durable pushes, see
`tests/benchmarks/README.md`.
"""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from logger.envelope import Envelope
from logger.errors import Forged, Refused
from logger.receive.metrics import ReceiverMetrics
from logger.sources.contract import Account, Headers, Reply, Webhook
from logger.spool.group_commit import GroupCommit

log = logging.getLogger(__name__)

_JSON = ((b"content-type", b"application/json"),)
_RETRY_AFTER = (b"retry-after", b"5")
OK = Reply(200, b'{"code":0}', _JSON)
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def _error(status: int, message: str) -> Reply:
    body = json.dumps({"code": status, "message": message}, separators=(",", ":"))
    return Reply(status, body.encode(), (*_JSON, _RETRY_AFTER) if status == 503 else _JSON)


NOT_FOUND = _error(404, "nothing here")
_FAULT = _error(503, "not stored; send it again")


class Receiver:
    """The application: pushes at `{prefix}/{account}{sub-path of its vendor}`, and `/healthz`, `/readyz`, `/metrics`.

    `not_ready` gives the reason why no push can be stored now, `push_received` gets each push that is on disk.
    """

    def __init__(
        self,
        accounts: Mapping[str, Account],
        prefix: str,
        commits: GroupCommit,
        metrics: ReceiverMetrics,
        not_ready: Callable[[], str],
        push_received: Callable[[Envelope], None] = lambda push: None,
    ) -> None:
        webhooks = {name: account.webhook for name, account in accounts.items() if account.webhook}
        self._routes = {
            f"{prefix}/{name}{path}": (name, webhook, path)
            for name, webhook in webhooks.items()
            for path in webhook.paths
        }
        self._accounts = {f"{prefix}/{name}": (name, webhook) for name, webhook in webhooks.items()}
        self._commits = commits
        self._metrics = metrics
        self._not_ready = not_ready
        self._push_received = push_received

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a fault of ours is answered, too."""
        if scope["type"] != "http":
            return
        route = self._routes.get(scope["path"])
        try:
            reply = self._own_page(scope["path"]) if route is None else await self._push(*route, scope, receive)
        except Exception:  # a fault of ours must reach the vendor as "send it again", never as a traceback
            log.exception("a request failed")
            reply = _FAULT if route is None else route[1].reply("full")
        headers = [*reply.headers, (b"content-length", str(len(reply.body)).encode())]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})

    async def _push(self, name: str, webhook: Webhook, path: str, scope: Scope, receive: Receive) -> Reply:
        client = scope.get("client")
        if not webhook.admits(client[0] if client else ""):
            self._metrics.count_refusal(name, "client address")
            return webhook.reply("unknown")
        body = await _read_body(receive, webhook.max_body_bytes)
        if body is None or len(body) > webhook.max_body_bytes:
            self._metrics.count_refusal(name, "ended early" if body is None else "too large")
            return webhook.reply("refused")
        try:
            accepted = webhook.accept(scope["method"], path, Headers(scope.get("headers", ())), body)
        except (Forged, Refused) as error:
            self._metrics.count_refusal(name, str(error))
            return webhook.reply("forged" if isinstance(error, Forged) else "refused")
        return accepted if isinstance(accepted, Reply) else await self._store(name, webhook, accepted)

    async def _store(self, name: str, webhook: Webhook, push: Envelope) -> Reply:
        failure = await self._commits.put(push)
        if failure is not None:
            self._metrics.not_stored(name)
            return webhook.reply("full")
        self._metrics.count_push(name)
        try:
            self._push_received(push)
        except Exception:  # the push is on disk: a fault in scheduling must not have it sent again
            log.exception("a push could not be used to schedule polls")
        return webhook.reply("taken")

    def _own_page(self, path: str) -> Reply:
        if path == "/healthz":
            return OK
        if path == "/readyz":
            reason = self._not_ready()
            return _error(503, reason) if reason else OK
        if path == "/metrics":
            return Reply(200, self._metrics.text(), ((b"content-type", b"text/plain; version=0.0.4"),))
        return self._unknown(path)

    def _unknown(self, path: str) -> Reply:
        """A path that nobody serves; below an account's address its vendor's own words."""
        name, webhook = next(
            (found for address, found in self._accounts.items() if path.startswith(f"{address}/")), ("none", None)
        )
        self._metrics.count_refusal(name, "unknown path")
        return webhook.reply("unknown") if webhook else NOT_FOUND


async def _read_body(receive: Receive, max_bytes: int) -> bytes | None:
    """The body, cut off once it is longer than `max_bytes`; None where the client went away before its end."""
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body", False) and len(body) <= max_bytes:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
    return body
