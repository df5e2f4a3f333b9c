"""What is scored of energy: answers come as often as a collector asks, and intervals by packs are narrow and hold."""

import itertools
from collections.abc import Mapping

import polars as pl
import pytest

from tests.score.analysed import analyse
from tests.score.energy import figures, pairs
from tests.score.matching import score
from tests.score.scenarios import BEGIN_S, POLL_S, SCENARIOS, Case, Scenario, case, stories

pytestmark = pytest.mark.long

VEHICLES, DAYS, SEED = 8, 14, 31


@pytest.fixture(scope="module")
def told() -> tuple[Case, Mapping[str, pl.DataFrame]]:
    of = case(SCENARIOS[0], stories(VEHICLES, DAYS, SEED), DAYS)
    return of, analyse(of).trips


def test_a_vehicle_answers_once_a_minute_at_most_and_not_while_the_collector_is_away() -> None:
    moped = stories(1, 2)
    times = [at - BEGIN_S for at, _ in moped[0].polls]
    assert min(b - a for a, b in itertools.pairwise(times)) == min(POLL_S.values())
    whole, less = (case(Scenario(name, outages=count), moped, 2) for name, count in (("whole", 0), ("away", 30)))
    assert whole.rows["battery"].height == len(times) > less.rows["battery"].height
    assert less.rows["pack"].height > 0


def test_energy_by_packs_is_within_its_interval_and_that_is_narrower_by_a_third_than_by_data_sheet(
    told: tuple[Case, Mapping[str, pl.DataFrame]],
) -> None:
    of, by = told
    packs, sheet = (pairs(score(by[name], of.trips), by[name]) for name in ("packs", "data sheet"))
    assert packs.height > 300
    inside, total, narrow = packs.select(_INSIDE, _TOTAL, _WIDE).row(0)
    assert 0.9 <= inside <= 0.995
    assert abs(total - 1) < 0.06
    assert narrow < 2 / 3 * sheet.select(_WIDE).item()


_INSIDE = pl.col("true_wh").is_between("low", "high").mean().alias("inside")
_TOTAL = (pl.col("energy_wh").sum() / pl.col("true_wh").sum()).alias("total")
_WIDE = ((pl.col("high") - pl.col("low")) / pl.col("energy_wh")).median().alias("wide")


def test_figures_of_a_fleet_are_of_its_trips_its_long_ones_and_its_days() -> None:
    times = pl.Series("day", [1, 1, 2])
    made = pl.DataFrame(
        {
            "seed": [7] * 3, "vehicle": ["a"] * 3,
            "distance_m": [6000.0, 1000.0, 7000.0], "true_wh": [100.0, 20.0, 100.0],
            "energy_wh": [104.0, 20.0, 130.0], "low": [90.0, 15.0, 120.0], "high": [118.0, 25.0, 140.0],
            "own_sd_wh": [3.0, 4.0, 1.0], "common_sd_wh": [5.0, 5.0, 1.0],
        }
    )  # fmt: skip
    got = figures(made.with_columns(times))
    assert got.startswith("trips (3) 0.667 hold")
    assert "over 5 km (2) 0.500 hold" in got
    assert "days (2) 0.500 hold" in got
