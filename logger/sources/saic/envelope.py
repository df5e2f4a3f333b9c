"""SAIC: how requests and answers are encrypted and signed (SAIC-iSmart-API).

No secret goes into the keys, so that this hides nothing from anybody; what protects the login is TLS.
"""

import hashlib
import hmac
from collections.abc import Mapping

import msgspec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

TENANT = "459771"
_BLOCK_BITS = 128


class Sealed(msgspec.Struct, frozen=True):
    """A request as it is sent: its encrypted body, and the headers that say how."""

    body: bytes
    headers: Mapping[str, str]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.body)} bytes)"  # and not a token, wherever this is printed


def seal(path: str, body: bytes, content_type: str, token: str, sent_ms: str, tenant: str = TENANT) -> Sealed:
    """Encrypt and sign a request; `path` begins below the base address and has its query, `sent_ms` is its moment."""
    encrypted = _encrypt(body, request_key(path, content_type, token, sent_ms, tenant), _md5(sent_ms)) if body else ""
    signature = sign(path, encrypted, content_type, token, sent_ms, tenant)
    headers = {
        "APP-SEND-DATE": sent_ms,
        "APP-CONTENT-ENCRYPTED": "1",
        "APP-VERIFICATION-STRING": signature,
        "ORIGINAL-CONTENT-TYPE": content_type,
        "Content-Type": content_type,
        "User-Type": "app",
        "APP-LANGUAGE-TYPE": "en",
        "tenant-id": tenant,
    }
    return Sealed(encrypted.encode(), headers)


def request_key(path: str, content_type: str, token: str, sent_ms: str, tenant: str = TENANT) -> str:
    """The key of a request, in hex."""
    return _md5(_md5(f"{path}{tenant}{token}app") + f"{sent_ms}1{content_type}")


def sign(path: str, encrypted: str, content_type: str, token: str, sent_ms: str, tenant: str = TENANT) -> str:
    """The signature of a request with this encrypted body, in hex."""
    key = _md5(request_key(path, content_type, token, sent_ms, tenant) + sent_ms)
    text = f"{path}{tenant}{token}app{sent_ms}1{content_type}{encrypted}"
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def open_request(encrypted: bytes, path: str, content_type: str, token: str, sent_ms: str) -> bytes:
    """The body of a request. Raises `ValueError` where it is none."""
    return _decrypt(encrypted, request_key(path, content_type, token, sent_ms), _md5(sent_ms))


def open_answer(encrypted: bytes, content_type: str, sent_ms: str) -> bytes:
    """The body of an answer that these headers came with. Raises `ValueError` where it is none."""
    return _decrypt(encrypted, _answer_key(content_type, sent_ms), _md5(sent_ms))


def seal_answer(body: bytes, content_type: str, sent_ms: str) -> bytes:
    """The encrypted body of an answer."""
    return _encrypt(body, _answer_key(content_type, sent_ms), _md5(sent_ms)).encode()


def _answer_key(content_type: str, sent_ms: str) -> str:
    return _md5(f"{sent_ms}1{content_type}")


def _cipher(key: str, start: str) -> Cipher[modes.CBC]:
    return Cipher(algorithms.AES(bytes.fromhex(key)), modes.CBC(bytes.fromhex(start)))


def _encrypt(body: bytes, key: str, start: str) -> str:
    padder, encryptor = PKCS7(_BLOCK_BITS).padder(), _cipher(key, start).encryptor()
    return (encryptor.update(padder.update(body) + padder.finalize()) + encryptor.finalize()).hex()


def _decrypt(encrypted: bytes, key: str, start: str) -> bytes:
    unpadder, decryptor = PKCS7(_BLOCK_BITS).unpadder(), _cipher(key, start).decryptor()
    plain = decryptor.update(bytes.fromhex(encrypted.decode("ascii"))) + decryptor.finalize()
    return unpadder.update(plain) + unpadder.finalize()


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
