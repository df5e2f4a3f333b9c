"""Who is asked what, when: a pure planner of one account; time comes from outside, nothing here waits or sends.

Each vehicle has a state, each question an interval per state. Whoever has waited longest beyond its time comes first,
so that nobody starves. A push that tells the same spares the question. A budget of calls is spread over its period
(`budget`): all intervals are stretched alike until they fit. A question that fails waits by itself, and longer each
time, so that one that always fails holds up no other; trouble of the whole cloud is a matter of `circuit`.
"""

import heapq
import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from logger.errors import LoggerError, Retry
from logger.poll.call_budget import CallBudget, Period
from logger.poll.circuit_breaker import CircuitBreaker
from logger.poll.lateness import Lateness
from logger.sources.contract import Meaning, Query, State

_JITTER = 0.1  # of an interval, either way: vehicles that began together drift apart
_LATE_S, _LATE_SHARE = 30.0, 0.25  # late is half a minute and a quarter of the interval
_REST_S, _FIRST_REST_S = 86_400.0, 3600.0  # what the vendor says for ever is asked again tomorrow, at first in an hour
_MOST_DOUBLINGS = 5  # for a device that does not answer, or a question that fails
_IDLE_S = 5.0
_MOST_STALE = 4  # entries of the queue for each question in it


_Key = tuple[str, str]  # vehicle and query


class Call(msgspec.Struct, frozen=True):
    """One call to make: whom, what, when it was due (monotonic) [s], and the interval it was due by [s]."""

    vehicle: str
    query: str
    due_at: float
    every_s: float


class CallCounts(msgspec.Struct):
    """What became of one query, since the start."""

    asked: int = 0
    answered: int = 0
    spared: int = 0
    late: int = 0
    failed: int = 0
    device: int = 0  # of the answered: the vehicle could not say
    permanent: int = 0  # of the answered: the vendor says that it never will
    changed: int = 0  # of the answered: nothing that we know how to read


class _Vehicle:
    def __init__(self, state: State) -> None:
        self.state = state
        self.in_service = state != "out_of_service"
        self.heard_at = -math.inf
        self.told_at: dict[str, float] = {}  # by path of push
        self.misses = 0


class _Turn(msgspec.Struct, frozen=True, gc=False):
    """When a question is due: so long after a moment, the interval stretched as the budget demands [s]."""

    due_at: float
    since_at: float
    interval_s: float


class Scheduler:
    """The plan of one account; `counts` are by query.

    `budget` is calls per `period`, 0 for no limit; `used` is what earlier runs used.
    """

    def __init__(
        self,
        questions: Sequence[Query],
        now: float,
        *,
        budget: int = 0,
        period: Period = "day",
        silent_after_s: float = 3600,
        used: Mapping[str, int] | None = None,
        chance: random.Random | None = None,
    ) -> None:
        self.counts = {question.query: CallCounts() for question in questions}
        self.lateness = Lateness()
        self._questions = {question.query: question for question in questions}
        self._vehicles: dict[str, _Vehicle] = {}
        self._turns: dict[_Key, _Turn] = {}
        self._heap: list[tuple[float, _Key]] = []
        self._silent_after_s = silent_after_s
        self._chance = chance or random.Random()
        self._circuit = CircuitBreaker(self._chance)
        self._budget, self._stretch = CallBudget(budget, period, now, used or {}), 1.0
        self._demand_hz, self._wanted_hz = 0.0, dict[_Key, float]()  # by the intervals, pushes not counted
        self._failures: Counter[_Key] = Counter()  # in a row
        self._resting: set[_Key] = set()  # what the vendor will never answer

    # ---- what the world tells --------------------------------------------------------------------------------------

    def add(self, vehicle: str, now: float, *, in_service: bool = True) -> None:
        """Ask this vehicle from now on; its first turn is anywhere within its interval, so that a start is no herd."""
        self._vehicles[vehicle] = known = _Vehicle("silent" if in_service else "out_of_service")
        known.heard_at = now
        for query in self._questions:
            every = self._every_s(vehicle, query, now)
            if every is not None:
                self._want((vehicle, query), every)
                self._schedule((vehicle, query), now, self._chance.uniform(0, every))

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

    def answered(self, ask: Call, meaning: Meaning, state: State | None, now: float) -> None:
        """The vendor answered; `device` means that the vehicle cannot say now, `permanent` that it never will."""
        self._count(ask.query, meaning)
        self._circuit.answered()
        key, known = (ask.vehicle, ask.query), self._vehicles[ask.vehicle]
        del self._failures[key]
        known.misses = min(known.misses + 1, _MOST_DOUBLINGS) if meaning == "device" else 0
        if meaning == "ok":
            known.heard_at = now
        if state is not None:
            known.state = state
        every = self._every_s(*key, now)
        if meaning == "permanent":
            self._rest(key, now, _REST_S if key in self._resting else _FIRST_REST_S)
            self._resting.add(key)
        elif every is None:
            self._rest(key, now)
        else:
            self._resting.discard(key)
            self._want(key, every * 2.0**known.misses)
            self._schedule(key, now, every * 2.0**known.misses * self._chance.uniform(1 - _JITTER, 1 + _JITTER))

    def failed(self, ask: Call, error: LoggerError, now: float) -> float:
        """The call failed; returns after how long it is made again at the earliest [s]."""
        self.counts[ask.query].failed += 1
        self._circuit.failed(error, now)
        key = (ask.vehicle, ask.query)
        self._failures[key] += 1
        after = error.after if isinstance(error, Retry) else 0.0
        wait = min(max(after, ask.every_s), after * 2.0 ** min(self._failures[key] - 1, _MOST_DOUBLINGS))
        self._schedule(key, now + wait, 0.0)
        return max(wait, self._circuit.rests_s(now))

    def spent(self, calls: int, wall: datetime) -> None:
        """So many more calls were made than were taken: a token, or the same once more with a new one."""
        self._budget.book(wall, calls)

    # ---- what to do ------------------------------------------------------------------------------------------------

    def take(self, free: int, now: float, wall: datetime) -> list[Call]:
        """Up to `free` calls to make now, the longest due first. Each must be told `answered` or `failed` later."""
        self._budget.refill(now, wall)
        self._stretch = self._budget.stretch(self._demand_hz)
        places = self._circuit.places(free, now)
        asks: list[Call] = []
        while len(asks) < places and self._budget.affords(wall) and (ask := self._pop(now)):
            asks.append(ask)
            self._book(ask, now, wall)
        if places:
            self._circuit.took(len(asks))
        return asks

    def wait_s(self, now: float) -> float:
        """How long there is nothing to take, as far as is known now, 5 s at most [s]."""
        due_at = self._heap[0][0] if self._heap else math.inf
        until = max(due_at, self._circuit.ready_at, self._budget.ready_at())
        return min(_IDLE_S, max(0.0, until - now))

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
        return len(self._turns)

    @property
    def failing(self) -> int:
        """How many questions failed when they were last asked."""
        return len(self._failures)

    @property
    def used(self) -> Mapping[str, int]:
        """Calls made, by period."""
        return self._budget.used

    def paused_s(self, now: float) -> float:
        """For how long the account still rests after failures [s]."""
        return self._circuit.rests_s(now)

    # ---- intervals -------------------------------------------------------------------------------------------------

    def _every_s(self, vehicle: str, query: str, now: float) -> float | None:
        return self._questions[query].every_s.get(self.state(vehicle, now))

    def _want(self, key: _Key, every_s: float) -> None:
        """This question comes at this interval from now on."""
        self._demand_hz += 1 / every_s - self._wanted_hz.get(key, 0.0)
        self._wanted_hz[key] = 1 / every_s

    def _bring_forward(self, vehicle: str, now: float) -> None:
        for query in self._questions:
            key, every = (vehicle, query), self._every_s(vehicle, query, now)
            if every is None or key in self._resting or key not in self._turns:
                continue  # never asked in this state, or at all, or under way
            soon = every * self._chance.uniform(0, 1)
            if now + soon * self._stretch < self._turns[key].due_at:
                self._want(key, every)
                self._schedule(key, now, soon)

    def _rest(self, key: _Key, now: float, seconds: float = _REST_S) -> None:
        self._want(key, seconds)
        self._schedule(key, now + seconds, 0.0)

    def _schedule(self, key: _Key, since_at: float, interval_s: float) -> None:
        turn = _Turn(since_at + interval_s * self._stretch, since_at, interval_s)
        self._turns[key] = turn
        heapq.heappush(self._heap, (turn.due_at, key))
        if len(self._heap) > _MOST_STALE * len(self._turns):  # what was scheduled anew leaves its old place behind
            self._heap = [(each.due_at, its) for its, each in self._turns.items()]
            heapq.heapify(self._heap)

    def _pop(self, now: float) -> Call | None:
        while self._heap and self._heap[0][0] <= now:
            due_at, key = heapq.heappop(self._heap)
            turn = self._turns.get(key)
            if turn is None or turn.due_at != due_at:
                continue  # it was scheduled anew since
            stretched_at = turn.since_at + turn.interval_s * self._stretch
            if stretched_at > now:  # the budget has become tighter since
                self._schedule(key, turn.since_at, turn.interval_s)
                continue
            del self._turns[key]
            every = self._every_s(*key, now)
            if every is None:
                self._rest(key, now)
            elif not self._spared(key, every, now):
                return Call(*key, max(due_at, stretched_at), every)
        return None

    def _spared(self, key: _Key, every: float, now: float) -> bool:
        vehicle, query = key
        told_at = self._vehicles[vehicle].told_at.get(self._questions[query].spared_by, -math.inf)
        if told_at + every * self._stretch <= now:
            return False
        self.counts[query].spared += 1
        self._schedule(key, told_at, every * self._chance.uniform(1, 1 + _JITTER))
        return True

    # ---- books -----------------------------------------------------------------------------------------------------

    def _book(self, ask: Call, now: float, wall: datetime) -> None:
        late_s, counts = now - ask.due_at, self.counts[ask.query]
        counts.asked += 1
        counts.late += late_s > max(_LATE_S, _LATE_SHARE * ask.every_s)
        self.lateness.add(late_s)
        self._budget.book(wall)

    def _count(self, query: str, meaning: Meaning) -> None:
        counts = self.counts[query]
        counts.answered += 1
        if meaning != "ok":
            setattr(counts, meaning, getattr(counts, meaning) + 1)
