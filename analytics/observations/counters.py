"""Counters of a vehicle made steady: glitches dropped, resets and wraps bridged, whatever the order of their faults.

The rules are those of the analytics facts, 1.3. Nearly every vehicle's counter never falls and never leaps: those are
told apart by expressions alone, and only the others are walked through reading by reading.
"""

import itertools
from collections.abc import Sequence

import msgspec

JITTER = 5.0  # a counter that falls by so little stays where it was
_RETURNS_WITHIN = 8  # readings after which a glitch is over
_HOLDS_FOR = 3  # readings that a new base must last
_WRAPS = (2.0**16, 2.0**24)
_NEAR_WRAP = 0.9  # a counter that begins anew at 2^k was near it


class Steady(msgspec.Struct, frozen=True):
    """`value` is the counter since the first reading, never falling; `fault` a word for readings that are not as told.

    `glitch`: the reading is none. `reset`: the counter began anew, and what lies between is not known.
    """

    value: list[float | None]
    fault: list[str]


def steady(seconds: Sequence[float], counter: Sequence[float | None], rate: float, slack: float) -> Steady:
    """One vehicle's counter, in the order of time [s], that rises by at most `rate` a second and `slack` at once."""
    walk = _Walk(rate, slack)
    for place in range(len(counter)):
        walk.step(seconds, counter, place)
    return Steady(walk.value, walk.fault)


class _Walk:
    """Where a walk along a counter stands: the base it holds readings against, and what it summed up."""

    def __init__(self, rate: float, slack: float) -> None:
        self._rate, self._slack = rate, slack
        self._sum, self._at = 0.0, 0.0
        self._base: float | None = None
        self.value: list[float | None] = []
        self.fault: list[str] = []

    def step(self, times: Sequence[float], told: Sequence[float | None], place: int) -> None:
        """Take the next reading."""
        fault, reading, at = "", told[place], times[place]
        if reading is not None and self._base is None:
            self._base, self._at = reading, at
        elif reading is not None and not self._taken(reading, at):
            fault = self._judged(times, told, place)
        self.value.append(self._sum)
        self.fault.append(fault)

    def _taken(self, reading: float, at: float) -> bool:
        """Whether the reading goes on from the base; then it is the base."""
        rise = reading - (self._base or 0.0)
        return self._added(rise, reading, at) or -JITTER <= rise < 0

    def _added(self, rise: float, reading: float, at: float) -> bool:
        possible = 0 <= rise <= self._most(at - self._at)
        if possible:
            self._sum, self._base, self._at = self._sum + rise, reading, at
        return possible

    def _judged(self, times: Sequence[float], told: Sequence[float | None], place: int) -> str:
        if self._returns(times, told, place):
            return "glitch"
        reading, at, base = told[place] or 0.0, times[place], self._base or 0.0
        if any(base >= _NEAR_WRAP * wrap and self._added(reading + wrap - base, reading, at) for wrap in _WRAPS):
            return ""
        if not self._holds(times, told, place):
            return "glitch"
        self._base, self._at = reading, at
        return "reset"

    def _returns(self, times: Sequence[float], told: Sequence[float | None], place: int) -> bool:
        """Whether one of the next readings goes on from the old base."""
        base = self._base or 0.0
        return any(
            -JITTER <= reading - base <= self._most(at - self._at)
            for at, reading in _next(times, told, place + 1, _RETURNS_WITHIN)
        )

    def _holds(self, times: Sequence[float], told: Sequence[float | None], place: int) -> bool:
        """Whether the next readings go on from this one."""
        found = _next(times, told, place, _HOLDS_FOR)
        rises = [(then - now, after - before) for (before, now), (after, then) in itertools.pairwise(found)]
        lasts = all(-JITTER <= rise <= self._rate * span + self._slack for rise, span in rises)
        return len(found) == _HOLDS_FOR and lasts

    def _most(self, seconds: float) -> float:
        return self._rate * max(0.0, seconds) + self._slack


def _next(times: Sequence[float], told: Sequence[float | None], begin: int, count: int) -> list[tuple[float, float]]:
    """The next so many readings that there are, with their times."""
    known = ((times[at], reading) for at in range(begin, len(told)) if (reading := told[at]) is not None)
    return list(itertools.islice(known, count))
