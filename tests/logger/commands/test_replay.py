from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from logger.commands.replay import Change, ReplayResult, lines, replay
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
    differing,
    feed,
    imported,
    settings,
    status,
    tables,
    take,
)
from tests.helpers.segway_pushes import OTHER


def counts(told: ReplayResult) -> dict[str, Change]:
    return {each.table: each for each in told.tables}


def test_what_was_in_quarantine_becomes_rows_and_all_is_read_by_todays_rules(
    changed: schema.Settings, always: Tables
) -> None:
    assert tables(changed)["quarantine"].height == 3
    told = replay(changed)
    assert differing(tables(changed), always) == {}
    assert tables(changed)["quarantine"].height == 1
    assert told.messages == len(TWO_DAYS)
    assert (counts(told)["quarantine"].before, counts(told)["quarantine"].after) == (3, 1)
    assert (counts(told)["status"].before, counts(told)["status"].after) == (6, 8)
    assert counts(told)["collector"].days_changed == 0


def test_what_cannot_be_read_any_more_goes_into_quarantine(tmp_path: Path, changed: schema.Settings) -> None:
    replay(changed)
    old = settings(tmp_path / "data", OLD)
    replay(old)
    assert tables(old)["quarantine"].height == 3
    assert set(tables(old)["status"]["odometer_m"].drop_nulls()) == {9000.0, 9100.0, 9200.0, 9300.0}


def test_a_second_replay_changes_nothing_and_writes_nothing(changed: schema.Settings) -> None:
    replay(changed)
    files = [file.uri for file in open_lake(changed).files("status")]
    assert not any(each.days_changed for each in replay(changed).tables)
    assert [file.uri for file in open_lake(changed).files("status")] == files


def test_what_still_waits_in_the_spool_is_left_to_the_feeder(changed: schema.Settings) -> None:
    take(changed, status(NOON + DAY_MS + 20_000, 9400))
    assert replay(changed).messages == len(TWO_DAYS)
    with closing(open_spool(changed)) as log:
        assert log.depth("lake") == 1
    feed(changed)
    assert tables(changed)["status"]["odometer_m"].max() == 94_000.0


def test_rows_whose_batch_was_not_settled_yet_are_delivered_first(changed: schema.Settings) -> None:
    take(changed, status(NOON + DAY_MS + 20_000, 9400), status(NOON + DAY_MS + 30_000, 9500))
    with closing(open_spool(changed)) as log:
        row = tables(changed)["status"].tail(1).with_columns(sequence=pl.lit(len(TWO_DAYS) + 1, dtype=pl.Int64))
        open_lake(changed, log.log_id).write("status", row)  # so far it came, and was killed
    replay(changed)
    assert tables(changed)["status"].sort("sequence")["odometer_m"].to_list()[-2:] == [94_000.0, 95_000.0]
    with closing(open_spool(changed)) as log:
        assert log.depth("lake") == 0


def test_another_sink_that_lags_hides_no_message(tmp_path: Path) -> None:
    ours = settings(tmp_path / "two", OLD)
    with closing(Spool(ours.data_dir, ("lake", "other"))) as log:
        for each in TWO_DAYS:
            log.append([each])
        store = open_lake(ours, log.log_id)
        with closing(Feeder(log, store, accounts(ours), ours.data_dir)) as feeder:
            feeder.drain(or_raise=True)
        assert log.depth("other") == len(TWO_DAYS)
        assert [(run.first, run.last) for run in log.archived_runs("lake")] == [(1, len(TWO_DAYS))]
        assert sum(len(batch) for batch in log.read_settled("lake", 0)) == len(TWO_DAYS)


# ---- what is not kept any more -------------------------------------------------------------------------------------


def forgotten(ours: schema.Settings, today: str) -> None:
    """The day files older than `raw_days` before this day are deleted."""
    with closing(open_spool(ours)) as log:
        log.delete_old_archives(today)


def three_days(folder: Path, raw_days: int = 1) -> schema.Settings:
    old = settings(folder, OLD, raw_days)
    take(old, *(status(NOON + day * DAY_MS, 9000 + day) for day in range(3)))
    feed(old)
    forgotten(old, "2026-10-03")
    return settings(folder, NEW, raw_days)


def test_days_whose_messages_are_gone_are_left_as_they_are(tmp_path: Path) -> None:
    ours = three_days(tmp_path)
    told = replay(ours)
    # of the first message kept, noon of the second day, what was before is unknown: that day is not whole
    assert told.left == [date(2026, 10, 1), date(2026, 10, 2)]
    assert tables(ours)["status"]["odometer_m"].to_list() == [9000.0, 9001.0, 90_020.0]
    assert "2 days from 2026-10-01 to 2026-10-02 are left as they are" in "\n".join(lines(told))


def test_a_span_with_such_a_day_is_refused_and_the_first_whole_day_named(tmp_path: Path) -> None:
    ours = three_days(tmp_path)
    was = tables(ours)
    with pytest.raises(ConfigError, match="replay --since 2026-10-03"):
        replay(ours, datetime(2026, 10, 1, tzinfo=UTC))
    assert differing(tables(ours), was) == {}
    assert not (ours.data_dir / "replay").exists()
    replay(ours, datetime(2026, 10, 3, tzinfo=UTC))
    assert tables(ours)["status"]["odometer_m"].to_list() == [9000.0, 9001.0, 90_020.0]


def test_without_day_files_nothing_is_touched(tmp_path: Path) -> None:
    old = settings(tmp_path, OLD, raw_days=0)
    take(old, *TWO_DAYS)
    feed(old)
    was = tables(old)
    told = replay(settings(tmp_path, NEW, raw_days=0))
    assert (told.messages, len(told.left)) == (0, len({day for rows in was.values() for day in rows["time"].dt.date()}))
    assert differing(tables(old), was) == {}


def test_messages_that_went_without_a_day_file_keep_their_day(tmp_path: Path) -> None:
    for number, raw_days in enumerate((90, 0, 90)):
        ours = settings(tmp_path, OLD, raw_days)
        take(ours, status(NOON + number * 10_000, 9000 + number))
        feed(ours)
    assert replay(settings(tmp_path, NEW)).left == [date(2026, 10, 1)]
    assert tables(ours)["status"].height == 3


def test_rows_of_a_log_that_was_lost_are_never_deleted(tmp_path: Path) -> None:
    old = settings(tmp_path, OLD)
    take(old, status(NOON, 9000), status(NOON + 10_000, 9010))
    feed(old)
    for file in tmp_path.glob("spool.db*"):
        file.unlink()
    take(old, status(NOON + DAY_MS, 9100), status(NOON + DAY_MS + 10_000, 9110))
    feed(old)
    told = replay(settings(tmp_path, NEW))
    assert told.left == [date(2026, 10, 1)]
    assert tables(old)["status"]["odometer_m"].to_list() == [9000.0, 9010.0, 91_000.0, 91_100.0]


def test_an_import_of_old_days_is_replayed_as_long_as_its_message_is_kept(tmp_path: Path) -> None:
    past = [datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 5, 1, 1, tzinfo=UTC)]
    ours = three_days(tmp_path)
    take(ours, imported(NOON + 3 * DAY_MS, past, odometer_m=[5.0, 4.0]))
    feed(ours)
    assert date(2024, 5, 1) not in replay(ours).left
    forgotten(ours, "2026-10-09")
    assert date(2024, 5, 1) in replay(ours).left
    assert tables(ours)["status"].filter(pl.col("via") == "import").height == 2


def test_an_import_of_days_to_come_is_found_when_their_turn_comes(tmp_path: Path) -> None:
    ours = settings(tmp_path, OLD)
    day = datetime(2026, 10, 9, tzinfo=UTC)
    take(ours, imported(NOON, [day], soc_pct=[5.0]), status(NOON + 8 * DAY_MS, 9000))
    feed(ours)
    replay(settings(tmp_path, NEW), day, day + timedelta(days=1))
    assert tables(ours)["status"].select("via", "soc_pct").rows() == [("import", 5.0), ("push", 80.0)]


# ---- odometers and clocks on the edge of what is decoded again -----------------------------------------------------


def test_the_first_reading_of_a_day_is_held_against_the_last_before_it_by_todays_rules(tmp_path: Path) -> None:
    old, new = settings(tmp_path, Rules(odometer_scale=10)), settings(tmp_path, Rules())
    take(old, status(NOON, 9000), status(NOON + DAY_MS, 9100), status(NOON + DAY_MS + 1000, 8000))
    feed(old)
    replay(new, datetime(2026, 10, 2, tzinfo=UTC))
    found = tables(new)["status"].select("odometer_m", "flags").rows()
    assert found == [(90_000.0, None), (9100.0, None), (8000.0, ["odometer_back"])]


def test_a_message_that_comes_again_keeps_the_time_of_a_first_receipt_that_is_gone(tmp_path: Path) -> None:
    first = status(NOON, 9000, late_ms=40 * DAY_MS)
    old = settings(tmp_path, OLD, raw_days=1)
    again = Envelope("moped", "status", NOON + 2 * DAY_MS, "push", first.body)
    take(old, first, status(NOON + DAY_MS, 9001), again)
    feed(old)
    forgotten(old, "2026-10-03")
    told = replay(settings(tmp_path, NEW, raw_days=1))
    assert told.messages == 2
    assert tables(old)["status"]["time"].dt.day().to_list() == [1, 2]


# ---- some vehicles -------------------------------------------------------------------------------------------------


def test_only_what_may_hold_the_vehicle_is_read(tmp_path: Path) -> None:
    old = settings(tmp_path, OLD)
    for each in TWO_DAYS:
        take(old, each)
        feed(old)
    ours = settings(tmp_path, NEW)
    told = replay(ours, vehicles=[OTHER])
    # its own message, one that nobody could read, one of an account that was not there, and the imported slice
    assert told.messages == 4
    assert (counts(told)["status"].before, counts(told)["status"].after) == (0, 1)
    # what is now another vehicle's stays in quarantine until that vehicle is replayed
    assert tables(ours)["quarantine"].height == 2
