"""A battery that from one charge to the next holds another energy is another; noise, wear, one odd charge are not."""

from collections.abc import Callable
from random import Random

import polars as pl
import pytest

from analytics.battery_health.jumps import JUMP, jumps
from analytics.battery_health.stint_months import stint_pairs
from analytics.battery_health.stints import bounds, stints
from tests.analytics.battery_health.stints_made import DAY, begun, charge, charges, polls, ride, rides, swapped
from tests.analytics.hand import at

WHOLE = bounds(swapped(), polls(), begun())
WEEK = 7 * DAY
Holds = Callable[[int], float]


def charged(holds: Holds, count: int = 30, error: float = 0.02) -> pl.DataFrame:
    """A charge a week, of a battery that in the nth of them holds so much [Wh], told with this relative error."""
    chance = Random(3)
    pct = [chance.choice((20, 35, 50)) for _ in range(count)]
    return charges(*(
        charge(WEEK * n + 600, pct[n], energy_wh=holds(n) * pct[n] / 100 * (1 + chance.gauss(0, error)),
               energy_source="power")
        for n in range(count)
    ))  # fmt: skip


def found(told: pl.DataFrame) -> list[tuple[object, ...]]:
    got = jumps(stint_pairs(WHOLE, told, rides()))
    return got.select("started_at", "finished_at").rows()


@pytest.mark.parametrize("share", [0.7, 0.8, 1.25, 1.45])
@pytest.mark.parametrize("place", [3, 12, 27])
def test_another_battery_is_found_between_the_last_charge_before_and_the_first_after(place: int, share: float) -> None:
    told = charged(lambda n: 50_000 * (share if n >= place else 1.0))
    assert found(told) == [(at(WEEK * (place - 1) + 600), at(WEEK * place + 600))]


def test_two_charges_are_too_few_to_tell() -> None:
    assert found(charged(lambda n: 50_000 * (1.4 if n >= 28 else 1.0))) == []


@pytest.mark.parametrize(
    "holds",
    [
        pytest.param(lambda _: 50_000.0, id="the same for ever"),
        pytest.param(lambda n: 50_000 * (1 - 0.004 * n), id="it loses a fifth in a year"),
        pytest.param(lambda n: 50_000 * (1.5 if n == 12 else 1.0), id="one charge that is odd"),
        pytest.param(lambda n: 50_000 * (1.12 if n >= 15 else 1.0), id="a wall box is read in place of the battery"),
        pytest.param(lambda n: 50_000 * (1.2 if n % 2 else 1.0), id="two chargers take turns"),
    ],
)
def test_what_is_no_other_battery_is_none(holds: Holds) -> None:
    assert found(charged(holds)) == []


def test_charges_that_err_by_much_are_believed_later() -> None:
    assert found(charged(lambda n: 50_000 * (1.2 if n >= 3 else 1.0), error=0.1)) == []
    assert len(found(charged(lambda n: 50_000 * (1.45 if n >= 15 else 1.0), error=0.05))) == 1


def test_each_of_two_repairs_is_found() -> None:
    told = charged(lambda n: 50_000 * (1.0 if n < 10 else 1.4 if n < 20 else 1.1))
    assert [each[1] for each in found(told)] == [at(WEEK * 10 + 600), at(WEEK * 20 + 600)]


def test_packs_that_are_swapped_are_told_apart_by_their_swaps() -> None:
    cuts = bounds(swapped(WEEK * 12), polls(), begun())
    told = charged(lambda n: 50_000 * (1.4 if n >= 12 else 1.0))
    assert jumps(stint_pairs(cuts, told, rides())).is_empty()


def test_a_jump_ends_a_stint_and_begins_the_next() -> None:
    told = charged(lambda n: 50_000 * (1.4 if n >= 12 else 1.0))
    cuts = bounds(swapped(), polls(), begun(), jumps(stint_pairs(WHOLE, told, rides())))
    got = stints(cuts, rides(ride(100, 1), ride(20 * WEEK, 2)), told, polls())
    assert got.select("finished_at", "start_reason", "end_reason", "distance_m").rows() == [
        (at(11 * WEEK + 600), None, JUMP, 1000), (None, JUMP, None, 2000),
    ]  # fmt: skip
    assert got["started_at"].to_list() == [at(0), at(12 * WEEK + 600)]
