"""Another store follows what is replaced in the lake: replayed days, derived tables, and all that it has missed."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from logger.commands.copy import follow_lake
from logger.commands.replay import replay
from logger.deliver.follower import Follower
from logger.errors import Retry
from logger.service.feeder import wait_delivered
from logger.settings import schema
from logger.settings.schema import InfluxSettings
from logger.spool.open import open_spool
from logger.stores import open_lake
from logger.stores.compare import COMPARED_TABLES
from logger.stores.influx.influx import Influx
from logger.stores.lake.lake import Lake
from logger.tables import DERIVED, TABLES, shaped
from tests.helpers.data_folder import Rules, make_settings
from tests.helpers.segway_pushes import VEHICLE, body, envelope

DAY = timedelta(days=1)
MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)


def influx_settings(folder: Path, influx: InfluxSettings, rules: Rules) -> schema.Settings:
    lake_only = make_settings(folder / "data", rules)
    return msgspec.structs.replace(lake_only, sinks=msgspec.structs.replace(lake_only.sinks, influx=influx))


def assert_same(settings: schema.Settings, store: Influx) -> None:
    for name in COMPARED_TABLES:
        left, right = (each.scan(name).sort(TABLES[name].key).collect() for each in (open_lake(settings), store))
        assert_frame_equal(left, right)


@pytest.fixture
def store(influx: InfluxSettings) -> Iterator[Influx]:
    with closing(Influx(influx)) as store:
        yield store


def test_days_that_a_replay_has_replaced_reach_the_other_store(
    tmp_path: Path, influx: InfluxSettings, store: Influx
) -> None:
    before = influx_settings(tmp_path, influx, Rules())
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    messages = [envelope("status", body("status", odometer=str(n), statusUtcTime=str(now_ms // 1000 - n)), now_ms)
            for n in range(1, 9)]  # fmt: skip
    with closing(open_spool(before)) as log:
        last = log.append(messages)
    wait_delivered(before, last, lambda waiting: None)
    follow_lake(before)
    assert_same(before, store)
    after = influx_settings(tmp_path, influx, Rules(odometer_scale=10))
    replay(after)
    assert store.scan("status").select(pl.col("odometer_m").max()).collect().item() == 8
    follow_lake(after)
    assert store.scan("status").select(pl.col("odometer_m").max()).collect().item() == 80
    assert_same(after, store)


def daily_rows(*samples: int) -> pl.DataFrame:
    """Rows of `status_1d` with these numbers of samples, a day apart."""
    columns = {"provider": "segway", "vehicle": VEHICLE, "time": [MIDNIGHT + n * DAY for n in range(len(samples))]}
    return shaped(pl.DataFrame({**columns, "samples": list(samples)}), "status_1d")


def test_a_derived_table_is_copied_span_by_span_and_as_a_whole_where_the_cursor_is_lost(
    tmp_path: Path, store: Influx
) -> None:
    source = open_lake(make_settings(tmp_path, Rules()))
    follower = Follower(source, store, tmp_path, lambda: True)
    source.replace("status_1d", daily_rows(1, 2, 3), None, MIDNIGHT, MIDNIGHT + 3 * DAY)
    assert follower.follow() == 3
    assert follower.follow() == 0
    source.replace(
        "status_1d",
        daily_rows(1, 2)[1:].with_columns(samples=pl.lit(9, dtype=pl.Int64)),
        None,
        MIDNIGHT + DAY,
        MIDNIGHT + 3 * DAY,
    )
    assert follower.follow() == 1
    assert store.scan("status_1d").sort("time").collect()["samples"].to_list() == [1, 9]
    (tmp_path / "followed-influx.json").unlink()
    store.replace("status_1d", daily_rows(7, 7, 7, 7), None, MIDNIGHT, MIDNIGHT + 9 * DAY)
    follower.follow()
    assert_frame_equal(store.scan("status_1d").sort("time").collect(), source.scan("status_1d").sort("time").collect())


def test_raw_days_are_replaced_only_when_the_lake_has_all_rows_of_the_other_store(
    tmp_path: Path, store: Influx
) -> None:
    source, is_ready = open_lake(make_settings(tmp_path, Rules())), [False]
    follower = Follower(source, store, tmp_path, lambda: is_ready[0])
    follower.follow()
    row = {"provider": "p", "vehicle": "v", "time": MIDNIGHT, "received_at": MIDNIGHT, "sequence": 1, "soc_pct": 5.0}
    source.replace("status", shaped(pl.DataFrame([row]), "status"), None, MIDNIGHT, MIDNIGHT + DAY)
    assert follower.follow() == 0
    is_ready[0] = True
    assert follower.follow() == 1
    assert store.scan("status").collect()["soc_pct"].to_list() == [5.0]
    assert set(DERIVED) <= set(COMPARED_TABLES)


def test_cursors_that_the_disk_refuses_are_a_retry(tmp_path: Path) -> None:
    lake, target = Lake(str(tmp_path / "lake")), Lake(str(tmp_path / "other"))
    (tmp_path / f"followed-{target.name}.json").mkdir()
    with pytest.raises(Retry, match=r"followed-lake\.json.*is the disk full"):
        Follower(lake, target, tmp_path, lambda: True).follow()
