"""Segway "API of Gateway": the signature of a push, checked over its raw body. The rule: `README.md` beside this."""

import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Mapping
from operator import itemgetter

from logger.envelope import decode_form_text, split_form
from logger.errors import Forged

VARIANTS = ("decoded", "decoded-no-blanks", "raw", "raw-no-blanks")

_SAFE = bytes(code for code in range(0x20, 0x7F) if chr(code) not in "%+")  # means itself under every reading
_KEY = re.compile(rb"[A-Za-z0-9_.-]+")
_HEX = re.compile(rb"[0-9A-Fa-f]{32}")
_AMBIGUOUS = re.compile(rb"[&=\x00-\x1f\x7f]")
_LAYOUTS = 256  # orders of keys that are remembered; a fleet has a handful, one a firmware and message
_Pairs = list[tuple[bytes, bytes]]


class _Layout:
    """One order of keys, checked once: how such a body reads, and how its signed text is put together."""

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        if len(set(keys)) != len(keys) or b"signature" not in keys or not all(map(_KEY.fullmatch, keys)):
            raise Forged("no usable signature")
        order = sorted((key, place) for place, key in enumerate(keys) if key != b"signature")
        self.body = b"&".join(key + b"=%b" for key in keys)
        self.text = b"&".join(key + b"=%b" for key, _ in order)
        self.place = keys.index(b"signature")
        self._places = [place for _, place in order]
        self.pick = itemgetter(*self._places) if len(order) > 1 else self._few

    def _few(self, values: list[bytes]) -> tuple[bytes, ...]:
        return tuple(values[place] for place in self._places)


def _layout(keys: tuple[bytes, ...]) -> _Layout | None:
    try:
        return _Layout(keys)
    except Forged:
        return None


class Verifier:
    """Checks bodies against the secret of one account, under the readings of the vendor's rule that are allowed.

    The rule: all fields but `signature`, sorted by key, as `k=v` joined by `&`, then `&client_secret=` and the
    secret; MD5 in hex. What it leaves open is tried in the order of `VARIANTS`. Nearly every body is plain ASCII
    without `%` and `+`, where the first reading needs no decoding: `_matches_plain` does only that.
    """

    def __init__(self, secret: str, variants: tuple[str, ...] = VARIANTS) -> None:
        if not secret:
            raise ValueError("an empty secret would accept what anybody signs")
        self._ending = b"&client_secret=" + secret.encode()
        self._variants = variants
        self._layouts: dict[tuple[bytes, ...], _Layout] = {}
        self.matched: Counter[str] = Counter()

    def verify(self, body: bytes) -> str:
        """Return the reading under which the signature holds, and count it in `matched`. Raises `Forged`."""
        reading = "decoded" if self._matches_plain(body) else self._find_reading(body)
        self.matched[reading] += 1
        return reading

    def _matches_plain(self, body: bytes) -> bool:
        if "decoded" not in self._variants or body.translate(None, _SAFE):
            return False
        parts = body.replace(b"=", b"&").split(b"&")
        values = parts[1::2]
        keys = tuple(parts[::2])
        layout = self._layouts.get(keys) or _layout(keys)
        if layout is None or len(values) * 2 != len(parts) or layout.body % tuple(values) != body:
            return False
        signed = self._sign(layout.text % layout.pick(values))
        if not hmac.compare_digest(signed, values[layout.place]):
            return False
        if len(self._layouts) < _LAYOUTS:  # only what is signed right: no forger fills this
            self._layouts.setdefault(keys, layout)
        return True

    def _find_reading(self, body: bytes) -> str:
        raw = split_form(body)
        decoded = [(decode_form_text(key), decode_form_text(value)) for key, value in raw]
        signature = _signature(decoded)
        for variant in self._variants:
            pairs = decoded if variant.startswith("decoded") else raw
            if hmac.compare_digest(self._sign(_text(pairs, blanks=not variant.endswith("no-blanks"))), signature):
                if variant.startswith("decoded") and any(_AMBIGUOUS.search(text) for pair in decoded for text in pair):
                    raise Forged("one signed text, several readings")
                return variant
        raise Forged("wrong signature")

    def _sign(self, text: bytes) -> bytes:
        return hashlib.md5(text + self._ending, usedforsecurity=False).hexdigest().encode()


def _signature(pairs: _Pairs) -> bytes:
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys) or not all(map(_KEY.fullmatch, keys)):
        raise Forged("keys that repeat or hold odd characters")
    signature = dict(pairs).get(b"signature", b"")
    if not _HEX.fullmatch(signature):
        raise Forged("no usable signature")
    return signature.lower()


def _text(pairs: _Pairs, *, blanks: bool) -> bytes:
    signed = sorted((key, value) for key, value in pairs if key != b"signature" and (value or blanks))
    return b"&".join(key + b"=" + value for key, value in signed)


def sign(fields: Mapping[str, str], secret: str) -> str:
    """The signature of a push with these decoded fields, for simulated vehicles and tests."""
    text = _text([(key.encode(), value.encode()) for key, value in fields.items()], blanks=True)
    return hashlib.md5(text + b"&client_secret=" + secret.encode(), usedforsecurity=False).hexdigest()
