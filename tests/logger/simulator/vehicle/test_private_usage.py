"""Private mopeds: ridden by one person, charged by cable at home, and the same in any town."""

from itertools import pairwise

import pytest

from logger.simulator.vehicle.fleet import Simulation, fleet, town
from logger.simulator.vehicle.messages import Message, battery_answer
from logger.simulator.vehicle.specification import PRIVATE

START, DAYS, SEED = 1_790_000_000, 7, 7
ONE_PACK, TWO_PACKS = PRIVATE + 2, PRIVATE + 4
Run = tuple[Simulation, list[Message]]


@pytest.fixture(scope="module", params=[ONE_PACK, TWO_PACKS], ids=["one pack", "two packs"])
def run(request: pytest.FixtureRequest) -> Run:
    simulation = Simulation(request.param, SEED, START, DAYS)
    return simulation, list(simulation.pushes())


def statuses(messages: list[Message]) -> list[tuple[float, bool, int]]:
    """Return of each status the moment, whether it charges, and the percent."""
    return [
        (at, fields["charging"] == "true", int(fields["powerPercent"]))
        for at, path, fields in messages
        if path == "status"
    ]


def answers_of_first_charge(number: int, every_s: int) -> list[dict[str, object]]:
    """Return the battery answers during the first charge."""
    simulation, answers = Simulation(number, SEED, START, DAYS), []
    for at in range(START, START + DAYS * 86_400, every_s):
        simulation.advance(at)
        if simulation.moped.charging:
            answers.append(battery_answer(simulation.moped))
        elif answers:
            break
    return answers


def test_it_is_charged_in_place_and_its_packs_are_never_swapped(run: Run) -> None:
    simulation, _ = run
    truth, ports = simulation.truth, simulation.moped.specification.ports
    assert truth.trips
    assert not truth.swaps
    assert {row["place"] for row in (*truth.charges, *truth.packs)} == {"vehicle"}
    assert {row["port"] for row in truth.charges} == set(range(1, ports + 1))
    assert len(truth.charges) >= 2 * ports


def test_it_reports_charging_while_it_charges_and_only_then(run: Run) -> None:
    simulation, messages = run
    ends = {row["started_at"]: 0.0 for row in simulation.truth.charges}
    for row in simulation.truth.charges:
        ends[row["started_at"]] = max(ends[row["started_at"]], row["finished_at"])
    for at, charging, _ in statuses(messages):
        if at not in ends.values():  # at the moment of the end, both are right
            assert charging == any(begin <= at < end for begin, end in ends.items())


def test_the_percent_rises_while_it_charges_no_faster_than_a_charger_can(run: Run) -> None:
    simulation, messages = run
    full_wh = sum(pack.capacity_wh for pack in simulation.moped.fitted)
    rise_pct = 0
    for (before_at, was_charging, before), (at, charging, percent) in pairwise(statuses(messages)):
        if was_charging and charging:
            most_pct = 100 * 420 * simulation.moped.specification.ports * (at - before_at) / 3600 / full_wh
            assert 0 <= percent - before <= 1.1 * most_pct + 3  # the charger's minute, and a whole percent at each end
            rise_pct += percent - before
    assert rise_pct > 50


def test_a_charge_costs_the_energy_from_the_wall(run: Run) -> None:
    for row in run[0].truth.charges:
        assert row["cost"] == pytest.approx(row["wall_wh"] / 1000 * 0.30)
        assert 0.8 < row["energy_wh"] / row["wall_wh"] < 0.905


def test_its_answers_have_the_power_of_its_charger() -> None:
    """Polled each minute, it sums to the energy that the pack took, less the consumption of standing."""
    answers = answers_of_first_charge(ONE_PACK, 60)
    energy_wh = -sum(float(str(answer["currentPower"])) for answer in answers) / 60
    simulation = Simulation(ONE_PACK, SEED, START, DAYS)
    list(simulation.pushes())
    assert all(answer["charging"] for answer in answers)
    assert energy_wh == pytest.approx(simulation.truth.charges[0]["energy_wh"], rel=0.03)


def test_it_charges_at_home_and_at_night() -> None:
    moped = Simulation(ONE_PACK, SEED, START, DAYS).moped
    home = moped.x_m, moped.y_m
    simulation, nights = Simulation(ONE_PACK, SEED, START, DAYS), 0
    for at in range(START, START + DAYS * 86_400, 600):
        simulation.advance(at)
        if simulation.moped.charging:
            nights += 1
            assert abs(simulation.moped.x_m - home[0]) + abs(simulation.moped.y_m - home[1]) < 400
            assert at % 86_400 > 21 * 3600 or at % 86_400 < 7 * 3600
    assert nights > 10


def test_a_town_is_a_fleet_in_which_every_third_moped_is_private() -> None:
    vehicles = [simulation.vehicle for simulation in town(7, SEED, START, 1)]
    shared = [simulation.vehicle for simulation in fleet(7, SEED, START, 1)]
    private = {number: Simulation(PRIVATE + number, SEED, START, 1).vehicle for number in (3, 6)}
    assert vehicles == [private.get(number, vehicle) for number, vehicle in enumerate(shared, 1)]


def test_each_moped_is_the_same_in_any_town_and_in_a_fleet() -> None:
    small, large = town(3, SEED, START, 1), town(6, SEED, START, 1)
    for one, other in zip(small, large, strict=False):
        assert list(one.pushes()) == list(other.pushes())
    assert list(town(2, SEED, START, 1)[0].pushes()) == list(fleet(2, SEED, START, 1)[0].pushes())
