from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from deltalake import DeltaTable

from logger.errors import Retry
from logger.stores.lake.delta import Span
from logger.stores.lake.lake import Lake
from logger.tables import shaped, table

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def row(sequence: int, at: datetime = NOON, vehicle: str = "v1", **values: Any) -> dict[str, Any]:
    origin = {"provider": "segway", "vehicle": vehicle, "time": at, "via": "push", "clock": "device"}
    return {**origin, "received_at": NOON + timedelta(seconds=sequence), "sequence": sequence, **values}


def rows(*each: dict[str, Any], table: str = "status") -> pl.DataFrame:
    return shaped(pl.DataFrame(list(each), infer_schema_length=None), table)


def test_rows_are_read_back_in_the_schema_of_the_table(lake: Lake) -> None:
    frame = rows(row(1, soc_pct=80.0, flags=["null_island"]), row(2, vehicle="v2", locked=True))
    assert lake.write("status", frame) == 2
    assert lake.scan("status").sort("vehicle").collect().equals(frame)


@pytest.mark.parametrize("name", ["my data", "Süd ü日", "50%", "a*b?", "#1 {x}", 'd" # x = 1'])
def test_the_folder_may_have_any_name_that_the_settings_allow(tmp_path: Path, name: str) -> None:
    lake = Lake(str(tmp_path / name / "lake"), "log-1")
    for sequence in (1, 2):
        lake.write("status", rows(row(sequence, NOON + sequence * DAY, soc_pct=80.0)))
    lake.compact_day("status", (NOON + DAY).date())
    assert lake.scan("status").collect().height == 2
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_a_table_that_nobody_wrote_is_empty_and_has_its_columns(lake: Lake) -> None:
    assert lake.scan("pack").collect().equals(shaped(pl.DataFrame({"vehicle": []}), "pack"))
    assert lake.latest("status").is_empty()


def test_rows_that_this_log_delivered_before_are_left_out(lake: Lake) -> None:
    lake.write("status", rows(row(1), row(2, NOON + DAY)))
    again = rows(row(1), row(2, NOON + DAY), row(3, NOON - DAY))
    assert lake.write("status", again) == 1
    assert sum(file.rows for file in lake.files("status")) == 3


def test_each_log_has_a_last_delivered_sequence_of_its_own(lake: Lake, tmp_path: Path) -> None:
    lake.write("status", rows(row(5)))
    other = Lake(str(tmp_path / "lake"), "log-2")
    assert other.write("status", rows(row(1, NOON + DAY))) == 1


def test_the_last_delivered_sequence_survives_compaction_and_a_new_process(lake: Lake, tmp_path: Path) -> None:
    lake.write("status", rows(row(1), row(2)))
    lake.compact_day("status", NOON.date())
    assert Lake(str(tmp_path / "lake"), "log-1").write("status", rows(row(2))) == 0


def test_rows_of_one_key_are_merged_to_the_newest_value_of_each_field(lake: Lake) -> None:
    lake.write("status", rows(row(1, soc_pct=80.0, locked=True), row(2, soc_pct=79.0)))
    lake.write("status", rows(row(3, odometer_m=9.0)))
    (only,) = lake.scan("status").collect().iter_rows(named=True)
    assert (only["soc_pct"], only["locked"], only["odometer_m"], only["sequence"]) == (79.0, True, 9.0, 3)


def test_two_packs_and_two_events_of_one_moment_stay_separate_rows(lake: Lake) -> None:
    lake.write("pack", rows(row(1, port="1", pack_soc_pct=50.0), row(1, port="2", pack_soc_pct=60.0), table="pack"))
    events = [row(1, kind="fault", code="E5"), row(2, kind="alert", code="2"), row(3, kind="fault", code="10")]
    lake.write("event", rows(*events, table="event"))
    assert lake.scan("pack").collect()["pack_soc_pct"].sort().to_list() == [50.0, 60.0]
    assert lake.scan("event").collect().height == 3


def test_a_scan_is_bounded_by_vehicle_and_time_and_excludes_its_end(lake: Lake) -> None:
    lake.write("status", rows(*(row(n, NOON + n * DAY, f"v{n % 2}") for n in range(1, 7))))
    scanned = lake.scan("status", NOON + 2 * DAY, NOON + 5 * DAY, ["v0"]).collect()
    assert sorted(scanned["sequence"]) == [2, 4]


def test_replace_removes_these_vehicles_in_this_span_and_nothing_else(lake: Lake) -> None:
    lake.write("status", rows(*(row(n, NOON + timedelta(hours=n), f"v{n % 2}") for n in range(6))))
    new = rows(row(9, NOON + timedelta(hours=2, minutes=30), "v0"))
    lake.replace("status", new, ["v0"], NOON, NOON + timedelta(hours=4))
    assert sorted(lake.scan("status").collect()["sequence"]) == [1, 3, 4, 5, 9]


def test_replace_without_rows_removes_and_can_be_repeated(lake: Lake) -> None:
    lake.write("status", rows(row(1), row(2, vehicle="it's")))
    for _ in range(2):
        lake.replace("status", rows(row(1)).clear(), ["it's"], NOON - DAY, NOON + DAY)
    assert lake.scan("status").collect()["vehicle"].to_list() == ["v1"]


def test_replace_of_some_vehicles_in_a_compacted_day_keeps_the_others_and_is_merged_on_reading(lake: Lake) -> None:
    lake.write("status", rows(row(1, soc_pct=80.0), row(2, vehicle="v2", soc_pct=70.0)))
    lake.compact_day("status", NOON.date())
    lake.replace("status", rows(row(1, soc_pct=10.0), row(2, locked=True)), ["v1"], NOON, NOON + DAY)
    scanned = lake.scan("status").sort("vehicle").collect().select("vehicle", "soc_pct", "locked").rows()
    assert scanned == [("v1", 10.0, True), ("v2", 70.0, None)]
    assert not any(file.is_compact for file in lake.files("status"))


def test_replace_of_whole_days_leaves_the_files_of_other_days_alone(lake: Lake) -> None:
    lake.write("status", rows(*(row(n, NOON + (n - 1) * DAY) for n in (1, 2, 3))))
    lake.compact_day("status", NOON.date())
    kept = [file.uri for file in lake.files("status") if file.day != (NOON + DAY).date()]
    midnight = NOON + DAY / 2
    lake.replace(
        "status", iter([rows(row(7, NOON + DAY)), rows(row(8, NOON + DAY, "v2"))]), None, midnight, midnight + DAY
    )
    assert sorted(lake.scan("status").collect()["sequence"]) == [1, 3, 7, 8]
    assert set(kept) < {file.uri for file in lake.files("status")}


def test_replace_removes_rows_that_another_process_wrote_meanwhile(lake: Lake, tmp_path: Path) -> None:
    lake.write("status", rows(row(1)))
    Lake(str(tmp_path / "lake"), "log-2").write("status", rows(row(5)))
    lake.replace("status", rows(row(7)), None, NOON, NOON + DAY)
    assert lake.scan("status").collect()["sequence"].to_list() == [7]


def test_delivered_rows_are_not_written_again_after_a_replace(lake: Lake) -> None:
    lake.write("status", rows(row(1), row(2, NOON + DAY)))
    lake.replace("status", rows(row(1)).clear(), None, NOON - DAY, NOON + 2 * DAY)
    assert lake.write("status", rows(row(1), row(2, NOON + DAY))) == 0
    assert lake.last_delivered_sequence() == 2


def test_latest_is_the_newest_row_of_each_vehicle_whatever_its_day(lake: Lake) -> None:
    lake.write(
        "status", rows(row(1, NOON - 9 * DAY, "old"), row(2, NOON, "new", soc_pct=1.0), row(3, NOON - DAY, "new"))
    )
    latest = lake.latest("status").sort("vehicle")
    assert latest["vehicle"].to_list() == ["new", "old"]
    assert latest["soc_pct"].to_list() == [1.0, None]


def test_latest_can_be_limited_to_rows_with_a_value_and_received_before_a_moment(lake: Lake) -> None:
    readings = [row(n, NOON + timedelta(hours=n), odometer_m=value) for n, value in ((1, 9.0), (2, 10.0), (3, None))]
    lake.write("status", rows(*readings))
    assert lake.latest("status")["sequence"].to_list() == [3]
    assert lake.latest("status", "odometer_m")["sequence"].to_list() == [2]
    assert lake.latest("status", "odometer_m", NOON + timedelta(seconds=2))["sequence"].to_list() == [1]


def test_other_engines_find_a_plain_delta_table_partitioned_by_day(lake: Lake, tmp_path: Path) -> None:
    lake.write("status", rows(row(1)))
    table = DeltaTable(tmp_path / "lake" / "status")
    assert table.metadata().partition_columns == ["day"]
    assert table.partitions() == [{"day": NOON.date().isoformat()}]


def test_an_error_names_the_table_and_the_same_rows_can_be_written_later(tmp_path: Path) -> None:
    (tmp_path / "lake").write_text("a file where the folder should be")
    lake = Lake(str(tmp_path / "lake"), "log-1")
    with pytest.raises(Retry, match="table status"):
        lake.write("status", rows(row(1)))
    (tmp_path / "lake").unlink()
    assert lake.write("status", rows(row(1))) == 1


def test_days_of_several_tables_are_returned_together_and_a_missing_table_has_none(lake: Lake) -> None:
    lake.write("status", rows(row(1), row(2, NOON - DAY)))
    lake.write("location", rows(row(1, NOON + DAY), table="location"))
    assert lake.days(["status", "location", "pack"]) == {(NOON + n * DAY).date() for n in (-1, 0, 1)}
    assert lake.days([]) == set()


def test_of_tables_that_are_opened_in_parallel_the_broken_one_is_named(lake: Lake, tmp_path: Path) -> None:
    for name in ("status", "location"):
        lake.write(name, rows(row(1), table=name))
    for entry in (tmp_path / "lake" / "location" / "_delta_log").iterdir():
        entry.write_text("no log")
    with pytest.raises(Retry, match="table location"):
        Lake(str(tmp_path / "lake")).days(["status", "location", "pack"])


def test_the_files_of_a_table_include_those_that_another_process_wrote(lake: Lake, tmp_path: Path) -> None:
    lake.write("status", rows(row(1)))
    assert [file.rows for file in lake.files("status")] == [1]
    assert Lake(str(tmp_path / "lake"), "log-2").write("status", rows(row(2, vehicle="v2"), row(3, vehicle="v3"))) == 2
    assert sorted(file.rows for file in lake.files("status")) == [1, 2]
    lake.compact_day("status", NOON.date())
    assert [file.rows for file in lake.files("status")] == [3]


def states(*spans: tuple[float, float | None]) -> pl.DataFrame:
    """Rows of `states`, each from one day after noon to another."""
    moments = [(NOON + begin * DAY, None if end is None else NOON + end * DAY) for begin, end in spans]
    records = [{"provider": "p", "vehicle": "v", "time": begin, "finished_at": end} for begin, end in moments]
    return shaped(pl.DataFrame(records), "states")


def test_rows_that_overlap_a_span_are_found_whatever_the_day_on_which_they_began(lake: Lake) -> None:
    written = states((0, 1), (1, 9), (2, None), (3, 4), (8, 9), (10, 11))
    lake.replace("states", written, None, NOON, NOON + 30 * DAY)
    lake.compact_day("states", (NOON + DAY).date())
    overlapping = lake.scan_overlapping("states", NOON + 8 * DAY, NOON + 10 * DAY, ["v"]).sort("time").collect()
    assert overlapping.equals(states((1, 9), (2, None), (8, 9)))


def test_days_are_counted_by_key_whether_merged_or_not(lake: Lake) -> None:
    assert lake.count("status") == []
    lake.write("status", rows(row(1, soc_pct=50.0), row(2, vehicle="v2"), row(3, NOON - DAY)))
    lake.write("status", rows(row(4, soc_pct=55.0)))
    days = [(NOON.replace(hour=0) - DAY, 1), (NOON.replace(hour=0), 2)]
    assert lake.count("status") == days
    lake.compact_day("status", NOON.date())
    assert lake.count("status") == days


def test_the_spans_replaced_since_a_version_are_returned_in_their_order(lake: Lake) -> None:
    assert lake.replaced_since("status_1d", None) == (-1, [])
    empty = pl.DataFrame(schema=table("status_1d").schema)
    spans = [Span(None, NOON, NOON + DAY), Span(("a", "b'c"), NOON, NOON + 2 * DAY)]
    versions = []
    for each in spans:
        lake.replace("status_1d", empty, each.vehicles, each.since, each.until)
        versions.append(lake.replaced_since("status_1d", None)[0])
    assert lake.replaced_since("status_1d", 0) == (versions[1], spans)
    assert lake.replaced_since("status_1d", versions[0]) == (versions[1], spans[1:])
    assert lake.replaced_since("status_1d", versions[1]) == (versions[1], [])
    assert lake.replaced_since("status_1d", 99) == (versions[1], None)


def test_a_day_of_a_derived_table_is_replaced_counted_and_compacted(lake: Lake) -> None:
    day = NOON.replace(hour=0)
    daily = shaped(
        pl.DataFrame({"provider": "p", "vehicle": ["v2", "v1"], "time": day, "samples": [3, 4]}), "status_1d"
    )
    for _ in range(2):
        lake.replace("status_1d", daily, None, day, day + DAY)
    assert lake.count("status_1d") == [(day, 2)]
    lake.compact_day("status_1d", day.date())
    assert lake.scan("status_1d").sort("vehicle").collect().equals(daily.sort("vehicle"))


def test_a_local_day_is_a_column_like_others(lake: Lake) -> None:
    midnight = NOON.replace(hour=0) - timedelta(hours=2)
    row = {"provider": "p", "vehicle": "v", "time": midnight, "day": NOON.date().isoformat(), "odometer_m": 5.0}
    coverage = shaped(pl.DataFrame([row]), "coverage")
    lake.replace("coverage", coverage, ["v"], midnight, NOON)
    assert lake.scan("coverage").collect().equals(coverage)
    assert [file.day for file in lake.files("coverage")] == [midnight.date()]
    lake.compact_day("coverage", midnight.date())
    assert lake.scan("coverage").collect().equals(coverage)
    lake.replace("coverage", coverage.clear(), None, midnight, NOON)
    assert lake.scan("coverage").collect().is_empty()
