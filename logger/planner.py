"""Who is asked what, when: a pure planner of one account; time comes from outside, nothing here waits or sends.

Each vehicle has a state, each question an interval per state. Whoever has waited longest beyond its time comes first,
so that nobody starves. A push that tells the same spares the question. A budget of calls is spread over its period:
all intervals are stretched alike until they fit, and a bucket that fills at the budget's pace is the hard limit.
"""

import heapq
import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

from logger.errors import LoggerError, LoginNeeded, Retry

State = Literal["riding", "charging", "parked", "offline", "silent", "out_of_service"]
Meaning = Literal["ok", "device", "permanent", "changed"]
STATES: tuple[State, ...] = ("riding", "charging", "parked", "offline", "silent", "out_of_service")
_JITTER = 0.1  # of an interval, either way: vehicles that began together drift apart
_LATE_S, _LATE_SHARE = 30.0, 0.25  # late is half a minute and a quarter of the interval
_BURST_S = 60.0  # as much of the budget's pace may be used at once
_STRETCH_EVERY_S = 600.0
_BREAK_AFTER = 3  # failures in a row that open the circuit
_PAUSE_S, _MAX_PAUSE_S, _LOGIN_PAUSE_S = 2.0, 600.0, 900.0
_REST_S = 86_400.0  # what the vendor says for ever is asked again tomorrow
_MOST_DOUBLINGS = 5  # for a device that does not answer
_IDLE_S = 5.0


class Question(msgspec.Struct, frozen=True):
    """One query: its interval by state [s]; a state without one is never asked. A push of `spared_by` spares it."""

    query: str
    every_s: Mapping[State, float]
    spared_by: str = ""


class Ask(msgspec.Struct, frozen=True):
    """One call to make: whom, what, when it was due (monotonic) [s], and the interval it was due by [s]."""

    vehicle: str
    query: str
    due_at: float
    every_s: float


class Counts(msgspec.Struct):
    """What became of one query, since the start."""

    asked: int = 0
    answered: int = 0
    spared: int = 0
    late: int = 0
    failed: int = 0


class _Vehicle:
    def __init__(self, state: State) -> None:
        self.state = state
        self.in_service = state != "out_of_service"
        self.heard_at = -math.inf
        self.told_at: dict[str, float] = {}  # by path of push
        self.misses = 0


class Planner:
    """The plan of one account; `counts` are by query.

    `budget` is calls per `period`, 0 for no limit; `used` is what earlier runs used.
    """

    def __init__(
        self,
        questions: Sequence[Question],
        now: float,
        *,
        budget: int = 0,
        period: Literal["day", "month"] = "day",
        silent_after_s: float = 3600,
        used: Mapping[str, int] | None = None,
        chance: random.Random | None = None,
    ) -> None:
        self.counts = {question.query: Counts() for question in questions}
        self.used: Counter[str] = Counter(used or {})
        self._questions = {question.query: question for question in questions}
        self._vehicles: dict[str, _Vehicle] = {}
        self._due: dict[tuple[str, str], float] = {}
        self._heap: list[tuple[float, str, str]] = []
        self._budget, self._period, self._silent_after_s = budget, period, silent_after_s
        self._chance = chance or random.Random()
        self._bucket, self._filled_at, self._pace_hz = 1.0, now, 0.0
        self._paused_until, self._failures, self._probing = -math.inf, 0, False
        self._stretch, self._stretched_at = 1.0, -math.inf

    # ---- what the world tells --------------------------------------------------------------------------------------

    def add(self, vehicle: str, now: float, *, in_service: bool = True) -> None:
        """Ask this vehicle from now on; its first turn is anywhere within its interval, so that a start is no herd."""
        self._vehicles[vehicle] = known = _Vehicle("silent" if in_service else "out_of_service")
        known.heard_at = now
        for query in self._questions:
            every = self._every_s(vehicle, query, now)
            if every is not None:
                self._schedule(vehicle, query, now + self._chance.uniform(0, every))

    def heard(self, vehicle: str, path: str, state: State | None, now: float) -> None:
        """A push came; a new state brings the questions forward that this state asks more often."""
        known = self._vehicles.get(vehicle)
        if known is None:
            return
        was_silent = self.state(vehicle, now) == "silent"
        known.heard_at = known.told_at[path] = now
        known.misses = 0
        if state is not None and (state != known.state or was_silent):
            known.state = state
            self._bring_forward(vehicle, now)

    def serve(self, vehicle: str, now: float, *, in_service: bool) -> None:
        """A person took this vehicle out of service, or back."""
        self._vehicles[vehicle].in_service = in_service
        self._bring_forward(vehicle, now)

    def answered(self, ask: Ask, meaning: Meaning, state: State | None, now: float) -> None:
        """The vendor answered; `device` means that the vehicle cannot say now, `permanent` that it never will."""
        self.counts[ask.query].answered += 1
        self._failures, self._probing = 0, False
        known = self._vehicles[ask.vehicle]
        known.misses = min(known.misses + 1, _MOST_DOUBLINGS) if meaning == "device" else 0
        if meaning == "ok":
            known.heard_at = now
        if state is not None:
            known.state = state
        self._schedule(ask.vehicle, ask.query, now + (_REST_S if meaning == "permanent" else self._next_s(ask, now)))

    def failed(self, ask: Ask, error: LoggerError, now: float) -> None:
        """The call failed. The account rests as long as the cloud asked for, and longer with each failure in a row."""
        self.counts[ask.query].failed += 1
        self._failures, self._probing = self._failures + 1, False
        self._schedule(ask.vehicle, ask.query, ask.due_at)  # still due: whoever waited longest stays first
        pause = _LOGIN_PAUSE_S if isinstance(error, LoginNeeded) else _pause_s(error, self._failures)
        self._paused_until = max(self._paused_until, now + pause * self._chance.uniform(1, 1 + 2 * _JITTER))

    # ---- what to do ------------------------------------------------------------------------------------------------

    def take(self, free: int, now: float, wall: datetime) -> list[Ask]:
        """Up to `free` calls to make now, the longest due first. Each must be told `answered` or `failed` later."""
        self._refill(now, wall)
        if now < self._paused_until or self._probing:
            return []
        broken = self._failures >= _BREAK_AFTER
        asks: list[Ask] = []
        while len(asks) < (min(free, 1) if broken else free) and self._affordable(wall) and (ask := self._pop(now)):
            asks.append(ask)
            self._book(ask, now, wall)
        self._probing = broken and bool(asks)  # the circuit is half open: one goes ahead, and the others wait for it
        return asks

    def wait_s(self, now: float) -> float:
        """How long there is nothing to take, as far as is known now, 5 s at most [s]."""
        until = max(self._paused_until, self._heap[0][0] if self._heap else math.inf)
        if self._budget and self._bucket < 1:
            until = max(until, self._filled_at + (1 - self._bucket) / self._pace_hz if self._pace_hz else math.inf)
        return _IDLE_S if self._probing else min(_IDLE_S, max(0.0, until - now))

    def state(self, vehicle: str, now: float) -> State:
        """The state that decides how often this vehicle is asked."""
        known = self._vehicles[vehicle]
        if not known.in_service:
            return "out_of_service"
        if now - known.heard_at > self._silent_after_s:
            return "silent"
        return known.state

    @property
    def waiting(self) -> int:
        """How many questions are in the plan; at most one for each vehicle and query."""
        return len(self._due)

    def paused_s(self, now: float) -> float:
        """For how long the account still rests after failures [s]."""
        return max(0.0, self._paused_until - now)

    # ---- intervals -------------------------------------------------------------------------------------------------

    def _every_s(self, vehicle: str, query: str, now: float) -> float | None:
        return self._questions[query].every_s.get(self.state(vehicle, now))

    def _next_s(self, ask: Ask, now: float) -> float:
        """Until this is asked again: its interval, stretched to the budget, doubled for each miss, shaken a little."""
        every = self._every_s(ask.vehicle, ask.query, now)
        if every is None:
            return _REST_S
        doubled = every * self._stretch * 2.0 ** self._vehicles[ask.vehicle].misses
        return doubled * self._chance.uniform(1 - _JITTER, 1 + _JITTER)

    def _bring_forward(self, vehicle: str, now: float) -> None:
        for query in self._questions:
            every = self._every_s(vehicle, query, now)
            soon = now + (every or _REST_S) * self._stretch * self._chance.uniform(0, 1)
            if every is not None and soon < self._due.get((vehicle, query), math.inf):
                self._schedule(vehicle, query, soon)

    def _schedule(self, vehicle: str, query: str, due_at: float) -> None:
        self._due[vehicle, query] = due_at
        heapq.heappush(self._heap, (due_at, vehicle, query))

    def _pop(self, now: float) -> Ask | None:
        while self._heap and self._heap[0][0] <= now:
            due_at, vehicle, query = heapq.heappop(self._heap)
            if self._due.get((vehicle, query)) != due_at:
                continue  # it was scheduled anew since
            del self._due[vehicle, query]
            every = self._every_s(vehicle, query, now)
            if every is None:
                self._schedule(vehicle, query, now + _REST_S)
            elif not self._spared(vehicle, query, every, now):
                return Ask(vehicle, query, due_at, every)
        return None

    def _spared(self, vehicle: str, query: str, every: float, now: float) -> bool:
        told_at = self._vehicles[vehicle].told_at.get(self._questions[query].spared_by, -math.inf)
        again_at = told_at + every * self._stretch
        if again_at <= now:
            return False
        self.counts[query].spared += 1
        self._schedule(vehicle, query, again_at + every * self._chance.uniform(0, _JITTER))
        return True

    # ---- budget ----------------------------------------------------------------------------------------------------

    def _book(self, ask: Ask, now: float, wall: datetime) -> None:
        counts = self.counts[ask.query]
        counts.asked += 1
        counts.late += now - ask.due_at > max(_LATE_S, _LATE_SHARE * ask.every_s)
        self._bucket -= 1
        self.used[self._key(wall)] += 1

    def _affordable(self, wall: datetime) -> bool:
        return not self._budget or (self._bucket >= 1 and self.used[self._key(wall)] < self._budget)

    def _refill(self, now: float, wall: datetime) -> None:
        if not self._budget:
            return
        pace = self._pace_hz = self._pace(wall)
        passed = max(0.0, now - self._filled_at)
        self._bucket = min(self._bucket + passed * pace, max(1.0, pace * _BURST_S))
        self._filled_at = now
        if now - self._stretched_at >= _STRETCH_EVERY_S:
            self._stretched_at = now
            self._stretch = max(1.0, self._demand(now) / pace) if pace else 1.0

    def _pace(self, wall: datetime) -> float:
        """Calls a second that last until the period ends."""
        left = max(1.0, (_period_end(wall, self._period) - wall).total_seconds())
        return max(0, self._budget - self.used[self._key(wall)]) / left

    def _demand(self, now: float) -> float:
        """Calls a second that the intervals ask for, pushes not counted."""
        return sum(1 / every for name in self._vehicles for query in self._questions
                   if (every := self._every_s(name, query, now)))  # fmt: skip

    def _key(self, wall: datetime) -> str:
        return wall.astimezone(UTC).strftime("%Y-%m-%d" if self._period == "day" else "%Y-%m")


def _pause_s(error: LoggerError, failures: int) -> float:
    asked = error.after if isinstance(error, Retry) else _PAUSE_S
    if failures < _BREAK_AFTER:
        return asked
    return max(asked, min(_MAX_PAUSE_S, _PAUSE_S * 2.0 ** (failures - _BREAK_AFTER)))


def _period_end(wall: datetime, period: str) -> datetime:
    day = wall.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "day":
        return day + timedelta(days=1)
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
