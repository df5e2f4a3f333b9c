"""What is scored is what is said: messages are lost, changed and thinned as the scenarios have it."""

import itertools
from pathlib import Path

import pytest

from tests.analytics.finding import observed
from tests.score.recordings import FOLDER, KNOWN, OTHERS, RIDES, energies, lines, recorded, thinned
from tests.score.scenarios import OUTAGE_S, Scenario, Story, case, outages, resets, stories, wrong_clocks


@pytest.fixture(scope="module")
def told() -> list[Story]:
    return stories(1, 2)


def test_a_scenario_is_the_same_each_time(told: list[Story]) -> None:
    scenario = Scenario("hard", 0.1, 4)
    assert case(scenario, told, 2).rows["status"].equals(case(scenario, told, 2).rows["status"], null_equal=True)


def test_loss_and_outages_leave_fewer_rows_and_the_same_truth(told: list[Story]) -> None:
    whole, lossy = case(Scenario("whole"), told, 2), case(Scenario("lossy", 0.3, 10), told, 2)
    assert lossy.rows["status"].height < 0.75 * whole.rows["status"].height
    assert lossy.trips.equals(whole.trips)


def test_outages_are_disjoint_and_as_long_as_they_are_told_to_be() -> None:
    spans = outages(50, 5)
    assert all(OUTAGE_S[0] <= end - begin <= OUTAGE_S[1] for begin, end in spans)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))


def test_an_odometer_that_begins_anew_never_shows_more_than_before(told: list[Story]) -> None:
    spoilt = case(Scenario("resets", damage=resets), told, 2).rows["status"]
    assert spoilt["odometer_m"].min() == 0
    assert observed(spoilt.lazy())["reset"].any()


def test_a_wrong_clock_shifts_what_the_vehicle_says_and_not_its_positions(told: list[Story]) -> None:
    right = {path: fields for _, path, fields in told[0].told}
    wrong = {path: fields for _, path, fields in wrong_clocks(told[0].vehicle, told[0].told)}
    assert abs(int(right["status"]["statusUtcTime"]) - int(wrong["status"]["statusUtcTime"])) > 30
    assert right["location"] == wrong["location"]


def test_without_recordings_the_tables_say_so(tmp_path: Path) -> None:
    rides, others = lines(tmp_path)
    assert rides == f"\nreal rides: left out, {tmp_path / RIDES} holds none"
    assert others == f"\nrecordings: left out, {tmp_path / OTHERS} does not hold {', '.join(KNOWN)}"
    assert [*energies(tmp_path)] == [f"\nenergy of recordings: left out, {tmp_path} holds none"]


@pytest.mark.skipif(not FOLDER.is_dir(), reason="no recordings")
def test_a_thinned_recording_has_a_row_in_ten_seconds_and_whole_speeds() -> None:
    rows = recorded(FOLDER / RIDES / "twizy_T3_2021-05-25_1.csv")
    few = thinned(rows)
    assert few.height == pytest.approx(rows.height / 10, abs=1)
    assert (few["speed_kmh"] == few["speed_kmh"].round()).all()
