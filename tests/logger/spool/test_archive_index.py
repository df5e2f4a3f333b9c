"""The index of the archive: frames by time, by vehicle and by sequence."""

import sqlite3
from contextlib import closing
from pathlib import Path

from logger.envelope import Batch
from logger.spool import vehicle_index
from logger.spool.log import Spool
from tests.logger.spool.test_log import DAY_MS, SINKS, envelope


def sequences_read(spool: Spool, *vehicles: str) -> list[list[int]]:
    return [batch.sequences for batch in spool.read_archive(0, DAY_MS, vehicles)]


def test_frames_without_a_message_of_the_vehicle_are_skipped(spool: Spool) -> None:
    for number, vehicles in enumerate((["a"], ["b"], ["a", "b"], None, [vehicle_index.UNKNOWN_VEHICLE]), 1):
        spool.append([envelope(number)])
        spool.settle("lake", number, vehicles)
    assert sequences_read(spool, "a") == [[1], [3], [4], [5]]
    assert sequences_read(spool, "b") == [[2], [3], [4], [5]]
    assert sequences_read(spool, "a", "b") == [[1], [2], [3], [4], [5]]
    assert sequences_read(spool, "c") == [[4], [5]]
    assert sequences_read(spool) == [[4], [5]]


def test_vehicles_that_one_sink_reported_are_kept_until_the_other_settles(tmp_path: Path) -> None:
    spool = Spool(tmp_path, SINKS)
    for number, vehicles in enumerate((["a"], ["b"], ["c"]), 1):
        spool.append([envelope(number)])
        spool.settle("lake", number, vehicles)
    spool.settle("influx", 2)
    spool.settle("influx", 3)
    assert sequences_read(spool, "a") == sequences_read(spool, "b") == [[1, 2]]
    assert sequences_read(spool, "c") == [[3]]
    spool.close()


def test_a_frame_with_a_message_of_an_unknown_vehicle_is_always_read(tmp_path: Path) -> None:
    spool = Spool(tmp_path, SINKS)
    spool.append([envelope(1)])
    spool.append([envelope(2)])
    spool.settle("lake", 1)
    spool.settle("lake", 2, ["a"])
    spool.settle("influx", 2)
    assert sequences_read(spool, "b") == [[1, 2]]
    spool.close()


def test_an_index_from_before_it_held_vehicles_is_read_and_extended(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append([envelope(1)])
    spool.settle("lake", 1, ["a"])
    spool.close()
    with closing(sqlite3.connect(tmp_path / "spool.db")) as db:
        db.execute("ALTER TABLE frames DROP COLUMN vehicles")
    again = Spool(tmp_path)
    again.append([envelope(2)])
    again.settle("lake", 2, ["b"])
    assert sequences_read(again, "c") == [[1]]
    assert sequences_read(again, "b") == [[1], [2]]
    again.close()


def test_single_messages_are_found_by_their_sequences(spool: Spool) -> None:
    spool.append([envelope(1), envelope(2), envelope(3)])
    spool.append([envelope(4)])
    spool.settle("lake", 3)
    assert spool.read_sequences([3, 1, 4, 99]) == Batch([1, 3], [envelope(1), envelope(3)])


def test_archived_messages_are_listed_as_runs_without_gaps(tmp_path: Path) -> None:
    for raw_days, numbers in ((9, (1, 2)), (0, (3,)), (9, (4,))):
        spool = Spool(tmp_path, raw_days=raw_days)
        for number in numbers:
            spool.append([envelope(number, at=number * DAY_MS // 2)])
            spool.settle("lake", number)
        spool.close()
    spool = Spool(tmp_path)
    assert [(run.first, run.last) for run in spool.archived_runs("lake")] == [(1, 1), (2, 2), (4, 4)]
    spool.close()
