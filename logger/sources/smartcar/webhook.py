"""Smartcar: the webhook (smartcar.com/docs, webhooks): signed events, and the vendor's test of the address.

An answer to that test is a signature of a text that the caller chooses. So it is given only while a person pairs, and
only to a text that can be no event.
"""

import hashlib
import hmac
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from logger.envelope import Envelope
from logger.errors import Forged
from logger.settings.schema import Smartcar
from logger.sources.contract import PushOutcome, Reply, Webhook
from logger.sources.networks import Networks
from logger.sources.pairing import PairingWindow

_CHALLENGE = re.compile(r"[A-Za-z0-9._~-]{1,128}")
_JSON = (b"content-type", b"application/json")
_RULE = "hmac-sha256"


class _Event(msgspec.Struct):
    """What of a body tells a test from an event; either version has a name for it."""

    eventType: str = ""
    eventName: str = ""
    data: msgspec.Raw = msgspec.Raw(b"{}")
    payload: msgspec.Raw = msgspec.Raw(b"{}")


class _Test(msgspec.Struct):
    challenge: str


class SmartcarWebhook(Webhook):
    """The webhook of one account, signed with its application management token."""

    paths = ("",)
    max_body_bytes = 512 * 1024
    pairs = True

    def __init__(self, account: Smartcar, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._name, self._key, self._clock = account.name, account.management_token.encode(), clock
        self._clients, self._window = Networks(account.clients), PairingWindow(folder, account.name)
        self.signatures: Counter[str] = Counter()

    def admits(self, client: str) -> bool:
        """Whether this client address may call."""
        return self._clients.admits(client)

    def accept(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Envelope | Reply:
        """Wrap an event with a right signature, or answer a test while a person pairs. Raises `Forged`."""
        if method != "POST":
            return Reply(405, b'{"error":"POST only"}', (_JSON,))
        signature = headers.get("sc-signature", "")
        if signature and not hmac.compare_digest(self._sign(body), signature.strip().lower().encode()):
            raise Forged("wrong signature")
        event = _read(body)
        if "verify" in (event.eventType.lower(), event.eventName.lower()):
            return self._answer_test(event)
        if not signature:
            raise Forged("no signature")
        self.signatures[_RULE] += 1
        kind = "webhook-v2" if event.eventName else "webhook"
        return Envelope(self._name, kind, time.time_ns() // 1_000_000, "push", body)

    def reply(self, outcome: PushOutcome) -> Reply:
        """What Smartcar expects: any 2xx within 15 s, else it sends the event again, three times in all."""
        return _REPLIES[outcome]

    def _answer_test(self, event: _Event) -> Reply:
        try:
            raw = event.data if event.eventType else event.payload
            challenge = msgspec.json.decode(raw, type=_Test).challenge
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Forged("a test of the address without a challenge") from error
        if not _CHALLENGE.fullmatch(challenge):
            raise Forged("a challenge that might be an event")
        if not self._window.take(self._clock()):
            raise Forged("a test of the address while nobody pairs")
        return Reply(200, msgspec.json.encode({"challenge": self._sign(challenge.encode()).decode()}), (_JSON,))

    def _sign(self, text: bytes) -> bytes:
        return hmac.new(self._key, text, hashlib.sha256).hexdigest().encode()


def _read(body: bytes) -> _Event:
    """The head of this body; an empty one where it has none, which decoding will say."""
    try:
        return msgspec.json.decode(body, type=_Event)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Event()


def _reply(status: int, text: str, *headers: tuple[bytes, bytes]) -> Reply:
    return Reply(status, f'{{"message":"{text}"}}'.encode(), (_JSON, *headers))


_REPLIES: Mapping[PushOutcome, Reply] = {
    "taken": _reply(200, "stored"),
    "forged": _reply(401, "signature"),
    "refused": _reply(413, "too large", (b"connection", b"close")),
    "full": _reply(503, "not stored; send it again", (b"retry-after", b"5")),
    "unknown": _reply(404, "nothing here"),
}
