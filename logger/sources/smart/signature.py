"""Smart: how a request is signed, by HMAC-SHA1 over what is sent, byte for byte."""

import base64
import hashlib
import hmac
import secrets
import time
import uuid
from collections.abc import Mapping

from logger.settings.schema import Smart

_ACCEPT = "application/json;responseformat=3"
_VERSION = "1.0"


def sign(secret: str, method: str, path: str, query: str, body: bytes, nonce: str, timestamp_ms: int) -> str:
    """The signature. `query` is encoded as in the address, and `body` holds the very bytes that are sent."""
    digest = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
    head = f"{_ACCEPT}\nx-api-signature-nonce:{nonce}\nx-api-signature-version:{_VERSION}\n"
    text = "\n".join([head, query, digest, str(timestamp_ms), method, path])
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha1).digest()).decode()


def signed_headers(account: Smart, method: str, path: str, query: str = "", body: bytes = b"") -> dict[str, str]:
    """The headers of a signed request, without the token."""
    is_eu = account.region == "eu"
    nonce = secrets.token_hex(8) if is_eu else str(uuid.uuid4()).upper()
    timestamp_ms = time.time_ns() // 1_000_000
    return {
        "accept": _ACCEPT,
        "content-type": "application/json; charset=utf-8" if is_eu else "application/json",
        "x-app-id": account.app_id,
        "x-operator-code": account.operator_code,
        "x-device-identifier": account.device_id,
        "x-env-type": "production",
        "x-api-signature-version": _VERSION,
        "x-api-signature-nonce": nonce,
        "x-timestamp": str(timestamp_ms),
        "x-signature": sign(account.app_secret, method, path, query, body, nonce, timestamp_ms),
        **_of_client(account),
    }


def _of_client(account: Smart) -> Mapping[str, str]:
    return {"x-client-id": account.client_id} if account.client_id else {}
