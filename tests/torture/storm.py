"""The failures that a storm injects into a cloud's answers: every kind again and again, with honest answers between.

Each kind has its consequence: those of `QUARANTINE_REASONS` and `TYPES` are stored or quarantined as they came,
`REFUSALS` and `FAILURES` lead to another request.
"""

import gzip
import random
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from logger.simulator.cloud.failures import Failure, Reply, apply_failure
from logger.sources.segway.messages import CODES

HONEST = ""
REFUSALS = ("401", "15101")  # the token is renewed and the request repeated at once
FAILURES = (
    *("429", "500", "503", "404", "302", "15001"),
    *("disconnect", "truncate", "no_answer", "no gzip", "bomb", "giant"),
)
QUARANTINE_REASONS: Mapping[str, str] = {
    "html": "not JSON", "NaN": "not JSON", "infinite": "not JSON", "deep": "not JSON", "empty": "not JSON",
    "list": "not a JSON object", "no t": "lacks t", "no code": "the vendor answered",
    "other_vehicle": "another vehicle",
}  # fmt: skip
TYPES = "wrong_types"
_LARGE = bytes(100_000_000)
_BOMB = gzip.compress(bytes(50_000_000), 1)
_BODIES: Mapping[str, bytes] = {
    "NaN": b'{"code":0,"data":{"odometer":NaN},"t":1}', "infinite": b'{"code":0,"data":{"odometer":1e999},"t":1}',
    "deep": b'{"code":0,"t":1,"data":' + b"[" * 30_000, "empty": b"", "list": b'[{"code":0}]',
    "no t": b'{"code":0,"data":null}', "no code": b'{"data":null,"t":1}', "giant": _LARGE,
}  # fmt: skip
_HONEST_SHARE, _FAILURES_EACH, _OTHERS_EACH = 0.6, 2, 12
_PAUSE_S = {"429": 5.0, "no_answer": 10.0, "giant": 10.0, "bomb": 5.0}  # each pauses the whole account, or takes long


class Storm:
    """The kinds of failures in order; none before `begin`, and the same order every time."""

    def __init__(self) -> None:
        self._chance = random.Random("weather")
        self._kinds: list[str] = []
        self._refused: set[tuple[str, int]] = set()
        self._again_at: dict[str, float] = {}
        self._active = False

    def begin(self) -> None:
        """Inject failures from now on."""
        self._active = True

    def end(self) -> None:
        """Inject no failures any more."""
        self._active = False

    def next(self, word: str, number: int) -> str:
        """Return the kind of failure of this call. No call is refused twice in a row: a person would have to act."""
        if not self._active or (word, number) in self._refused:
            self._refused.discard((word, number))
            return HONEST
        if not self._kinds:
            self._kinds = self._round()
        kind = self._kinds.pop()
        if time.monotonic() < self._again_at.get(kind, 0.0) or (kind == "other_vehicle" and word != "status"):
            return HONEST
        self._again_at[kind] = time.monotonic() + _PAUSE_S.get(kind, 0.0)
        if kind in REFUSALS:
            self._refused.add((word, number))
        return kind

    def _round(self) -> list[str]:
        codes = [str(code) for code in CODES if str(code) not in (*REFUSALS, *FAILURES)]
        others = (*QUARANTINE_REASONS, TYPES)
        failures = [*FAILURES * _FAILURES_EACH, *REFUSALS, *codes, *others * _OTHERS_EACH]
        kinds = [*failures, *[HONEST] * int(len(failures) * _HONEST_SHARE / (1 - _HONEST_SHARE))]
        self._chance.shuffle(kinds)
        return kinds


def apply_kind(kind: str, reply: Reply, other: dict[str, Any]) -> Reply:
    """Return the reply as it arrives; `other` is the answer of another vehicle."""
    if kind == HONEST:
        return reply
    if kind in ("401", "500", "503", "404", "429"):
        return apply_failure(Failure("http", code=int(kind), seconds=1), reply)
    if kind.isdigit() and kind != "302":
        return apply_failure(Failure("code", code=int(kind)), reply)
    if kind in ("disconnect", "truncate", "html", TYPES, "no_answer"):
        return apply_failure(Failure(kind, seconds=25), reply)
    return _apply_unusual_kind(kind, reply, other)


def _apply_unusual_kind(kind: str, reply: Reply, other: dict[str, Any]) -> Reply:
    if kind == "other_vehicle":
        return msgspec.structs.replace(reply, body=msgspec.json.encode(other))
    if kind == "302":
        return Reply(302, b"", {"Location": "/oauth/token"})
    if kind in ("no gzip", "bomb"):
        return Reply(200, reply.body if kind == "no gzip" else _BOMB, {"Content-Encoding": "gzip"})
    return msgspec.structs.replace(reply, body=_BODIES[kind])
