"""Maintenance of the lake: days are compacted, small files merged, replaced files deleted."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from logger.stores.lake.lake import Lake
from tests.logger.stores.lake.test_lake import DAY, NOON, row, rows


def test_compaction_leaves_one_sorted_row_a_key_in_one_file(lake: Lake) -> None:
    for sequence in range(1, 6):
        lake.write("status", rows(row(sequence, vehicle="b"), row(sequence, vehicle="a", at=NOON - timedelta(hours=1))))
    before = lake.scan("status").sort("vehicle").collect()
    lake.compact_day("status", NOON.date())
    (file,) = lake.files("status")
    assert file.is_compact
    assert file.rows == 2
    stored = pl.read_parquet(file.uri, hive_partitioning=False)
    assert stored["vehicle"].to_list() == ["a", "b"]
    assert lake.scan("status").sort("vehicle").collect().equals(before)


def test_a_late_row_of_a_compacted_day_is_merged_on_reading(lake: Lake) -> None:
    lake.write("status", rows(row(1, soc_pct=80.0)))
    lake.compact_day("status", NOON.date())
    lake.write("status", rows(row(2, soc_pct=79.0)))
    assert lake.scan("status").collect()["soc_pct"].to_list() == [79.0]


def test_a_large_day_is_compacted_in_slices_of_whole_vehicles(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"), "log-1", slice_rows=3)
    many = [row(n, NOON + timedelta(seconds=n // 10), f"v{n % 10}", speed_kmh=float(n)) for n in range(1, 41)]
    lake.write("status", rows(*many[:25]))
    lake.write("status", rows(*many[25:], *({**each, "sequence": 50 + n} for n, each in enumerate(many[:5]))))
    before = lake.scan("status").sort("vehicle", "time").collect()
    lake.compact_day("status", NOON.date())
    (file,) = lake.files("status")
    assert file.rows == before.height == 40
    stored = pl.read_parquet(file.uri, hive_partitioning=False)
    assert stored["vehicle"].rle().len() == 10  # each vehicle's rows stand together, in order of time
    assert stored.sort("vehicle", maintain_order=True)["speed_kmh"].to_list() == before["speed_kmh"].to_list()


def test_past_days_that_are_idle_are_compacted_and_no_others(lake: Lake) -> None:
    now = datetime.now(UTC)
    lake.write("status", rows(row(1, now), row(2, now - DAY)))
    assert lake.compact_days(now, timedelta(hours=1)) == 0
    assert lake.compact_days(now + timedelta(hours=2), timedelta(hours=1)) >= 1
    assert {file.day: file.is_compact for file in lake.files("status")}[(now - DAY).date()]
    assert lake.compact_days(now, timedelta(0)) == 0


def test_many_small_files_of_one_day_are_merged_and_no_row_is_lost(lake: Lake) -> None:
    for sequence in range(1, 71):
        lake.write("status", rows(row(sequence, NOON + timedelta(seconds=sequence // 2))))
    assert lake.compact_days(NOON, timedelta(days=365)) == 1
    assert len(lake.files("status")) < 5
    assert lake.scan("status").collect().height == 36


def test_the_log_is_checkpointed_every_hundred_commits(lake: Lake, tmp_path: Path) -> None:
    for sequence in range(1, 103):
        lake.write("collector", rows(row(sequence, NOON + timedelta(minutes=sequence)), table="collector"))
    assert list((tmp_path / "lake" / "collector" / "_delta_log").glob("*.checkpoint.parquet"))


def test_a_replaced_file_is_kept_for_an_hour(lake: Lake, tmp_path: Path) -> None:
    lake.write("status", rows(row(1)))
    lake.compact_day("status", date(2026, 11, 20))
    lake.vacuum()
    assert len(list((tmp_path / "lake" / "status").rglob("part-*.parquet"))) == 2
