"""Each odometer reading is compared with the vehicle's newest reading before it."""

from datetime import UTC, datetime
from itertools import pairwise

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from logger.decode.odometer_check import OdometerCheck
from tests.helpers.data_folder import imported_slice
from tests.helpers.segway_pushes import (
    AT,
    OTHER,
    RECEIVED,
    VEHICLE,
    body,
    decode_all,
    envelope,
)


def status_rows(*readings: tuple[int, int], vehicle: str = VEHICLE) -> pl.DataFrame:
    """Rows of `status` with these (second, odometer)."""
    pushes = [
        envelope("status", body("status", iotCode=vehicle, statusUtcTime=f"{AT + second}", odometer=f"{metres}"))
        for second, metres in readings
    ]
    return decode_all(*pushes).rows["status"]


def flags(status: pl.DataFrame) -> list[list[str] | None]:
    return status["flags"].to_list()


def test_an_odometer_that_goes_back_or_jumps_is_kept_and_flagged() -> None:
    status = status_rows((0, 9000), (10, 9100), (20, 9050), (30, 99_000), (40, 99_100))
    checked = OdometerCheck(status.clear()).check(status)
    assert checked.drop("flags").equals(status.drop("flags"))
    assert flags(checked) == [None, None, ["odometer_back"], ["odometer_jump"], None]


def test_an_odometer_is_compared_with_the_last_row_of_the_store() -> None:
    odometers = OdometerCheck(status_rows((0, 9000)))
    assert flags(odometers.check(status_rows((10, 8999)))) == [["odometer_back"]]
    assert flags(odometers.check(status_rows((10, 9001)))) == [None]
    assert flags(odometers.check(status_rows((-10, 8000)))) == [None]


def test_readings_are_compared_with_once_they_are_delivered() -> None:
    odometers = OdometerCheck(status_rows((0, 9000)))
    for _ in range(2):
        assert flags(odometers.check(status_rows((10, 9100)))) == [None]
    odometers.commit()
    assert flags(odometers.check(status_rows((20, 9050)))) == [["odometer_back"]]


def test_a_reading_that_comes_late_is_not_checked_and_none_is_compared_with_it() -> None:
    status = status_rows((0, 9000), (20, 9200), (10, 9100), (15, 9300), (30, 9250))
    assert flags(OdometerCheck(status.clear()).check(status)) == [None] * 5


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.sampled_from((9000, 9020, 9040, 99_000))), min_size=1, max_size=8),
    st.sets(st.integers(1, 7)),
)
def test_the_flags_are_the_same_however_the_messages_are_split(readings: list[tuple[int, int]], cuts: set[int]) -> None:
    status = status_rows(*readings)
    odometers, parts = OdometerCheck(status.clear()), []
    ends = [0, *sorted(cut for cut in cuts if cut < status.height), status.height]
    for start, stop in pairwise(ends):
        parts += flags(odometers.check(status[start:stop]))
        odometers.commit()
    assert parts == flags(OdometerCheck(status.clear()).check(status))


def test_odometers_of_two_vehicles_are_not_compared() -> None:
    other = status_rows((10, 50), vehicle=OTHER).with_columns(sequence=pl.lit(2, pl.Int64))
    status = pl.concat([status_rows((0, 9000)), other])
    assert flags(OdometerCheck(status.clear()).check(status)) == [None, None]


def test_a_flag_of_the_odometer_joins_the_others() -> None:
    status = decode_all(
        envelope("status", body("status")),
        envelope("status", body("status", odometer="8000", statusUtcTime=f"{AT + 1}", speed="400")),
    ).rows["status"]
    assert flags(OdometerCheck(status.clear()).check(status))[1] == ["implausible:speed_kmh", "odometer_back"]


def test_one_odd_reading_of_an_imported_file_flags_that_row_alone() -> None:
    times = [datetime(2026, 10, 1, 12, minute, tzinfo=UTC) for minute in range(4)]
    status = decode_all(imported_slice(RECEIVED, times, odometer_m=[1.0, 2.0, 1.0, 3.0])).rows["status"]
    assert flags(OdometerCheck(status.clear()).check(status)) == [None, None, ["odometer_back"], None]
