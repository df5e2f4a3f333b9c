"""A plan in simulated time: months in seconds, with outages, budgets, and jumps of the clock."""

import itertools
import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger.errors import Busy, LoginNeeded, Retry
from logger.poll.scheduler import Call, Scheduler
from logger.sources.contract import STATES, Query, State

WALL = datetime(2026, 11, 1, tzinfo=UTC)
EVERY: dict[State, float] = {"riding": 60, "charging": 120, "parked": 900, "offline": 3600, "silent": 1800}
QUERIES = (Query("battery", EVERY), Query("status", EVERY, skipped_by="status"))


class Simulation:
    """A planner, its clock, and a cloud that answers at once or fails for a while."""

    def __init__(self, vehicles: int = 10, seed: int = 1, **settings: object) -> None:
        self.now = 0.0
        chance = random.Random(seed)
        self.scheduler = Scheduler(QUERIES, self.now, random=chance, **settings)  # type: ignore[arg-type]
        self.names = [f"v{number:05}" for number in range(vehicles)]
        for name in self.names:
            self.scheduler.add(name, self.now)
        self.asked: list[tuple[float, Call]] = []
        self.down_until = -1.0
        self.state: dict[str, State] = {}

    @property
    def wall(self) -> datetime:
        return WALL + timedelta(seconds=self.now)

    def run(self, seconds: float, step: float = 1.0, free: int = 8) -> None:
        end = self.now + seconds
        while self.now < end:
            for ask in self.scheduler.due_calls(free, self.now, self.wall):
                self.asked.append((self.now, ask))
                if self.now < self.down_until:
                    self.scheduler.failed(ask, Retry("down", after=5), self.now)
                else:
                    self.scheduler.answered(ask, "ok", self.state.get(ask.vehicle, "parked"), self.now)
            self.now += max(step, min(self.scheduler.wait_s(self.now), end - self.now))

    def counts(self, since: float = 0) -> Counter[str]:
        return Counter(ask.vehicle for at, ask in self.asked if at >= since)


def test_each_state_is_asked_at_its_own_interval() -> None:
    here = Simulation(vehicles=3)
    here.state = {"v00000": "riding", "v00001": "parked", "v00002": "charging"}
    here.run(7200)
    here.asked.clear()
    here.run(36_000)
    counts = here.counts()
    assert counts["v00000"] == pytest.approx(2 * 36_000 / 60, rel=0.05)
    assert counts["v00001"] == pytest.approx(2 * 36_000 / 900, rel=0.1)
    assert counts["v00002"] == pytest.approx(2 * 36_000 / 120, rel=0.05)


def test_out_of_service_is_not_asked_and_comes_back_when_it_serves_again() -> None:
    here = Simulation(vehicles=1)
    here.scheduler.set_in_service("v00000", 0, in_service=False)
    here.run(20_000)
    assert here.asked == []
    here.scheduler.set_in_service("v00000", here.now, in_service=True)
    here.run(2000)
    assert here.asked


def test_a_push_that_just_told_us_spares_the_question_and_no_other() -> None:
    here = Simulation(vehicles=1)
    here.state["v00000"] = "riding"
    for _ in range(360):
        here.scheduler.push_received("v00000", "status", "riding", here.now)
        here.run(10)
    queries = Counter(ask.query for _, ask in here.asked)
    assert queries["status"] <= 1
    assert queries["battery"] == pytest.approx(60, abs=4)
    assert here.scheduler.counts["status"].skipped > 30
    assert here.scheduler.counts["battery"].skipped == 0


def test_a_vehicle_that_sets_off_is_asked_soon() -> None:
    here = Simulation(vehicles=1)
    here.run(3600)
    here.asked.clear()
    here.scheduler.push_received("v00000", "lock", "riding", here.now)
    began = here.now
    here.run(60)
    assert {ask.query for _, ask in here.asked} == {"battery", "status"}
    assert all(at - began <= 61 for at, _ in here.asked)


def test_a_vehicle_that_nobody_heard_of_for_an_hour_is_silent() -> None:
    here = Simulation(vehicles=1)
    here.down_until = 1e9
    here.run(4000)
    assert here.scheduler.state("v00000", here.now) == "silent"


def test_a_start_is_no_herd() -> None:
    here = Simulation(vehicles=1000)
    here.run(1800)
    per_minute = Counter(int(at // 60) for at, _ in here.asked)
    assert max(per_minute.values()) < 3 * 2000 / 30


def test_after_an_outage_calls_grow_from_one_and_nobody_is_forgotten() -> None:
    here = Simulation(vehicles=500)
    here.run(3600)
    here.down_until = here.now + 3 * 3600
    began = here.now
    here.run(3 * 3600)
    during = [ask for at, ask in here.asked if at >= began]
    assert len(during) < 200  # the circuit is open: a call now and then, not five hundred a minute
    here.asked.clear()
    here.run(1200)
    first = [at for at, _ in here.asked]
    assert len([at for at in first if at == first[0]]) == 1
    here.run(1800)
    assert set(here.counts()) == set(here.names)


def test_who_is_late_is_asked_first_and_nobody_starves() -> None:
    here = Simulation(vehicles=300)
    here.state = {name: "riding" for name in here.names[:290]}
    here.run(6 * 3600, step=2.0, free=4)  # four calls in two seconds: a fifth of what the intervals ask for
    last = {name: 0.0 for name in here.names}
    for at, ask in here.asked:
        last[ask.vehicle] = at
    assert min(last.values()) > here.now - 1500
    assert sum(counts.delayed for counts in here.scheduler.counts.values()) > 0
    assert here.scheduler.waiting == 600


def test_a_budget_is_spread_over_its_day_and_never_passed() -> None:
    here = Simulation(vehicles=100, budget=5000)
    here.run(3 * 86_400)
    per_day = Counter(int(at // 86_400) for at, _ in here.asked)
    assert all(4000 <= count <= 5000 for count in per_day.values()), per_day
    per_hour = Counter(int(at // 3600) for at, _ in here.asked)
    assert max(per_hour.values()) < 2.5 * 5000 / 24
    assert min(per_hour.values()) > 0
    counts = here.counts()
    assert max(counts.values()) < 1.5 * min(counts.values())


def test_a_month_of_a_thousand_vehicles_keeps_a_monthly_budget() -> None:
    here = Simulation(vehicles=1000, budget=60_000, period="month")
    here.run(30 * 86_400, step=20.0)
    assert 48_000 <= len(here.asked) <= 60_000
    per_day = Counter(int(at // 86_400) for at, _ in here.asked)
    assert max(per_day.values()) < 2 * 60_000 / 30


def test_a_budget_that_is_used_up_before_a_restart_stays_used_up() -> None:
    here = Simulation(vehicles=10, budget=100, used=Counter({"2026-11-01": 100}))
    here.run(86_000)
    assert here.asked == []
    here.run(3600)
    assert here.asked


@pytest.mark.parametrize("jump", [timedelta(days=-3), timedelta(hours=-5), timedelta(hours=5)])
def test_a_jump_of_the_wall_clock_neither_floods_nor_gives_the_budget_twice(jump: timedelta) -> None:
    here = Simulation(vehicles=50, budget=1000)
    here.run(3600)
    before = len(here.asked)
    jumped = here.wall + jump
    for second in range(3600):
        for ask in here.scheduler.due_calls(8, here.now + second, jumped + timedelta(seconds=second)):
            here.asked.append((here.now + second, ask))
            here.scheduler.answered(ask, "ok", "parked", here.now + second)
    assert len(here.asked) - before < 300


def test_a_broken_circuit_lets_one_call_ahead_and_no_second_before_it_is_back() -> None:
    here = Simulation(vehicles=5)
    asks = here.scheduler.due_calls(8, 1800, here.wall)
    for ask in asks[:3]:
        here.scheduler.failed(ask, Retry("down", after=1), 1800)
    (probe,) = here.scheduler.due_calls(8, 1900, here.wall)
    assert here.scheduler.due_calls(8, 1901, here.wall) == []
    assert here.scheduler.wait_s(1901) > 1
    here.scheduler.answered(probe, "ok", "parked", 1902)
    assert len(here.scheduler.due_calls(8, 1902, here.wall)) > 1


def test_a_used_up_budget_is_waited_for_and_not_asked_after_all_the_time() -> None:
    here = Simulation(vehicles=5, budget=24)
    taken = here.scheduler.due_calls(8, 1800, here.wall)
    assert 0 < len(taken) < 8
    assert here.scheduler.wait_s(1800) == 5


def test_a_login_that_a_person_must_mend_rests_half_a_minute_and_in_the_end_a_quarter_of_an_hour() -> None:
    here, now, rests = Simulation(vehicles=1), 2000.0, list[float]()
    for _ in range(8):
        (ask,) = here.scheduler.due_calls(1, now, here.wall)
        here.scheduler.failed(ask, LoginNeeded("mend it"), now)
        rests.append(here.scheduler.breaker.pause_s(now))
        now += rests[-1] + 1
    assert 30 <= rests[0] <= 36
    assert all(before < after for before, after in itertools.pairwise(rests[:6]))
    assert min(rests[-2:]) >= 900


def test_the_cloud_is_obeyed_when_it_says_how_long_to_wait() -> None:
    here = Simulation(vehicles=5)
    (ask, *_) = here.scheduler.due_calls(1, 1800, here.wall)
    here.scheduler.failed(ask, Busy("429", after=120), 1800)
    assert here.scheduler.due_calls(8, 1900, here.wall) == []
    assert here.scheduler.due_calls(8, 1800 + 120 * 1.3, here.wall)


def test_a_device_that_does_not_answer_is_asked_less_and_less() -> None:
    here = Simulation(vehicles=1)
    for _ in range(12):
        for ask in here.scheduler.due_calls(8, here.now, here.wall):
            here.asked.append((here.now, ask))
            here.scheduler.answered(ask, "unavailable", "parked", here.now)
        here.now += 3600
    assert len(here.asked) < 14


def test_what_is_never_to_work_is_asked_again_in_an_hour_and_then_tomorrow() -> None:
    here, now = Simulation(vehicles=1), 1800
    for rest in (3600, 86_400, 86_400):
        asks = here.scheduler.due_calls(8, now, here.wall)
        assert len(asks) == 2
        for ask in asks:
            here.scheduler.answered(ask, "unsupported", None, now)
        assert here.scheduler.due_calls(8, now + rest - 1, here.wall) == []
        now += rest


@given(
    st.lists(st.tuples(st.sampled_from(STATES), st.integers(0, 900), st.booleans()), max_size=60), st.integers(0, 99)
)
def test_whatever_happens_each_question_is_in_the_plan_once_or_under_way(
    story: list[tuple[State, int, bool]], seed: int
) -> None:
    here = Simulation(vehicles=3, seed=seed)
    for state, seconds, push in story:
        here.now += seconds
        if push:
            here.scheduler.push_received("v00001", "status", state, here.now)
        for ask in here.scheduler.due_calls(2, here.now, here.wall):
            if seconds % 3:
                here.scheduler.answered(ask, "ok", state, here.now)
            else:
                here.scheduler.failed(ask, Retry("no", after=1), here.now)
        assert here.scheduler.waiting == 6


def test_a_question_that_always_fails_holds_up_no_other_and_is_asked_less_and_less() -> None:
    here = Simulation(vehicles=20)
    asked: Counter[str] = Counter()
    while here.now < 4 * 3600:
        for ask in here.scheduler.due_calls(8, here.now, here.wall):
            asked[ask.vehicle] += 1
            if ask.vehicle in here.names[:4]:
                here.scheduler.failed(ask, Retry("500", after=10), here.now)
            else:
                here.scheduler.answered(ask, "ok", "parked", here.now)
        here.now += 1
    assert min(asked[name] for name in here.names[4:]) >= 2 * 0.8 * 4 * 3600 / 900
    assert max(asked[name] for name in here.names[:4]) < 2 * 1.3 * 4 * 3600 / 320


def test_calls_that_fail_together_open_the_circuit_by_one_step_and_not_by_eight() -> None:
    here = Simulation(vehicles=20)
    for ask in here.scheduler.due_calls(8, 1800, here.wall):
        here.scheduler.failed(ask, Retry("cut", after=1), 1800)
    assert 0 < here.scheduler.breaker.pause_s(1800) <= 3


def test_a_vendors_never_is_not_asked_again_because_a_push_came() -> None:
    here = Simulation(vehicles=1)
    for ask in here.scheduler.due_calls(8, 1800, here.wall):
        here.scheduler.answered(ask, "unsupported", None, 1800)
    here.scheduler.push_received("v00000", "lock", "riding", 1801)
    assert here.scheduler.due_calls(8, 1801 + 1800, here.wall) == []


def test_a_tight_budget_stretches_the_intervals_of_all_states_alike_from_the_start() -> None:
    here = Simulation(vehicles=90, budget=43_200)
    states: tuple[State, ...] = ("riding", "charging", "parked")
    here.state = {name: states[number % 3] for number, name in enumerate(here.names)}
    here.run(12 * 3600, step=2.0)
    counts = Counter(here.state[ask.vehicle] for at, ask in here.asked if at > 2 * 3600)
    stretched = {state: 10 * 3600 * 60 / (counts[state] * EVERY[state]) for state in states}
    assert min(stretched.values()) > 2
    assert max(stretched.values()) < 1.1 * min(stretched.values()), stretched


def test_calls_beyond_the_questions_count_against_the_budget() -> None:
    here = Simulation(vehicles=10, budget=100)
    here.scheduler.count_calls(100, here.wall)
    here.run(80_000)
    assert here.asked == []


def test_the_queue_does_not_grow_however_often_a_vehicle_changes_its_mind() -> None:
    here = Simulation(vehicles=3)
    for turn in range(20_000):
        here.scheduler.push_received("v00000", "lock", STATES[turn % 3], turn / 100)
        for ask in here.scheduler.due_calls(8, turn / 100, here.wall):
            here.scheduler.answered(ask, "ok", "parked", turn / 100)
    assert here.scheduler.waiting == 6
    assert len(here.scheduler._heap) <= 4 * 6


def test_the_delay_of_each_call_is_observed() -> None:
    delays_s: list[float] = []
    here = Simulation(vehicles=5, observe_delay=delays_s.append)
    for ask in here.scheduler.due_calls(8, 3600, here.wall):
        here.scheduler.answered(ask, "ok", "parked", 3600)
    assert len(delays_s) == 8
    assert all(60 < delay_s < 7200 for delay_s in delays_s)
