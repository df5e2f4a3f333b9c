"""`states_1d` holds what `states` say of each day, after any change, and what did not change is left alone."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from analytics.engine.rollup_days import roll
from analytics.engine.state_days import STATES_1D
from analytics.timeline.states import by_utc_day
from logger.derived_tables import STATES
from logger.stores.lake.lake import Lake
from logger.tables import shaped

FIRST, DAY = datetime(2026, 3, 1, tzinfo=UTC), timedelta(days=1)
END = FIRST + 60 * DAY
WORDS = [*STATES]
KEY = ("provider", "vehicle", "time")


def lasting(*turns: tuple[float, str], until: float, vehicle: str = "a") -> pl.DataFrame:
    """States of a vehicle, each (days after the first, state) until the next one begins."""
    ends = [*(at for at, _ in turns[1:]), until]
    rows = [
        {"time": FIRST + begin * DAY, "finished_at": FIRST + end * DAY, "state": state, "duration_s": (end - begin)}
        for (begin, state), end in zip(turns, ends, strict=True)
    ]
    own = pl.DataFrame(rows).with_columns(provider=pl.lit("p"), vehicle=pl.lit(vehicle), started_at="time")
    return shaped(own, "states").with_columns(pl.col("duration_s") * 86_400)


class Place:
    """A lake with states, and the notes of its rollups."""

    def __init__(self, folder: Path) -> None:
        self.lake, self._folder = Lake(str(folder / "lake")), folder

    def put(self, rows: pl.DataFrame, vehicle: str = "a") -> None:
        self.lake.replace("states", rows, [vehicle], FIRST, END)

    def roll(self) -> int:
        """Roll up what changed; return how many days were made."""
        (states,) = (each for each in roll(self.lake, self._folder) if each.table == STATES_1D)
        return states.days

    def rows(self) -> pl.DataFrame:
        return self.lake.scan(STATES_1D).sort(KEY).collect()

    def assert_complete(self) -> None:
        assert_frame_equal(self.rows(), by_utc_day(self.lake.scan("states").collect()).sort(KEY))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_state_over_midnight_is_shared_between_its_days(place: Place) -> None:
    place.put(lasting((0.5, "parked"), (2.25, "riding"), (2.5, "charging"), until=3))
    assert place.roll() == 4  # the day on which the last state ends at midnight has no second of it
    found = place.rows().select("time", "parked_s", "riding_s", "charging_s").rows()
    hours = [(FIRST, 12, 0, 0), (FIRST + DAY, 24, 0, 0), (FIRST + 2 * DAY, 6, 6, 12)]
    assert found == [(day, *(3600.0 * each for each in rest)) for day, *rest in hours]


def test_a_day_without_a_change_is_left_alone(place: Place) -> None:
    place.put(lasting((0, "parked"), (3, "riding"), until=4))
    place.roll()
    files = place.lake.files(STATES_1D)
    assert place.roll() == 0
    place.put(lasting((10, "parked"), until=11, vehicle="b"), "b")
    assert place.roll() == 2
    assert {*files} <= {*place.lake.files(STATES_1D)}


def test_a_vehicle_that_has_stood_for_weeks_changes_the_last_day_alone(place: Place) -> None:
    place.put(lasting((0, "parked"), until=20.25))
    place.roll()
    files = {file.uri for file in place.lake.files(STATES_1D) if file.day < (FIRST + 20 * DAY).date()}
    place.put(lasting((0, "parked"), until=20.5))
    assert place.roll() == 21
    assert files <= {file.uri for file in place.lake.files(STATES_1D)}
    place.assert_complete()


@pytest.mark.parametrize(
    "later",
    [
        lasting((0, "parked"), until=2),
        lasting((0, "parked"), until=50),
        lasting((0, "parked"), (5, "no_data"), until=30),
        lasting((20, "parked"), until=21),
        lasting((0, "parked"), until=1).clear(),
    ],
    ids=["shorter", "longer", "cut", "later", "gone"],
)
def test_after_a_change_each_day_has_what_states_say(place: Place, later: pl.DataFrame) -> None:
    place.put(lasting((0, "parked"), until=30))
    place.roll()
    place.put(later)
    place.roll()
    place.assert_complete()


@pytest.mark.parametrize("seed", range(5))
def test_any_changes_in_any_order_leave_what_states_say(place: Place, seed: int) -> None:
    random = Random(seed)
    for _ in range(8):
        vehicle = random.choice("abc")
        begins = sorted(random.sample(range(400), random.randint(1, 9)))
        turns = [(begin / 8, random.choice(WORDS)) for begin in begins[:-1]]
        place.put(
            lasting(*turns, until=begins[-1] / 8, vehicle=vehicle) if turns else lasting((0, "x"), until=1).clear(),
            vehicle,
        )
        if random.random() < 0.7:
            place.roll()
    place.roll()
    place.assert_complete()
