"""When each vehicle of one account is polled with which query; time comes from outside, nothing here waits or sends.

Each vehicle has a state, each query an interval per state. The call that is longest overdue comes first, so that none
is left out. A query is skipped where a fresh push holds the same values. A budget of calls is spread over its period
(`call_budget`): all intervals are stretched alike until they fit. A query that fails waits by itself, longer each time,
so that it delays no other; failures of the whole cloud are the matter of `circuit_breaker`.
"""

import heapq
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from random import Random

from logger.errors import LoggerError, Retry
from logger.poll.call_budget import CallBudget, Period
from logger.poll.calls import Call, CallCounts, Turn
from logger.poll.circuit_breaker import CircuitBreaker
from logger.poll.vehicle_plan import VehiclePlan
from logger.sources.contract import PollOutcome, Query, State

_JITTER = 0.1  # of an interval, either way: vehicles that began together drift apart
_DELAY_S, _DELAY_SHARE = 30.0, 0.25  # a call counts as delayed from half a minute and a quarter of its interval on
_REST_S, _FIRST_REST_S = 86_400.0, 3600.0  # an unsupported query is tried again tomorrow, at first in an hour
_MOST_DOUBLINGS = 5  # of the interval, for a vehicle that does not answer or a query that fails
_IDLE_S = 5.0
_SPENT_S = 3600.0  # a vehicle whose plan is used up is looked at again after this: the month may have ended
_MOST_STALE = 4  # entries of the queue for each query in it
_Key = tuple[str, str]  # vehicle and query


class _Vehicle:
    def __init__(self, state: State, now: float) -> None:
        self.state = state
        self.in_service = state != "out_of_service"
        self.seen_at = now
        self.pushed_at: dict[str, float] = {}  # by kind of push
        self.misses = 0


class Scheduler:
    """The schedule of one account; `counts` are by query.

    `budget` is calls per `period`, 0 for no limit; `per_vehicle` is most calls for one vehicle in a month, 0 for no
    limit, and makes a budget where there is none; `costs` are the calls that a query costs, where it is not one.
    `used` counts calls by period, and by month and vehicle, those of earlier runs included. `observe_delay` gets how
    long after its time each call is made [s]; `rest_s` tells how long a vehicle is to be left alone [s]. All moments
    `now` are monotonic [s].
    """

    def __init__(
        self,
        queries: Sequence[Query],
        now: float,
        *,
        budget: int = 0,
        period: Period = "day",
        per_vehicle: int = 0,
        costs: Mapping[str, int] = {},
        silent_after_s: float = 3600,
        used: Counter[str] | None = None,
        observe_delay: Callable[[float], None] = lambda seconds: None,
        rest_s: Callable[[str], float] = lambda vehicle: 0.0,
        random: Random | None = None,
    ) -> None:
        self.counts = {query.name: CallCounts() for query in queries}
        self._queries = {query.name: query for query in queries}
        self._vehicles: dict[str, _Vehicle] = {}
        self._turns: dict[_Key, Turn] = {}
        self._heap: list[tuple[float, _Key]] = []
        self._silent_after_s = silent_after_s
        self._observe_delay, self._rest_s = observe_delay, rest_s
        self._random = random or Random()
        self.breaker = CircuitBreaker(self._random)
        used = Counter() if used is None else used
        self._plan, self._shares_plan = VehiclePlan(per_vehicle, costs, used), bool(per_vehicle and not budget)
        self._budget = CallBudget(budget, "month" if self._shares_plan else period, now, used)
        self._stretch = 1.0
        self._demand_hz, self._demands_hz = 0.0, dict[_Key, float]()  # by the intervals, as if nothing were pushed
        self._failures: Counter[_Key] = Counter()  # in a row
        self._unsupported: set[_Key] = set()

    # ---- what has happened -----------------------------------------------------------------------------------------

    def add(self, vehicle: str, now: float, *, in_service: bool = True) -> None:
        """Poll this vehicle from now on, first at random within its interval, so that a start is no burst."""
        self._vehicles[vehicle] = _Vehicle("silent" if in_service else "out_of_service", now)
        if self._shares_plan:
            self._budget.raise_by(self._plan.calls)
        for query in self._queries:
            every_s = self._every_s(vehicle, query, now)
            if every_s:
                self._set_demand((vehicle, query), every_s)
                self._schedule((vehicle, query), now, self._random.uniform(0, every_s))

    def knows(self, vehicle: str) -> bool:
        """Whether this vehicle was added."""
        return vehicle in self._vehicles

    def push_received(self, vehicle: str, kind: str, state: State | None, now: float) -> None:
        """A push came; in a new state, queries that this state polls more often are brought forward."""
        known = self._vehicles.get(vehicle)
        if known is None:
            return
        was_silent = self.state(vehicle, now) == "silent"
        known.seen_at = known.pushed_at[kind] = now
        known.misses = 0
        if state is not None and (state != known.state or was_silent):
            known.state = state
            self._bring_forward(vehicle, now)

    def record_answer(self, call: Call, outcome: PollOutcome, state: State | None, now: float) -> None:
        """The cloud answered this call."""
        self._count_answer(call.query, outcome)
        self.breaker.record_success()
        key, known = (call.vehicle, call.query), self._vehicles[call.vehicle]
        del self._failures[key]
        known.misses = min(known.misses + 1, _MOST_DOUBLINGS) if outcome == "unavailable" else 0
        known.seen_at = now if outcome == "ok" else known.seen_at
        known.state = known.state if state is None else state
        self._schedule_next(key, outcome, now)

    def _schedule_next(self, key: _Key, outcome: PollOutcome, now: float) -> None:
        every_s = self._every_s(*key, now)
        if outcome == "unsupported":
            self._rest(key, now, _REST_S if key in self._unsupported else _FIRST_REST_S)
            self._unsupported.add(key)
        elif every_s is None:
            self._rest(key, now)
        else:
            self._unsupported.discard(key)
            every_s *= 2.0 ** self._vehicles[key[0]].misses
            self._set_demand(key, every_s)
            self._schedule(key, now, every_s * self._random.uniform(1 - _JITTER, 1 + _JITTER))

    def record_failure(self, call: Call, error: LoggerError, now: float) -> float:
        """This call failed; return how long it waits at least before it is made again [s]."""
        self.counts[call.query].failed += 1
        self.breaker.record_failure(error, now)
        key = (call.vehicle, call.query)
        self._failures[key] += 1
        after_s = error.after if isinstance(error, Retry) else 0.0
        doublings = min(self._failures[key] - 1, _MOST_DOUBLINGS)
        wait_s = min(max(after_s, call.every_s), after_s * 2.0**doublings)
        self._schedule(key, now + wait_s, 0.0)
        return max(wait_s, self.breaker.pause_s(now))

    def count_calls(self, calls: int, wall: datetime) -> None:
        """Count calls beyond those of `due_calls`: for a token, a repeat with a new one, a list."""
        self._budget.count(wall, calls)

    def count_query(self, vehicle: str, query: str, wall: datetime) -> None:
        """Count the calls that this query of this vehicle costs; `due_calls` does so by itself."""
        self._budget.count(wall, self._plan.count(vehicle, query, wall))

    # ---- what to do ------------------------------------------------------------------------------------------------

    def due_calls(self, free: int, now: float, wall: datetime) -> list[Call]:
        """Up to `free` calls to make now, the longest overdue first; each needs `answered` or `failed` later."""
        self._budget.refill(now, wall)
        self._stretch = self._budget.stretch(self._demand_hz)
        connections = self.breaker.connections(free, now)
        calls: list[Call] = []
        while len(calls) < connections and self._budget.allows(wall) and (call := self._next_call(now)):
            if pause_s := self._pause_s(call, wall):
                self._rest((call.vehicle, call.query), now, pause_s)
                continue
            calls.append(call)
            self._count_request(call, now, wall)
        if connections:
            self.breaker.begun(len(calls))
        return calls

    def _pause_s(self, call: Call, wall: datetime) -> float:
        """How long this call is not to be made, a day at most: its vehicle rests, or has no calls left [s]."""
        if self._plan.is_spent(call.vehicle, call.query, wall):
            return _SPENT_S
        return min(_REST_S, self._rest_s(call.vehicle))

    def wait_s(self, now: float) -> float:
        """How long no call will be due, as far as is known now, 5 s at most [s]."""
        due_at = self._heap[0][0] if self._heap else math.inf
        until = max(due_at, self.breaker.ready_at, self._budget.ready_at())
        return min(_IDLE_S, max(0.0, until - now))

    def refusal(self, now: float, wall: datetime, vehicle: str = "", query: str = "") -> str:
        """Why no call may be made by hand now, of this vehicle or at all; empty where one may."""
        if vehicle and self._plan.is_spent(vehicle, query, wall):
            return "not requested: this vehicle's calls of the month are used up, but for the last tenth of the plan"
        if self._budget.is_used_up(wall):
            return "not requested: the budget is used up (`calls` in [sources.poll])"
        if self.breaker.pause_s(now):
            return "not requested: the cloud is in trouble, and left alone for a while"
        return ""

    def state(self, vehicle: str, now: float) -> State:
        """The state that decides how often this vehicle is polled."""
        known = self._vehicles[vehicle]
        if not known.in_service:
            return "out_of_service"
        if now - known.seen_at > self._silent_after_s:
            return "silent"
        return known.state

    @property
    def waiting(self) -> int:
        """How many queries are scheduled; at most one for each vehicle and query."""
        return len(self._turns)

    @property
    def failing(self) -> int:
        """How many queries failed at their last call."""
        return len(self._failures)

    # ---- intervals -------------------------------------------------------------------------------------------------

    def _every_s(self, vehicle: str, query: str, now: float) -> float | None:
        return self._queries[query].every_s.get(self.state(vehicle, now)) or None  # 0 is never

    def _set_demand(self, key: _Key, every_s: float) -> None:
        """This query comes at this interval from now on."""
        demand_hz = self._plan.cost(key[1]) / every_s
        self._demand_hz += demand_hz - self._demands_hz.get(key, 0.0)
        self._demands_hz[key] = demand_hz

    def _bring_forward(self, vehicle: str, now: float) -> None:
        for query in self._queries:
            key, every_s = (vehicle, query), self._every_s(vehicle, query, now)
            if every_s is None or key in self._unsupported or key not in self._turns:
                continue  # not polled in this state, or at all, or under way
            soon_s = every_s * self._random.uniform(0, 1)
            if now + soon_s * self._stretch < self._turns[key].due_at:
                self._set_demand(key, every_s)
                self._schedule(key, now, soon_s)

    def _rest(self, key: _Key, now: float, seconds: float = _REST_S) -> None:
        self._set_demand(key, seconds)
        self._schedule(key, now + seconds, 0.0)

    def _schedule(self, key: _Key, since_at: float, interval_s: float) -> None:
        turn = Turn(since_at + interval_s * self._stretch, since_at, interval_s)
        self._turns[key] = turn
        heapq.heappush(self._heap, (turn.due_at, key))
        if len(self._heap) > _MOST_STALE * len(self._turns):  # a new turn leaves the old entry behind
            self._heap = [(turn.due_at, key) for key, turn in self._turns.items()]
            heapq.heapify(self._heap)

    def _next_call(self, now: float) -> Call | None:
        while self._heap and self._heap[0][0] <= now:
            due_at, key = heapq.heappop(self._heap)
            turn = self._turns.get(key)
            if turn is None or turn.due_at != due_at:
                continue  # an entry that a newer turn left behind
            stretched_at = turn.since_at + turn.interval_s * self._stretch
            if stretched_at > now:  # the budget has become tighter since
                self._schedule(key, turn.since_at, turn.interval_s)
            elif call := self._call(key, max(due_at, stretched_at), now):
                return call
        return None

    def _call(self, key: _Key, due_at: float, now: float) -> Call | None:
        """The call of a turn that is due, or None where it is put off."""
        del self._turns[key]
        every_s = self._every_s(*key, now)
        if every_s is None:
            self._rest(key, now)
        elif not self._skip(key, every_s, now):
            return Call(*key, due_at, every_s)
        return None

    def _skip(self, key: _Key, every_s: float, now: float) -> bool:
        """Put the query off where a fresh push holds its values; return whether that was so."""
        vehicle, query = key
        pushed_at = self._vehicles[vehicle].pushed_at.get(self._queries[query].skipped_by, -math.inf)
        if pushed_at + every_s * self._stretch <= now:
            return False
        self.counts[query].skipped += 1
        self._schedule(key, pushed_at, every_s * self._random.uniform(1, 1 + _JITTER))
        return True

    def _count_request(self, call: Call, now: float, wall: datetime) -> None:
        delay_s, counts = now - call.due_at, self.counts[call.query]
        counts.requests += 1
        counts.delayed += delay_s > max(_DELAY_S, _DELAY_SHARE * call.every_s)
        self._observe_delay(delay_s)
        self.count_query(call.vehicle, call.query, wall)

    def _count_answer(self, query: str, outcome: PollOutcome) -> None:
        counts = self.counts[query]
        counts.answered += 1
        if outcome != "ok":
            setattr(counts, outcome, getattr(counts, outcome) + 1)
