"""What a fleet's report ranks and counts, from tables of which each row is known."""

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from dashboards.reports.contents import Report
from dashboards.reports.fleet import state_days
from dashboards.reports.make import open_data, report
from dashboards.reports.period import parse_period
from logger.settings.schema import Settings
from logger.stores import open_lake
from logger.tables import shaped
from tests.dashboards.reports import made
from tests.dashboards.reports.conftest import DAYS, end_of, settings_in


def fleet_report(settings: Settings, hours_later: float = 0) -> Report:
    now = end_of(DAYS) + timedelta(hours=hours_later)
    return report("fleet", open_data(open_lake(settings), settings, now=now))


def rows(found: Report, table: str) -> pl.DataFrame:
    return next(each.rows for each in found.tables if each.name == table)


def test_what_to_do_comes_in_the_order_of_urgency(fleet: Settings) -> None:
    todo = rows(fleet_report(fleet), "todo").select("vehicle", "what", "why").rows()
    assert todo == [
        ("V2", "open_fault", "open faults: 1"),
        ("V3", "low", "charge is at 12\N{NO-BREAK SPACE}%"),
        ("V1", "standby", "it loses 12\N{NO-BREAK SPACE}%/d while parked"),
    ]


def test_a_fleet_that_fell_silent_as_a_whole_is_told(fleet: Settings) -> None:
    found = fleet_report(fleet, hours_later=48)
    figures = {each.name: each.value for each in found.figures}
    assert figures["silent"] == 4
    assert rows(found, "silent")["silent_h"].to_list() == [49.0] * 4


def test_a_vehicle_out_of_service_needs_nothing(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, "[vehicles.V9]\nin_service = false\n")
    made.fill(open_lake(settings), ["V9"], DAYS)
    assert rows(fleet_report(settings, hours_later=48), "todo").is_empty()


def test_time_in_use_is_of_the_time_that_is_known(fleet: Settings) -> None:
    share = next(each for each in fleet_report(fleet).figures if each.name == "use_share")
    assert share.value == pytest.approx(1 / 22)
    assert share.share == pytest.approx(22 / 24)


def test_a_span_over_midnights_is_shared_by_its_local_days(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    start = end_of(0) + timedelta(hours=18)
    span = {"provider": "made", "vehicle": "V1", "time": start, "started_at": start, "state": "parked"}
    frame = pl.DataFrame([{**span, "finished_at": start + timedelta(hours=36), "duration_s": 36 * 3600.0}])
    open_lake(settings).replace("states", shaped(frame, "states"), None, start, start + timedelta(days=3))
    data = open_data(open_lake(settings), settings, parse_period("2026-10", "--period"), now=end_of(9))
    assert [hours / 3600 for hours in state_days(data).sort("day")["duration_s"]] == [6, 24, 6]


def test_the_loss_while_parked_is_of_all_the_time_at_rest(fleet: Settings) -> None:
    loss = next(each for each in fleet_report(fleet).figures if each.name == "pct_per_day")
    assert loss.value == pytest.approx((12 + 3 * 1) / 4), "one vehicle loses 12 % a day, three lose 1 %"
    assert loss.low is not None
    assert loss.low < 3.75
