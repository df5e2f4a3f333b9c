"""What a storm makes of a cloud's answers: every mishap of the list, again and again, honest answers between them.

Each mishap has its consequence: `KEPT` are stored or set aside as they came, the others are failures to be tried again.
"""

import gzip
import random
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from logger.simulator.cloud.mishaps import Mishap, Reply, spoilt
from logger.sources.segway.messages import CODES

HONEST = ""
REFUSALS = ("401", "15101")  # the token is renewed and the question asked again at once
FAILURES = ("429", "500", "503", "404", "302", "15001", "cut", "half", "silence", "no gzip", "bomb", "giant")
# Stored or set aside with this reason in quarantine; None for what makes rows.
SET_ASIDE: Mapping[str, str] = {
    "html": "not JSON", "NaN": "not JSON", "infinite": "not JSON", "deep": "not JSON", "empty": "not JSON",
    "list": "not a JSON object", "no t": "lacks t", "no code": "the vendor answered", "stranger": "another vehicle",
}  # fmt: skip
TYPES = "types"
_LARGE = bytes(100_000_000)
_BOMB = gzip.compress(bytes(50_000_000), 1)
_ODD: Mapping[str, bytes] = {
    "NaN": b'{"code":0,"data":{"odometer":NaN},"t":1}', "infinite": b'{"code":0,"data":{"odometer":1e999},"t":1}',
    "deep": b'{"code":0,"t":1,"data":' + b"[" * 30_000, "empty": b"", "list": b'[{"code":0}]',
    "no t": b'{"code":0,"data":null}', "no code": b'{"data":null,"t":1}', "giant": _LARGE,
}  # fmt: skip
_HONEST_SHARE, _FAILURES_EACH, _OTHERS_EACH = 0.6, 2, 12
_SPARSE_S = {"429": 5.0, "silence": 10.0, "giant": 10.0, "bomb": 5.0}  # each of these costs all a rest, or much time


class Weather:
    """Fair until `begin`; the same storm every time."""

    def __init__(self) -> None:
        self._chance = random.Random("weather")
        self._storm: list[str] = []
        self._refused: set[tuple[str, int]] = set()
        self._again_at: dict[str, float] = {}
        self._rages = False

    def begin(self) -> None:
        """From now on."""
        self._rages = True

    def end(self) -> None:
        """It is over."""
        self._rages = False

    def next(self, word: str, number: int) -> str:
        """What becomes of this call. Nobody is refused twice in a row: that is for a person to mend."""
        if not self._rages or (word, number) in self._refused:
            self._refused.discard((word, number))
            return HONEST
        if not self._storm:
            self._storm = self._round()
        kind = self._storm.pop()
        if time.monotonic() < self._again_at.get(kind, 0.0) or (kind == "stranger" and word != "status"):
            return HONEST
        self._again_at[kind] = time.monotonic() + _SPARSE_S.get(kind, 0.0)
        if kind in REFUSALS:
            self._refused.add((word, number))
        return kind

    def _round(self) -> list[str]:
        codes = [str(code) for code in CODES if str(code) not in (*REFUSALS, *FAILURES)]
        some = [*FAILURES * _FAILURES_EACH, *REFUSALS, *codes, *(*SET_ASIDE, TYPES) * _OTHERS_EACH]
        whole = [*some, *[HONEST] * int(len(some) * _HONEST_SHARE / (1 - _HONEST_SHARE))]
        self._chance.shuffle(whole)
        return whole

    def spoilt(self, kind: str, reply: Reply, other: dict[str, Any]) -> Reply:
        """The reply as it arrives; `other` is what another vehicle would have said."""
        if kind == HONEST:
            return reply
        if kind in ("401", "500", "503", "404", "429"):
            return spoilt(Mishap("http", code=int(kind), seconds=1), reply)
        if kind.isdigit() and kind != "302":
            return spoilt(Mishap("code", code=int(kind)), reply)
        if kind in ("cut", "half", "html", TYPES, "silence"):
            return spoilt(Mishap(kind, seconds=25), reply)
        return self._odd(kind, reply, other)

    def _odd(self, kind: str, reply: Reply, other: dict[str, Any]) -> Reply:
        if kind == "stranger":
            return msgspec.structs.replace(reply, body=msgspec.json.encode(other))
        if kind == "302":
            return Reply(302, b"", {"Location": "/oauth/token"})
        if kind in ("no gzip", "bomb"):
            return Reply(200, reply.body if kind == "no gzip" else _BOMB, {"Content-Encoding": "gzip"})
        return msgspec.structs.replace(reply, body=_ODD[kind])
