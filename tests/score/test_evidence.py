"""What is blanked of a vehicle's rows is told no more, and all else is."""

import polars as pl
import pytest

from analytics.observations.observations import STATUS
from tests.score.evidence import KINDS, KM_M, Kind, trips_by
from tests.score.former import FORMER
from tests.score.matching import score
from tests.score.scenarios import SCENARIOS, Case, case, stories

TOLD = {
    "lock + counters": {"locked", "odometer_m", "ride_time_s", "speed_kmh", "soc_pct"},
    "without lock": {"odometer_m", "ride_time_s", "speed_kmh", "soc_pct"},
    "without odometer": {"locked", "ride_time_s", "speed_kmh", "soc_pct"},
    "speed and lock": {"locked", "speed_kmh", "soc_pct"},
    "speed alone": {"speed_kmh", "soc_pct"},
    "positions alone": set(),
    "percent + positions": {"soc_pct"},
    "odometer every 10 min": {"odometer_m"},
    "odometer every 30 min": {"odometer_m"},
    "whole km, with lock": {"locked", "odometer_m", "ride_time_s", "speed_kmh", "soc_pct"},
    "whole km alone": {"odometer_m"},
}
PLACED = {"lock + counters", "without lock", "without odometer", "positions alone", "percent + positions",
          "whole km, with lock"}  # fmt: skip


@pytest.fixture(scope="module")
def of() -> Case:
    return case(SCENARIOS[0], stories(1, 2), 2)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kind_of_evidence_tells_what_it_is_called_after(of: Case, kind: Kind) -> None:
    rows = kind.blank(of.rows)
    every = {name for told in TOLD.values() for name in told}
    told = {name for name in STATUS if rows["status"][name].count() and name in every}
    assert told == TOLD[kind.name]
    assert bool(rows["location"].height) == (kind.name in PLACED)
    assert kind.declared == ("locked" in told)


def test_whole_kilometres_are_cut_off(of: Case) -> None:
    blank = next(kind.blank for kind in KINDS if kind.name == "whole km alone")
    assert blank(of.rows)["status"].select((pl.col("odometer_m") % KM_M == 0).all()).item()


@pytest.mark.parametrize("minutes", [10, 30])
def test_a_poller_has_an_answer_every_so_many_minutes(of: Case, minutes: int) -> None:
    blank = next(kind.blank for kind in KINDS if kind.name == f"odometer every {minutes} min")
    assert blank(of.rows)["status"]["time"].diff().drop_nulls().dt.total_minutes().unique().to_list() == [minutes]


def test_all_that_a_moped_tells_finds_all_of_its_trips(of: Case) -> None:
    assert score(trips_by(KINDS[0], of), of.trips).f1 == 1


def test_the_former_finder_is_told_for_each_scenario_and_for_two_means() -> None:
    assert FORMER.keys() <= {kind.name for kind in KINDS}
    assert {len(each) for each in FORMER.values()} == {len(SCENARIOS) + 2}
