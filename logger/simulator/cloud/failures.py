"""Failures of a simulated cloud, injected into its answers by a schedule that tests write."""

import math
from collections.abc import Mapping
from random import Random
from typing import Any

import msgspec

HTML = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"
KINDS = ("http", "code", "no_answer", "slow", "disconnect", "truncate", "html", "wrong_types", "other_vehicle")


class Failure(msgspec.Struct, frozen=True):
    """One entry of the schedule: which calls fail, and how.

    Of the calls that match, `count` fail from number `first` on (0 is all), each with this chance, between two
    simulated moments. Kinds: `http` (status `code`, with `Retry-After` where it is 429), `code` (of the vendor's
    envelope), `no_answer` (nothing for `seconds`, then the connection is closed), `slow` (the answer after `seconds`),
    `disconnect` (the connection is closed without an answer), `truncate` (half of the body), `html` (with status 200),
    `wrong_types` (numbers as text and the like), `other_vehicle` (the answer of another vehicle).
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
            raise ValueError(f"unknown kind of failure {self.kind!r}; there are {', '.join(KINDS)}")

    def matches(self, path: str, vehicle: str, at: float) -> bool:
        """Return whether this call at this simulated moment [epoch s] belongs to this entry."""
        return self.path in ("", path) and self.vehicle in ("", vehicle) and self.begin <= at < self.end


class Reply(msgspec.Struct, frozen=True):
    """An HTTP answer; `cut_after` is the number of bytes of the body after which the connection is closed."""

    status: int
    body: bytes
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    delay_s: float = 0.0
    cut_after: int | None = None  # -1: not even the head is sent


class FailureSchedule:
    """The failures in order; the first one that matches a call is applied to it."""

    def __init__(self, failures: tuple[Failure, ...], seed: int) -> None:
        self._entries = [(failure, [0]) for failure in failures]
        self._chance = Random(f"{seed} mishaps")

    def next(self, path: str, vehicle: str, at: float) -> Failure | None:
        """Return the failure of this call at this simulated moment [epoch s], if it fails."""
        for failure, calls in self._entries:
            if not failure.matches(path, vehicle, at):
                continue
            calls[0] += 1
            over = failure.count and calls[0] >= failure.first + failure.count
            if calls[0] >= failure.first and not over and self._chance.random() < failure.chance:
                return failure
        return None


def apply_failure(failure: Failure, reply: Reply) -> Reply:
    """Return the reply as it arrives. The cloud itself chooses the vehicle of `other_vehicle`."""
    change = msgspec.structs.replace
    match failure.kind:
        case "http":
            wait = {"Retry-After": f"{failure.seconds:.0f}"} if failure.code == 429 else {}
            return Reply(failure.code, b'{"error":"simulated"}', {"Content-Type": "application/json", **wait})
        case "no_answer":
            return change(reply, delay_s=failure.seconds, cut_after=-1)
        case "slow":
            return change(reply, delay_s=failure.seconds)
        case "disconnect":
            return change(reply, cut_after=-1)
        case "truncate":
            return change(reply, cut_after=len(reply.body) // 2)
        case _:
            return _with_wrong_content(failure, reply)


def _with_wrong_content(failure: Failure, reply: Reply) -> Reply:
    if failure.kind == "html":
        return Reply(200, HTML, {"Content-Type": "text/html"})
    if failure.kind == "other_vehicle":
        return reply
    answer = msgspec.json.decode(reply.body)
    if failure.kind == "code":
        answer = {**answer, "code": failure.code, "msg": "simulated", "data": None}
    else:
        answer = _with_wrong_types(answer)
    return msgspec.structs.replace(reply, body=msgspec.json.encode(answer))


def _with_wrong_types(value: Any) -> Any:
    """Return the value with every part of another type than it should have; the envelope's `code` stays."""
    match value:
        case {"code": code, **rest}:
            return {"code": code, **{name: _with_wrong_types(each) for name, each in rest.items()}}
        case dict():
            return {name: _with_wrong_types(each) for name, each in value.items()}
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
