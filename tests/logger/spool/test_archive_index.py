"""The index of the day files: frames by time, by vehicle and by sequence."""

import sqlite3
from contextlib import closing
from pathlib import Path

from logger.envelope import Batch
from logger.spool import vehicle_index
from logger.spool.log import Spool
from tests.logger.spool.test_log import DAY_MS, SINKS, envelope


def found(spool: Spool, *vehicles: str) -> list[list[int]]:
    return [batch.sequences for batch in spool.raw(0, DAY_MS, vehicles)]


def test_frames_that_cannot_speak_of_a_vehicle_are_passed_over(spool: Spool) -> None:
    for number, told in enumerate((["a"], ["b"], ["a", "b"], None, [vehicle_index.UNKNOWN_VEHICLE]), 1):
        spool.append([envelope(number)])
        spool.settle("lake", number, told)
    assert found(spool, "a") == [[1], [3], [4], [5]]
    assert found(spool, "b") == [[2], [3], [4], [5]]
    assert found(spool, "a", "b") == [[1], [2], [3], [4], [5]]
    assert found(spool, "c") == [[4], [5]]
    assert found(spool) == [[4], [5]]


def test_what_one_sink_knows_waits_for_the_other(tmp_path: Path) -> None:
    spool = Spool(tmp_path, SINKS)
    for number, told in enumerate((["a"], ["b"], ["c"]), 1):
        spool.append([envelope(number)])
        spool.settle("lake", number, told)
    spool.settle("influx", 2)
    spool.settle("influx", 3)
    assert found(spool, "a") == found(spool, "b") == [[1, 2]]
    assert found(spool, "c") == [[3]]
    spool.close()


def test_a_frame_of_which_something_is_unknown_is_always_read(tmp_path: Path) -> None:
    spool = Spool(tmp_path, SINKS)
    spool.append([envelope(1)])
    spool.append([envelope(2)])
    spool.settle("lake", 1)
    spool.settle("lake", 2, ["a"])
    spool.settle("influx", 2)
    assert found(spool, "b") == [[1, 2]]
    spool.close()


def test_an_index_from_before_vehicles_were_noted_is_read_and_goes_on(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append([envelope(1)])
    spool.settle("lake", 1, ["a"])
    spool.close()
    with closing(sqlite3.connect(tmp_path / "spool.db")) as db:
        db.execute("ALTER TABLE frames DROP COLUMN vehicles")
    again = Spool(tmp_path)
    again.append([envelope(2)])
    again.settle("lake", 2, ["b"])
    assert found(again, "c") == [[1]]
    assert found(again, "b") == [[1], [2]]
    again.close()


def test_single_messages_are_found_by_their_sequences(spool: Spool) -> None:
    spool.append([envelope(1), envelope(2), envelope(3)])
    spool.append([envelope(4)])
    spool.settle("lake", 3)
    assert spool.archived([3, 1, 4, 99]) == Batch([1, 3], [envelope(1), envelope(3)])


def test_what_is_kept_is_told_in_runs_without_gaps(tmp_path: Path) -> None:
    for raw_days, numbers in ((9, (1, 2)), (0, (3,)), (9, (4,))):
        spool = Spool(tmp_path, raw_days=raw_days)
        for number in numbers:
            spool.append([envelope(number, at=number * DAY_MS // 2)])
            spool.settle("lake", number)
        spool.close()
    spool = Spool(tmp_path)
    assert [(run.first, run.last) for run in spool.kept("lake")] == [(1, 1), (2, 2), (4, 4)]
    spool.close()
