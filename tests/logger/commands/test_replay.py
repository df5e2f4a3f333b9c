from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from logger.commands.output import plain_lines
from logger.commands.replay import Change, ReplayResult, replay, view
from logger.deliver.feeder import Feeder
from logger.envelope import Envelope
from logger.errors import ConfigError
from logger.settings import schema
from logger.sources import accounts
from logger.spool.log import Spool
from logger.spool.open import open_spool
from logger.stores import open_lake
from tests.helpers.data_folder import (
    DAY_MS,
    NEW,
    NOON,
    OLD,
    TWO_DAYS,
    Rules,
    Tables,
    append_messages,
    deliver_all,
    differences,
    imported_slice,
    make_settings,
    read_tables,
    status,
)
from tests.helpers.segway_pushes import OTHER


def counts(result: ReplayResult) -> dict[str, Change]:
    return {each.table: each for each in result.tables}


def test_what_was_in_quarantine_becomes_rows_and_all_is_read_by_todays_rules(
    changed_settings: schema.Settings, new_tables: Tables
) -> None:
    assert read_tables(changed_settings)["quarantine"].height == 3
    result = replay(changed_settings)
    assert differences(read_tables(changed_settings), new_tables) == {}
    assert read_tables(changed_settings)["quarantine"].height == 1
    assert result.messages == len(TWO_DAYS)
    assert (counts(result)["quarantine"].before, counts(result)["quarantine"].after) == (3, 1)
    assert (counts(result)["status"].before, counts(result)["status"].after) == (6, 8)
    assert counts(result)["collector"].days_changed == 0


def test_what_cannot_be_read_any_more_goes_into_quarantine(tmp_path: Path, changed_settings: schema.Settings) -> None:
    replay(changed_settings)
    old = make_settings(tmp_path / "data", OLD)
    replay(old)
    assert read_tables(old)["quarantine"].height == 3
    assert set(read_tables(old)["status"]["odometer_m"].drop_nulls()) == {9000.0, 9100.0, 9200.0, 9300.0}


def test_a_second_replay_changes_nothing_and_writes_nothing(changed_settings: schema.Settings) -> None:
    replay(changed_settings)
    files = [file.uri for file in open_lake(changed_settings).files("status")]
    assert not any(each.days_changed for each in replay(changed_settings).tables)
    assert [file.uri for file in open_lake(changed_settings).files("status")] == files


def test_what_still_waits_in_the_spool_is_left_to_the_feeder(changed_settings: schema.Settings) -> None:
    append_messages(changed_settings, status(NOON + DAY_MS + 20_000, 9400))
    assert replay(changed_settings).messages == len(TWO_DAYS)
    with closing(open_spool(changed_settings)) as spool:
        assert spool.depth("lake") == 1
    deliver_all(changed_settings)
    assert read_tables(changed_settings)["status"]["odometer_m"].max() == 94_000.0


def test_rows_whose_batch_was_not_settled_yet_are_delivered_first(changed_settings: schema.Settings) -> None:
    append_messages(changed_settings, status(NOON + DAY_MS + 20_000, 9400), status(NOON + DAY_MS + 30_000, 9500))
    with closing(open_spool(changed_settings)) as spool:
        row = (
            read_tables(changed_settings)["status"]
            .tail(1)
            .with_columns(sequence=pl.lit(len(TWO_DAYS) + 1, dtype=pl.Int64))
        )
        open_lake(changed_settings, spool.log_id).write("status", row)  # so far it came, and was killed
    replay(changed_settings)
    assert read_tables(changed_settings)["status"].sort("sequence")["odometer_m"].to_list()[-2:] == [94_000.0, 95_000.0]
    with closing(open_spool(changed_settings)) as spool:
        assert spool.depth("lake") == 0


def test_another_sink_that_lags_hides_no_message(tmp_path: Path) -> None:
    settings = make_settings(tmp_path / "two", OLD)
    with closing(Spool(settings.data_dir, ("lake", "other"))) as spool:
        for each in TWO_DAYS:
            spool.append([each])
        store = open_lake(settings, spool.log_id)
        with closing(Feeder(spool, store, accounts(settings), settings.data_dir)) as feeder:
            feeder.drain(or_raise=True)
        assert spool.depth("other") == len(TWO_DAYS)
        assert [(run.first, run.last) for run in spool.archived_runs("lake")] == [(1, len(TWO_DAYS))]
        assert sum(len(batch) for batch in spool.read_settled("lake", 0)) == len(TWO_DAYS)


# ---- what is not kept any more -------------------------------------------------------------------------------------


def delete_archives(settings: schema.Settings, today: str) -> None:
    """Delete the archive files older than `raw_days` before this day."""
    with closing(open_spool(settings)) as spool:
        spool.delete_old_archives(today)


def three_days(folder: Path, raw_days: int = 1) -> schema.Settings:
    old = make_settings(folder, OLD, raw_days)
    append_messages(old, *(status(NOON + day * DAY_MS, 9000 + day) for day in range(3)))
    deliver_all(old)
    delete_archives(old, "2026-10-03")
    return make_settings(folder, NEW, raw_days)


def test_days_whose_messages_are_gone_are_left_as_they_are(tmp_path: Path) -> None:
    settings = three_days(tmp_path)
    result = replay(settings)
    # of the first message kept, noon of the second day, what was before is unknown: that day is not whole
    assert result.left == [date(2026, 10, 1), date(2026, 10, 2)]
    assert read_tables(settings)["status"]["odometer_m"].to_list() == [9000.0, 9001.0, 90_020.0]
    assert "2 days from 2026-10-01 to 2026-10-02 are left as they are" in "\n".join(plain_lines(view(result)))


def test_a_span_with_such_a_day_is_refused_and_the_first_whole_day_named(tmp_path: Path) -> None:
    settings = three_days(tmp_path)
    before = read_tables(settings)
    with pytest.raises(ConfigError, match="replay --since 2026-10-03"):
        replay(settings, datetime(2026, 10, 1, tzinfo=UTC))
    assert differences(read_tables(settings), before) == {}
    assert not (settings.data_dir / "replay").exists()
    replay(settings, datetime(2026, 10, 3, tzinfo=UTC))
    assert read_tables(settings)["status"]["odometer_m"].to_list() == [9000.0, 9001.0, 90_020.0]


def test_without_day_files_nothing_is_touched(tmp_path: Path) -> None:
    old = make_settings(tmp_path, OLD, raw_days=0)
    append_messages(old, *TWO_DAYS)
    deliver_all(old)
    before = read_tables(old)
    result = replay(make_settings(tmp_path, NEW, raw_days=0))
    assert (result.messages, len(result.left)) == (
        0,
        len({day for rows in before.values() for day in rows["time"].dt.date()}),
    )
    assert differences(read_tables(old), before) == {}


def test_messages_that_went_without_a_day_file_keep_their_day(tmp_path: Path) -> None:
    for number, raw_days in enumerate((90, 0, 90)):
        settings = make_settings(tmp_path, OLD, raw_days)
        append_messages(settings, status(NOON + number * 10_000, 9000 + number))
        deliver_all(settings)
    assert replay(make_settings(tmp_path, NEW)).left == [date(2026, 10, 1)]
    assert read_tables(settings)["status"].height == 3


def test_rows_of_a_log_that_was_lost_are_never_deleted(tmp_path: Path) -> None:
    old = make_settings(tmp_path, OLD)
    append_messages(old, status(NOON, 9000), status(NOON + 10_000, 9010))
    deliver_all(old)
    for file in tmp_path.glob("spool.db*"):
        file.unlink()
    append_messages(old, status(NOON + DAY_MS, 9100), status(NOON + DAY_MS + 10_000, 9110))
    deliver_all(old)
    result = replay(make_settings(tmp_path, NEW))
    assert result.left == [date(2026, 10, 1)]
    assert read_tables(old)["status"]["odometer_m"].to_list() == [9000.0, 9010.0, 91_000.0, 91_100.0]


def test_an_import_of_old_days_is_replayed_as_long_as_its_message_is_kept(tmp_path: Path) -> None:
    past = [datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 5, 1, 1, tzinfo=UTC)]
    settings = three_days(tmp_path)
    append_messages(settings, imported_slice(NOON + 3 * DAY_MS, past, odometer_m=[5.0, 4.0]))
    deliver_all(settings)
    assert date(2024, 5, 1) not in replay(settings).left
    delete_archives(settings, "2026-10-09")
    assert date(2024, 5, 1) in replay(settings).left
    assert read_tables(settings)["status"].filter(pl.col("via") == "import").height == 2


def test_an_import_of_days_to_come_is_found_when_their_turn_comes(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, OLD)
    day = datetime(2026, 10, 9, tzinfo=UTC)
    append_messages(settings, imported_slice(NOON, [day], soc_pct=[5.0]), status(NOON + 8 * DAY_MS, 9000))
    deliver_all(settings)
    replay(make_settings(tmp_path, NEW), day, day + timedelta(days=1))
    assert read_tables(settings)["status"].select("via", "soc_pct").rows() == [("import", 5.0), ("push", 80.0)]


# ---- odometers and clocks on the edge of what is decoded again -----------------------------------------------------


def test_the_first_reading_of_a_day_is_held_against_the_last_before_it_by_todays_rules(tmp_path: Path) -> None:
    old, new = make_settings(tmp_path, Rules(odometer_scale=10)), make_settings(tmp_path, Rules())
    append_messages(old, status(NOON, 9000), status(NOON + DAY_MS, 9100), status(NOON + DAY_MS + 1000, 8000))
    deliver_all(old)
    replay(new, datetime(2026, 10, 2, tzinfo=UTC))
    found = read_tables(new)["status"].select("odometer_m", "flags").rows()
    assert found == [(90_000.0, None), (9100.0, None), (8000.0, ["odometer_back"])]


def test_a_message_that_comes_again_keeps_the_time_of_a_first_receipt_that_is_gone(tmp_path: Path) -> None:
    first = status(NOON, 9000, late_ms=40 * DAY_MS)
    old = make_settings(tmp_path, OLD, raw_days=1)
    again = Envelope("moped", "status", NOON + 2 * DAY_MS, "push", first.body)
    append_messages(old, first, status(NOON + DAY_MS, 9001), again)
    deliver_all(old)
    delete_archives(old, "2026-10-03")
    result = replay(make_settings(tmp_path, NEW, raw_days=1))
    assert result.messages == 2
    assert read_tables(old)["status"]["time"].dt.day().to_list() == [1, 2]


# ---- some vehicles -------------------------------------------------------------------------------------------------


def test_only_what_may_hold_the_vehicle_is_read(tmp_path: Path) -> None:
    old = make_settings(tmp_path, OLD)
    for each in TWO_DAYS:
        append_messages(old, each)
        deliver_all(old)
    settings = make_settings(tmp_path, NEW)
    result = replay(settings, vehicles=[OTHER])
    # its own message, one that nobody could read, one of an account that was not there, and the imported slice
    assert result.messages == 4
    assert (counts(result)["status"].before, counts(result)["status"].after) == (0, 1)
    # what is now another vehicle's stays in quarantine until that vehicle is replayed
    assert read_tables(settings)["quarantine"].height == 2
