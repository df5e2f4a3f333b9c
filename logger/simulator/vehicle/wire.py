"""What of a moped's messages reaches the collector: lost, late, repeated, reordered, and outages of the collector."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from random import Random
from typing import Protocol

import msgspec

from logger.simulator.vehicle.truth import Truth

_LATE_S = (20, 900)
_RETRY_S = 5.0  # the vendor's one retry
_LATENCY_S, _LATENCY_SPREAD = 0.35, 0.6  # log-normal: neighbours overtake each other now and then
Window = tuple[float, float]


class Push(msgspec.Struct, frozen=True):
    """One message: when it is sent and what it says (unsigned), by the last word of its path."""

    sent_at: float
    path: str
    fields: dict[str, str]


class Speaker(Protocol):
    """A simulated vehicle."""

    vehicle: str
    truth: Truth

    @property
    def keeps(self) -> int: ...
    def pushes(self) -> Iterable[tuple[float, str, dict[str, str]]]: ...


def sent(
    speaker: Speaker,
    seed: int,
    lost: float = 0.01,
    late: float = 0.02,
    repeated: float = 0.01,
    outages: Sequence[Window] = (),
) -> list[Push]:
    """What of a moped's pushes goes over the wire, in the order of sending; counted in its truth.

    In an outage [epoch s] the collector answers nobody: a push is tried again after 5 s, then lost.
    """
    chance, truth = Random(f"{seed} {speaker.vehicle} wire"), speaker.truth
    made = list(speaker.pushes())
    pushes: list[Push] = []
    for at, path, fields, delayed in _through_the_dark(made, truth, speaker.keeps):
        fate = chance.random()
        delay = chance.uniform(*_LATE_S) if lost <= fate < lost + late else 0.0
        arrives = _past(outages, at + delay + _LATENCY_S * chance.lognormvariate(0, _LATENCY_SPREAD))
        twice = chance.random() < repeated
        if fate < lost or arrives is None:
            continue
        truth.late += delayed or delay > 0
        if path == "status":
            truth.heard_at = max(truth.heard_at, at)
        pushes.append(Push(arrives, path, fields))
        if twice and (again := _past(outages, arrives + _RETRY_S)) is not None:
            truth.repeated += 1
            pushes.append(Push(again, path, fields))
    truth.made, truth.lost = len(made), len(made) - (len(pushes) - truth.repeated)
    truth.distinct = len({_key(push) for push in pushes})
    return sorted(pushes, key=lambda push: push.sent_at)


def _through_the_dark(
    made: list[tuple[float, str, dict[str, str]]], truth: Truth, keeps: int
) -> list[tuple[float, str, dict[str, str], bool]]:
    """Messages of a time without network: the last few come when it is back, the others never."""
    windows = [(row["started_at"], row["finished_at"]) for row in truth.dark]
    due: list[tuple[float, str, dict[str, str], bool]] = []
    waiting: dict[float, list[tuple[str, dict[str, str]]]] = {}
    for at, path, fields in made:
        window = _inside(windows, at)
        if window is None:
            due.append((at, path, fields, False))
        else:
            waiting.setdefault(window[1], []).append((path, fields))
    for back, held in waiting.items():
        kept = held[-keeps:] if keeps else []
        due += [(back + place, path, fields, True) for place, (path, fields) in enumerate(kept)]
    return sorted(due, key=lambda each: each[0])


def _inside(windows: Sequence[Window], at: float) -> Window | None:
    place = bisect_right(windows, (at, float("inf"))) - 1
    return windows[place] if place >= 0 and at < windows[place][1] else None


def _past(outages: Sequence[Window], at: float) -> float | None:
    """When the collector takes it: at once, at the retry, or never."""
    down = [window for window in outages if window[0] <= at < window[1]]
    if not down:
        return at
    return at + _RETRY_S if not any(begin <= at + _RETRY_S < end for begin, end in outages) else None


def _key(push: Push) -> tuple[str, ...]:
    """What the tables keep apart: vehicle, device time, and of an event its kind and code."""
    fields = push.fields
    time = fields.get("statusUtcTime") or fields["gpsUtcTime"]
    return push.path, time, fields.get("code") or fields.get("type", "")
