"""What protects a car's 12 V battery: however often the service starts, clocks jump and people poll, it may sleep."""

import math
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from logger.errors import Retry
from logger.settings.polling import WakingPolling
from logger.sources.pace import SPEED, speed
from logger.sources.wakes import Clock, WakeLog, WakeRules, machine_clock

CAR, MONTH_S, DAY_S, LEAST_S = "LSJTESTCAR0000001", 30 * 86_400.0, 86_400.0, 600.0
RULES = WakeRules(WakingPolling().every_s, least_voltage_v=12.2)
Requests = list[tuple[float, str, float]]  # when, by what, and how long before that the last one was


class Machine:
    """A machine with a car: `at` is the true time [s], and what the machine's clocks make of it."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.at, self._offset, self._boot, self._booted_at = folder, 0.0, 1_790_000_000.0, 0, 0.0
        self.volts: float | None = 12.6
        self.requests: Requests = []
        self.excused = set[int]()  # the places of requests that were the first ones after an older copy came back
        self._copies: list[bytes | None] = [None]
        self._is_older = False
        self.restart()

    def copy(self) -> None:
        """Somebody copies the data folder."""
        files = list(self._folder.glob("wakes-*.json"))
        self._copies.append(files[0].read_bytes() if files else None)

    def restore(self) -> None:
        """The copy takes the place of the data folder, and the process begins anew."""
        content, file = self._copies[-1], self._folder / "wakes-mg.json"
        if content is None:
            file.unlink(missing_ok=True)
        else:
            file.write_bytes(content)
        self._is_older = True
        self.restart()

    def restart(self) -> None:
        """The process begins anew, on the same disk."""
        clock = Clock(f"boot {self._boot}", lambda: self.at - self._booted_at, lambda: self.at + self._offset)
        self.log = WakeLog(self._folder, "mg", RULES, clock)

    def reboot(self) -> None:
        """The machine begins anew, with the right time."""
        self._boot, self._booted_at, self._offset = self._boot + 1, self.at, 1_790_000_000.0
        self.restart()

    def damage(self) -> None:
        """The record of requests is cut off."""
        for file in self._folder.glob("wakes-*.json"):
            file.write_bytes(file.read_bytes()[:-9])

    def set_clock(self, seconds: float) -> None:
        """Somebody sets the time of day."""
        self._offset += seconds

    def request(self, by: str, *, answers: bool = True) -> bool:
        """Request the car if its rules allow that; whether they do."""
        if self.log.rest(CAR, by_hand=by == "hand"):
            return False
        self.log.begin(CAR)
        if self._is_older:
            self.excused.add(len(self.requests))
            self._is_older = False
        since_s = self.at - self.requests[-1][0] if self.requests else math.inf
        self.requests.append((self.at, by, since_s))
        if answers:
            self.log.record(CAR, "parked", self.volts)
        return True


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


Steps = Sequence[tuple[str, float, float]]  # what happens, after how long [s], and how far a clock jumps [s]


def steps_of(*more: str) -> st.SearchStrategy[Steps]:
    """Steps of a month: what always may happen, and these."""
    words = ["schedule", "schedule", "hand", "restart", "fails", "two processes", *more]
    waits = st.sampled_from([1.0, 30.0, 599.0, 600.0, 7200.0, 43_200.0, 90_000.0])
    jumps = st.sampled_from([-3.0e7, -90_000.0, -601.0, 601.0, 90_000.0, 3.0e7])
    return st.lists(st.tuples(st.sampled_from(words), waits, jumps), max_size=150)


JUMPING, REBOOTING = (
    steps_of("clock", "damage"),
    steps_of("reboot"),
)  # with a wrong clock, a reboot hides how long it took


PLAIN = ("restart", "reboot", "damage", "copy", "restore")  # steps that are methods of the machine


def play(machine: Machine, steps: Steps) -> None:
    """Let a month pass with these steps in it, at most; something polls after each of them."""
    for what, wait_s, jump_s in steps:
        machine.at += wait_s
        if machine.at > MONTH_S:
            return
        if what in PLAIN:
            getattr(machine, what)()
        elif what == "clock":
            machine.set_clock(jump_s)
        elif what == "two processes":
            machine.request("hand")
            machine.restart()
            machine.request("hand")
        else:
            machine.request("hand" if what == "hand" else "schedule", answers=what != "fails")
        machine.request("schedule")


@given(steps=JUMPING | REBOOTING)
@examples(max_examples=150)
def test_in_a_month_of_anything_a_sleeping_car_is_requested_no_more_often_than_the_rules_say(steps: Steps) -> None:
    with TemporaryDirectory() as folder:
        machine = Machine(Path(folder))
        play(machine, steps)
        for _, by, since_s in machine.requests:
            assert since_s >= (LEAST_S if by == "hand" else DAY_S)


@given(steps=steps_of("copy", "restore", "clock") | steps_of("copy", "restore", "reboot"))
@examples(max_examples=150)
def test_an_older_copy_of_the_data_folder_costs_one_request_that_comes_too_early_and_no_more(steps: Steps) -> None:
    with TemporaryDirectory() as folder:
        machine = Machine(Path(folder))
        play(machine, steps)
        for place, (_, by, since_s) in enumerate(machine.requests):
            assert since_s >= (LEAST_S if by == "hand" else DAY_S) or place in machine.excused


def test_two_data_folders_of_one_car_know_nothing_of_each_other_and_each_keeps_the_rules(tmp_path: Path) -> None:
    machines = [Machine(tmp_path / name) for name in ("one", "two")]
    for minute in range(0, int(7 * DAY_S / 60), 5):
        for machine in machines:
            machine.at = 60.0 * minute
            machine.request("schedule")
    assert [len(machine.requests) for machine in machines] == [7, 7]


@given(steps=steps_of("clock", "reboot"))
@examples(max_examples=100)
def test_not_even_a_reboot_with_a_wrong_clock_brings_two_requests_within_ten_minutes(steps: Steps) -> None:
    with TemporaryDirectory() as folder:
        machine = Machine(Path(folder))
        play(machine, steps)
        assert all(since_s >= LEAST_S for _, _, since_s in machine.requests)


@given(steps=JUMPING | REBOOTING)
@examples(max_examples=100)
def test_a_car_whose_12_v_battery_is_low_is_never_requested_by_schedule_and_once_a_day_by_hand(steps: Steps) -> None:
    with TemporaryDirectory() as folder:
        machine = Machine(Path(folder))
        machine.volts = 11.9
        assert machine.request("hand")
        play(machine, steps)
        assert [by for _, by, _ in machine.requests if by != "hand"] == []
        assert all(since_s >= DAY_S for _, _, since_s in machine.requests)


def test_by_schedule_alone_a_month_is_thirty_requests(machine: Machine) -> None:
    while machine.at < MONTH_S:
        machine.request("schedule")
        machine.at += 60
    assert len(machine.requests) == 30


def test_a_car_that_was_driven_after_a_low_voltage_is_requested_again(machine: Machine) -> None:
    machine.volts = 11.9
    machine.request("schedule")
    machine.at += 3 * DAY_S
    assert not machine.request("schedule")
    machine.volts = 12.7
    assert machine.request("hand")
    machine.at += DAY_S
    assert machine.request("schedule")


def test_an_answer_without_a_voltage_does_not_make_a_low_one_good(machine: Machine) -> None:
    machine.volts = 11.9
    machine.request("hand")
    machine.volts = None
    machine.at += DAY_S
    assert machine.request("hand")
    machine.at += DAY_S
    assert not machine.request("schedule")


def test_a_car_that_drives_is_requested_at_the_interval_of_that(machine: Machine) -> None:
    machine.log.begin(CAR)
    machine.log.record(CAR, "riding", 14.1)
    machine.at += 899
    assert not machine.request("schedule")
    machine.at += 1
    assert machine.request("schedule")


def test_two_processes_at_once_make_one_request(machine: Machine) -> None:
    other = machine.log
    machine.restart()
    machine.log.begin(CAR)
    with pytest.raises(Retry, match="requested 0 s ago; it may be every 600 s") as caught:
        other.begin(CAR)
    assert caught.value.after == LEAST_S


def test_a_request_that_cannot_be_noted_is_not_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Retry, match="cannot be written"):
        WakeLog(tmp_path / "file", "mg", RULES).begin(CAR)


def test_after_damage_to_the_record_of_requests_no_car_is_requested_and_a_person_reads_what_to_do(
    machine: Machine,
) -> None:
    machine.request("schedule")
    machine.damage()
    machine.at += 2 * DAY_S
    for by_hand in (False, True):
        rest = machine.log.rest(CAR, by_hand=by_hand)
        assert rest is not None
        assert (rest.seconds, "delete it if no car was requested for a day" in rest.reason) == (math.inf, True)
    with pytest.raises(Retry, match=r"wakes-mg\.json cannot be read"):
        machine.log.begin(CAR)


def test_a_person_reads_why_a_car_is_left_alone(machine: Machine) -> None:
    machine.request("schedule")
    machine.at += 7200
    rest = machine.log.rest(CAR)
    assert rest is not None
    assert (rest.seconds, "sleeps" in rest.reason, "poll --once" in rest.reason) == (DAY_S - 7200, True, True)
    assert machine.log.rest(CAR, by_hand=True) is None


def test_the_clock_of_this_machine_goes_on_and_knows_its_run() -> None:
    first, second = machine_clock(), machine_clock()
    assert first.boot == second.boot
    assert 0 < first.uptime_s() <= second.uptime_s()


def test_the_time_of_vehicles_runs_as_ours_unless_the_demo_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SPEED, raising=False)
    assert speed() == 1
    monkeypatch.setenv(SPEED, "600")
    assert speed() == 600
