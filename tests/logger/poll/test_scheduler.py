"""The schedule of polls in simulated time: months in seconds, with outages, budgets, and jumps of the clock."""

import itertools
import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger.errors import Busy, LoginNeeded, Retry
from logger.poll.calls import Call
from logger.poll.scheduler import Scheduler
from logger.sources.contract import STATES, Query, State

WALL = datetime(2026, 11, 1, tzinfo=UTC)
EVERY: dict[State, float] = {"riding": 60, "charging": 120, "parked": 900, "offline": 3600, "silent": 1800}
QUERIES = (Query("battery", EVERY), Query("status", EVERY, skipped_by="status"))


class Simulation:
    """A scheduler, its clock, and a cloud that answers at once or fails for a while."""

    def __init__(self, vehicles: int = 10, seed: int = 1, **settings: object) -> None:
        self.now = 0.0
        generator = random.Random(seed)
        self.scheduler = Scheduler(QUERIES, self.now, random=generator, **settings)  # type: ignore[arg-type]
        self.names = [f"v{number:05}" for number in range(vehicles)]
        for name in self.names:
            self.scheduler.add(name, self.now)
        self.calls: list[tuple[float, Call]] = []
        self.down_until = -1.0
        self.state: dict[str, State] = {}

    @property
    def wall(self) -> datetime:
        return WALL + timedelta(seconds=self.now)

    def run(self, seconds: float, step: float = 1.0, free: int = 8) -> None:
        """Make the calls that become due within these seconds, in steps of at least `step` [s]."""
        end = self.now + seconds
        while self.now < end:
            for call in self.scheduler.due_calls(free, self.now, self.wall):
                self.calls.append((self.now, call))
                if self.now < self.down_until:
                    self.scheduler.record_failure(call, Retry("down", after=5), self.now)
                else:
                    self.scheduler.record_answer(call, "ok", self.state.get(call.vehicle, "parked"), self.now)
            self.now += max(step, min(self.scheduler.wait_s(self.now), end - self.now))

    def counts(self, since: float = 0) -> Counter[str]:
        """Calls by vehicle."""
        return Counter(call.vehicle for at, call in self.calls if at >= since)


def test_each_state_is_polled_at_its_own_interval() -> None:
    simulation = Simulation(vehicles=3)
    simulation.state = {"v00000": "riding", "v00001": "parked", "v00002": "charging"}
    simulation.run(7200)
    simulation.calls.clear()
    simulation.run(36_000)
    counts = simulation.counts()
    assert counts["v00000"] == pytest.approx(2 * 36_000 / 60, rel=0.05)
    assert counts["v00001"] == pytest.approx(2 * 36_000 / 900, rel=0.1)
    assert counts["v00002"] == pytest.approx(2 * 36_000 / 120, rel=0.05)


def test_a_vehicle_out_of_service_is_not_polled() -> None:
    simulation = Simulation(vehicles=1)
    simulation.scheduler.add("idle", 0, in_service=False)
    simulation.run(20_000)
    assert set(simulation.counts()) == {"v00000"}


def test_an_interval_of_0_is_never() -> None:
    scheduler = Scheduler([Query("battery", {"silent": 0, "riding": 60})], 0)
    scheduler.add("v00000", 0)
    assert scheduler.waiting == 0
    assert scheduler.due_calls(8, 100_000, WALL) == []


def test_a_fresh_push_skips_the_query_for_the_same_values_and_no_other() -> None:
    simulation = Simulation(vehicles=1)
    simulation.state["v00000"] = "riding"
    for _ in range(360):
        simulation.scheduler.push_received("v00000", "status", "riding", simulation.now)
        simulation.run(10)
    queries = Counter(call.query for _, call in simulation.calls)
    assert queries["status"] <= 1
    assert queries["battery"] == pytest.approx(60, abs=4)
    assert simulation.scheduler.counts["status"].skipped > 30
    assert simulation.scheduler.counts["battery"].skipped == 0


def test_a_vehicle_that_sets_off_is_polled_soon() -> None:
    simulation = Simulation(vehicles=1)
    simulation.run(3600)
    simulation.calls.clear()
    simulation.scheduler.push_received("v00000", "lock", "riding", simulation.now)
    began = simulation.now
    simulation.run(60)
    assert {call.query for _, call in simulation.calls} == {"battery", "status"}
    assert all(at - began <= 61 for at, _ in simulation.calls)


def test_a_vehicle_without_a_message_for_an_hour_is_silent() -> None:
    simulation = Simulation(vehicles=1)
    simulation.down_until = 1e9
    simulation.run(4000)
    assert simulation.scheduler.state("v00000", simulation.now) == "silent"


def test_a_start_is_no_burst_of_calls() -> None:
    simulation = Simulation(vehicles=1000)
    simulation.run(1800)
    per_minute = Counter(int(at // 60) for at, _ in simulation.calls)
    assert max(per_minute.values()) < 3 * 2000 / 30


def test_after_an_outage_calls_grow_from_one_and_every_vehicle_is_polled() -> None:
    simulation = Simulation(vehicles=500)
    simulation.run(3600)
    simulation.down_until = simulation.now + 3 * 3600
    began = simulation.now
    simulation.run(3 * 3600)
    during = [call for at, call in simulation.calls if at >= began]
    assert len(during) < 200  # the circuit is open: a call now and then, not five hundred a minute
    simulation.calls.clear()
    simulation.run(1200)
    moments = [at for at, _ in simulation.calls]
    assert len([at for at in moments if at == moments[0]]) == 1
    simulation.run(1800)
    assert set(simulation.counts()) == set(simulation.names)


def test_the_longest_overdue_vehicle_is_polled_first_and_none_is_left_out() -> None:
    simulation = Simulation(vehicles=300)
    simulation.state = {name: "riding" for name in simulation.names[:290]}
    simulation.run(6 * 3600, step=2.0, free=4)  # four calls in two seconds: a fifth of what the intervals demand
    last_at = {name: 0.0 for name in simulation.names}
    for at, call in simulation.calls:
        last_at[call.vehicle] = at
    assert min(last_at.values()) > simulation.now - 1500
    assert sum(counts.delayed for counts in simulation.scheduler.counts.values()) > 0
    assert simulation.scheduler.waiting == 600


def test_a_budget_is_spread_over_its_day_and_never_exceeded() -> None:
    simulation = Simulation(vehicles=100, budget=5000)
    simulation.run(3 * 86_400)
    per_day = Counter(int(at // 86_400) for at, _ in simulation.calls)
    assert all(4000 <= count <= 5000 for count in per_day.values()), per_day
    per_hour = Counter(int(at // 3600) for at, _ in simulation.calls)
    assert max(per_hour.values()) < 2.5 * 5000 / 24
    assert min(per_hour.values()) > 0
    counts = simulation.counts()
    assert max(counts.values()) < 1.5 * min(counts.values())


def test_a_month_of_a_thousand_vehicles_keeps_a_monthly_budget() -> None:
    simulation = Simulation(vehicles=1000, budget=60_000, period="month")
    simulation.run(30 * 86_400, step=20.0)
    assert 48_000 <= len(simulation.calls) <= 60_000
    per_day = Counter(int(at // 86_400) for at, _ in simulation.calls)
    assert max(per_day.values()) < 2 * 60_000 / 30


def test_a_budget_that_is_used_up_before_a_restart_stays_used_up() -> None:
    simulation = Simulation(vehicles=10, budget=100, used=Counter({"2026-11-01": 100}))
    simulation.run(86_000)
    assert simulation.calls == []
    simulation.run(3600)
    assert simulation.calls


@pytest.mark.parametrize("jump", [timedelta(days=-3), timedelta(hours=-5), timedelta(hours=5)])
def test_a_jump_of_the_wall_clock_makes_no_burst_and_gives_no_second_budget(jump: timedelta) -> None:
    simulation = Simulation(vehicles=50, budget=1000)
    simulation.run(3600)
    before = len(simulation.calls)
    new_wall = simulation.wall + jump
    for second in range(3600):
        for call in simulation.scheduler.due_calls(8, simulation.now + second, new_wall + timedelta(seconds=second)):
            simulation.calls.append((simulation.now + second, call))
            simulation.scheduler.record_answer(call, "ok", "parked", simulation.now + second)
    assert len(simulation.calls) - before < 300


def test_an_open_circuit_allows_one_call_and_no_second_before_its_answer() -> None:
    simulation = Simulation(vehicles=5)
    calls = simulation.scheduler.due_calls(8, 1800, simulation.wall)
    for call in calls[:3]:
        simulation.scheduler.record_failure(call, Retry("down", after=1), 1800)
    (probe,) = simulation.scheduler.due_calls(8, 1900, simulation.wall)
    assert simulation.scheduler.due_calls(8, 1901, simulation.wall) == []
    assert simulation.scheduler.wait_s(1901) > 1
    simulation.scheduler.record_answer(probe, "ok", "parked", 1902)
    assert len(simulation.scheduler.due_calls(8, 1902, simulation.wall)) > 1


def test_a_used_up_budget_is_waited_for_without_constant_checks() -> None:
    simulation = Simulation(vehicles=5, budget=24)
    calls = simulation.scheduler.due_calls(8, 1800, simulation.wall)
    assert 0 < len(calls) < 8
    assert simulation.scheduler.wait_s(1800) == 5


def test_a_refused_login_pauses_polls_for_half_a_minute_at_first_and_a_quarter_of_an_hour_in_the_end() -> None:
    simulation, now, pauses_s = Simulation(vehicles=1), 2000.0, list[float]()
    for _ in range(8):
        (call,) = simulation.scheduler.due_calls(1, now, simulation.wall)
        simulation.scheduler.record_failure(call, LoginNeeded("the account is refused"), now)
        pauses_s.append(simulation.scheduler.breaker.pause_s(now))
        now += pauses_s[-1] + 1
    assert 30 <= pauses_s[0] <= 36
    assert all(before < after for before, after in itertools.pairwise(pauses_s[:6]))
    assert min(pauses_s[-2:]) >= 900


def test_polls_wait_as_long_as_the_cloud_demands() -> None:
    simulation = Simulation(vehicles=5)
    (call, *_) = simulation.scheduler.due_calls(1, 1800, simulation.wall)
    simulation.scheduler.record_failure(call, Busy("429", after=120), 1800)
    assert simulation.scheduler.due_calls(8, 1900, simulation.wall) == []
    assert simulation.scheduler.due_calls(8, 1800 + 120 * 1.3, simulation.wall)


def test_a_device_that_does_not_answer_is_polled_less_and_less() -> None:
    simulation = Simulation(vehicles=1)
    for _ in range(12):
        for call in simulation.scheduler.due_calls(8, simulation.now, simulation.wall):
            simulation.calls.append((simulation.now, call))
            simulation.scheduler.record_answer(call, "unavailable", "parked", simulation.now)
        simulation.now += 3600
    assert len(simulation.calls) < 14


def test_an_unsupported_query_is_made_again_after_an_hour_and_then_once_a_day() -> None:
    simulation, now = Simulation(vehicles=1), 1800
    for rest_s in (3600, 86_400, 86_400):
        calls = simulation.scheduler.due_calls(8, now, simulation.wall)
        assert len(calls) == 2
        for call in calls:
            simulation.scheduler.record_answer(call, "unsupported", None, now)
        assert simulation.scheduler.due_calls(8, now + rest_s - 1, simulation.wall) == []
        now += rest_s


@given(
    st.lists(st.tuples(st.sampled_from(STATES), st.integers(0, 900), st.booleans()), max_size=60), st.integers(0, 99)
)
def test_each_query_is_always_scheduled_once_or_under_way(events: list[tuple[State, int, bool]], seed: int) -> None:
    simulation = Simulation(vehicles=3, seed=seed)
    for state, seconds, push in events:
        simulation.now += seconds
        if push:
            simulation.scheduler.push_received("v00001", "status", state, simulation.now)
        for call in simulation.scheduler.due_calls(2, simulation.now, simulation.wall):
            if seconds % 3:
                simulation.scheduler.record_answer(call, "ok", state, simulation.now)
            else:
                simulation.scheduler.record_failure(call, Retry("no", after=1), simulation.now)
        assert simulation.scheduler.waiting == 6


def test_a_query_that_always_fails_delays_no_other_and_is_made_less_and_less() -> None:
    simulation = Simulation(vehicles=20)
    calls: Counter[str] = Counter()
    while simulation.now < 4 * 3600:
        for call in simulation.scheduler.due_calls(8, simulation.now, simulation.wall):
            calls[call.vehicle] += 1
            if call.vehicle in simulation.names[:4]:
                simulation.scheduler.record_failure(call, Retry("500", after=10), simulation.now)
            else:
                simulation.scheduler.record_answer(call, "ok", "parked", simulation.now)
        simulation.now += 1
    assert min(calls[name] for name in simulation.names[4:]) >= 2 * 0.8 * 4 * 3600 / 900
    assert max(calls[name] for name in simulation.names[:4]) < 2 * 1.3 * 4 * 3600 / 320


def test_calls_that_fail_together_open_the_circuit_by_one_step_and_not_by_eight() -> None:
    simulation = Simulation(vehicles=20)
    for call in simulation.scheduler.due_calls(8, 1800, simulation.wall):
        simulation.scheduler.record_failure(call, Retry("cut", after=1), 1800)
    assert 0 < simulation.scheduler.breaker.pause_s(1800) <= 3


def test_an_unsupported_query_is_not_brought_forward_by_a_push() -> None:
    simulation = Simulation(vehicles=1)
    for call in simulation.scheduler.due_calls(8, 1800, simulation.wall):
        simulation.scheduler.record_answer(call, "unsupported", None, 1800)
    simulation.scheduler.push_received("v00000", "lock", "riding", 1801)
    assert simulation.scheduler.due_calls(8, 1801 + 1800, simulation.wall) == []


def test_a_tight_budget_stretches_the_intervals_of_all_states_alike_from_the_start() -> None:
    simulation = Simulation(vehicles=90, budget=43_200)
    states: tuple[State, ...] = ("riding", "charging", "parked")
    simulation.state = {name: states[number % 3] for number, name in enumerate(simulation.names)}
    simulation.run(12 * 3600, step=2.0)
    counts = Counter(simulation.state[call.vehicle] for at, call in simulation.calls if at > 2 * 3600)
    stretches = {state: 10 * 3600 * 60 / (counts[state] * EVERY[state]) for state in states}
    assert min(stretches.values()) > 2
    assert max(stretches.values()) < 1.1 * min(stretches.values()), stretches


def test_calls_beyond_the_schedule_count_against_the_budget() -> None:
    simulation = Simulation(vehicles=10, budget=100)
    simulation.scheduler.count_calls(100, simulation.wall)
    simulation.run(80_000)
    assert simulation.calls == []


def test_the_queue_does_not_grow_with_the_state_changes_of_a_vehicle() -> None:
    simulation = Simulation(vehicles=3)
    for step in range(20_000):
        simulation.scheduler.push_received("v00000", "lock", STATES[step % 3], step / 100)
        for call in simulation.scheduler.due_calls(8, step / 100, simulation.wall):
            simulation.scheduler.record_answer(call, "ok", "parked", step / 100)
    assert simulation.scheduler.waiting == 6
    assert len(simulation.scheduler._heap) <= 4 * 6


def test_the_delay_of_each_call_is_observed() -> None:
    delays_s: list[float] = []
    simulation = Simulation(vehicles=5, observe_delay=delays_s.append)
    for call in simulation.scheduler.due_calls(8, 3600, simulation.wall):
        simulation.scheduler.record_answer(call, "ok", "parked", 3600)
    assert len(delays_s) == 8
    assert all(60 < delay_s < 7200 for delay_s in delays_s)


# ---- a plan of calls by vehicle --------------------------------------------------------------------------------------


def test_a_plan_by_vehicle_is_spread_over_the_month_and_never_exceeded() -> None:
    simulation = Simulation(vehicles=3, per_vehicle=450, costs={"battery": 4})
    simulation.run(40 * 86_400, step=60.0)
    for name in simulation.names:
        used = [(at, 4 if call.query == "battery" else 1) for at, call in simulation.calls if call.vehicle == name]
        assert 350 < sum(calls for at, calls in used if at < 30 * 86_400) <= 450
        assert max(at for at, _ in used) > 35 * 86_400


def test_a_vehicle_whose_plan_is_used_up_is_left_alone_until_the_month_ends_and_holds_up_no_other() -> None:
    used = Counter({"2026-11 v00000": 449})
    simulation = Simulation(
        vehicles=2, budget=100_000, period="month", per_vehicle=450, costs={"battery": 2}, used=used
    )
    simulation.run(10 * 3600, step=60.0)
    spent = [call.query for _, call in simulation.calls if call.vehicle == "v00000"]
    assert spent == ["status"]
    assert sum(call.vehicle == "v00001" for _, call in simulation.calls) > 30
    assert "used up" in simulation.scheduler.refusal(simulation.now, WALL, "v00000", "status")
    assert not simulation.scheduler.refusal(simulation.now, WALL, "v00001", "battery")
    assert not simulation.scheduler.refusal(simulation.now, WALL.replace(month=12), "v00000", "status")
