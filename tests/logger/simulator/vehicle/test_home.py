"""Private mopeds: ridden by one, charged by cable at home, and the same in any town."""

from itertools import pairwise

import pytest

from logger.simulator.vehicle import speech
from logger.simulator.vehicle.moped import Moped, Said
from logger.simulator.vehicle.physics import Scooter, fleet, town
from logger.simulator.vehicle.traits import PRIVATE

START, DAYS, SEED = 1_790_000_000, 7, 7
ONE_PACK, TWO_PACKS = PRIVATE + 2, PRIVATE + 4


@pytest.fixture(scope="module", params=[ONE_PACK, TWO_PACKS], ids=["one pack", "two packs"])
def told(request: pytest.FixtureRequest) -> tuple[Scooter, list[Said]]:
    scooter = Scooter(request.param, SEED, START, DAYS)
    return scooter, list(scooter.pushes())


def charging(said: list[Said]) -> list[tuple[float, bool, int]]:
    """Of each status: when, whether it charges, and the percent."""
    return [
        (at, fields["charging"] == "true", int(fields["powerPercent"])) for at, path, fields in said if path == "status"
    ]


def asked(number: int, every_s: int) -> list[tuple[Moped, dict[str, object]]]:
    """Battery answers while it charges, the first time that it does."""
    scooter, told = Scooter(number, SEED, START, DAYS), []
    for at in range(START, START + DAYS * 86_400, every_s):
        scooter.advance(at)
        if scooter.moped.charging:
            told.append((scooter.moped, speech.battery_answer(scooter.moped)))
        elif told:
            break
    return told


def test_it_is_charged_in_place_and_its_packs_are_never_swapped(told: tuple[Scooter, list[Said]]) -> None:
    scooter, _ = told
    truth = scooter.truth
    assert truth.trips
    assert not truth.swaps
    assert {row["place"] for row in (*truth.charges, *truth.packs)} == {"vehicle"}
    assert {row["port"] for row in truth.charges} == set(range(1, scooter.moped.traits.ports + 1))
    assert len(truth.charges) >= 2 * scooter.moped.traits.ports


def test_it_says_that_it_charges_while_it_does_and_only_then(told: tuple[Scooter, list[Said]]) -> None:
    scooter, said = told
    last = {row["started_at"]: 0.0 for row in scooter.truth.charges}
    for row in scooter.truth.charges:
        last[row["started_at"]] = max(last[row["started_at"]], row["finished_at"])
    for at, flag, _ in charging(said):
        if at not in last.values():  # the very moment of its end: either may be said
            assert flag == any(begin <= at < end for begin, end in last.items())


def test_the_percent_rises_while_it_charges_as_fast_as_a_charger_can(told: tuple[Scooter, list[Said]]) -> None:
    scooter, said = told
    full_wh = sum(pack.capacity_wh for pack in scooter.moped.fitted)
    risen = 0
    for (since, was, before), (at, flag, percent) in pairwise(charging(said)):
        if was and flag:
            most_pct = 100 * 420 * scooter.moped.traits.ports * (at - since) / 3600 / full_wh
            assert 0 <= percent - before <= 1.1 * most_pct + 3  # the charger's minute, and a whole percent at each end
            risen += percent - before
    assert risen > 50


def test_a_charge_costs_what_the_wall_gave(told: tuple[Scooter, list[Said]]) -> None:
    for row in told[0].truth.charges:
        assert row["cost"] == pytest.approx(row["wall_wh"] / 1000 * 0.30)
        assert 0.8 < row["energy_wh"] / row["wall_wh"] < 0.905


def test_its_answers_tell_the_power_that_its_charger_gives() -> None:
    """Polled each minute, it sums to the energy that the pack took and what standing took from that."""
    told = asked(ONE_PACK, 60)
    given_wh = -sum(float(str(answer["currentPower"])) for _, answer in told) / 60
    charge = Scooter(ONE_PACK, SEED, START, DAYS)
    list(charge.pushes())
    assert all(answer["charging"] for _, answer in told)
    assert given_wh == pytest.approx(charge.truth.charges[0]["energy_wh"], rel=0.03)


def test_at_night_it_is_at_home_on_the_cable() -> None:
    moped = Scooter(ONE_PACK, SEED, START, DAYS).moped
    home = moped.x_m, moped.y_m
    scooter, nights = Scooter(ONE_PACK, SEED, START, DAYS), 0
    for at in range(START, START + DAYS * 86_400, 600):
        scooter.advance(at)
        if scooter.moped.charging:
            nights += 1
            assert abs(scooter.moped.x_m - home[0]) + abs(scooter.moped.y_m - home[1]) < 400
            assert at % 86_400 > 21 * 3600 or at % 86_400 < 7 * 3600
    assert nights > 10


def test_a_town_is_a_fleet_with_every_third_moped_a_private_one() -> None:
    vehicles = [scooter.vehicle for scooter in town(7, SEED, START, 1)]
    shared = [scooter.vehicle for scooter in fleet(7, SEED, START, 1)]
    private = {place: Scooter(PRIVATE + place, SEED, START, 1).vehicle for place in (3, 6)}
    assert vehicles == [private.get(place, vehicle) for place, vehicle in enumerate(shared, 1)]


def test_each_moped_is_the_same_in_any_town_and_in_a_fleet() -> None:
    small, large = town(3, SEED, START, 1), town(6, SEED, START, 1)
    for one, other in zip(small, large, strict=False):
        assert list(one.pushes()) == list(other.pushes())
    assert list(town(2, SEED, START, 1)[0].pushes()) == list(fleet(2, SEED, START, 1)[0].pushes())
