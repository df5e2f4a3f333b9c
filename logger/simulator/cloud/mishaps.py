"""What may go wrong between a simulated cloud and whoever asks it, by a schedule that tests write."""

import math
from collections.abc import Mapping
from random import Random
from typing import Any

import msgspec

HTML = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"
KINDS = ("http", "code", "silence", "slow", "cut", "half", "html", "types", "stranger")


class Mishap(msgspec.Struct, frozen=True):
    """One entry of the schedule: which calls go wrong, and how.

    Of the calls that it fits it spoils `count` from the `first` on (0 is all), each with this chance, between two
    simulated moments. Kinds: `http` (status `code`, with `Retry-After` where it is 429), `code` (of the vendor's
    envelope), `silence` (nothing for `seconds`, then the connection is cut), `slow` (the answer after `seconds`),
    `cut` (no answer), `half` (of the body), `html` (with status 200), `types` (numbers as text and the like),
    `stranger` (the answer of another vehicle).
    """

    kind: str
    path: str = ""  # last word of the path: `token`, `status`, `extra-status`, `location`, `battery-info`
    vehicle: str = ""
    first: int = 1
    count: int = 1
    chance: float = 1.0
    code: int = 500
    seconds: float = 60.0
    begin: float = -math.inf
    end: float = math.inf

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no kind of mishap: {self.kind!r}; there are {', '.join(KINDS)}")


class Reply(msgspec.Struct, frozen=True):
    """What goes over the wire: how many bytes of the body are sent before the connection is cut, if it is."""

    status: int
    body: bytes
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    delay_s: float = 0.0
    cut_after: int | None = None  # -1: not even the head


class Schedule:
    """The mishaps in order; the first that fits a call spoils it."""

    def __init__(self, mishaps: tuple[Mishap, ...], seed: int) -> None:
        self._entries = [(mishap, [0]) for mishap in mishaps]
        self._chance = Random(f"{seed} mishaps")

    def next(self, path: str, vehicle: str, at: float) -> Mishap | None:
        """What goes wrong with this call at this simulated moment [epoch s]."""
        for mishap, calls in self._entries:
            if mishap.path not in ("", path) or mishap.vehicle not in ("", vehicle):
                continue
            if not mishap.begin <= at < mishap.end:
                continue
            calls[0] += 1
            late = mishap.count and calls[0] >= mishap.first + mishap.count
            if calls[0] >= mishap.first and not late and self._chance.random() < mishap.chance:
                return mishap
        return None


def spoilt(mishap: Mishap, reply: Reply) -> Reply:
    """The reply as it arrives, or does not. `stranger` is the cloud's own business."""
    change = msgspec.structs.replace
    match mishap.kind:
        case "http":
            wait = {"Retry-After": f"{mishap.seconds:.0f}"} if mishap.code == 429 else {}
            return Reply(mishap.code, b'{"error":"simulated"}', {"Content-Type": "application/json", **wait})
        case "code":
            envelope = {**msgspec.json.decode(reply.body), "code": mishap.code, "msg": "simulated", "data": None}
            return change(reply, body=msgspec.json.encode(envelope))
        case "silence":
            return change(reply, delay_s=mishap.seconds, cut_after=-1)
        case "slow":
            return change(reply, delay_s=mishap.seconds)
        case "cut":
            return change(reply, cut_after=-1)
        case "half":
            return change(reply, cut_after=len(reply.body) // 2)
        case _:
            return _told_wrong(mishap.kind, reply)


def _told_wrong(kind: str, reply: Reply) -> Reply:
    if kind == "html":
        return Reply(200, HTML, {"Content-Type": "text/html"})
    if kind == "types":
        return msgspec.structs.replace(reply, body=msgspec.json.encode(_retyped(msgspec.json.decode(reply.body))))
    return reply


def _retyped(value: Any) -> Any:
    """Every value of another type than it should have; the envelope's `code` stays."""
    match value:
        case {"code": code, **rest}:
            return {"code": code, **{name: _retyped(each) for name, each in rest.items()}}
        case dict():
            return {name: _retyped(each) for name, each in value.items()}
        case bool():
            return int(value)
        case int():
            return str(value)
        case float():
            return [value]
        case list():
            return {"0": value}
        case _:
            return None
