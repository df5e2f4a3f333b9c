"""`voltrail check` says where reports go, which did not arrive, and whether the live page has an address."""

import socket
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec

from logger.commands.check.reports import check_live, check_reports
from logger.notify.schedule import Delivery, Due, destinations, due, note
from logger.settings.schema import Collector, Live, Reports, Settings

AT = datetime(2026, 10, 12, 7, tzinfo=UTC)


def settings_of(folder: Path, **parts: object) -> Settings:
    return msgspec.structs.replace(Settings(Collector(data_dir=str(folder))), **parts)


def test_nothing_is_said_of_reports_that_nobody_wants(tmp_path: Path) -> None:
    assert list(check_reports(settings_of(tmp_path))) == []


def test_reports_without_a_place_to_go_are_an_error(tmp_path: Path) -> None:
    (found,) = check_reports(settings_of(tmp_path, reports=Reports(weekly=("fleet",))))
    assert (found.level, "nowhere to send them" in found.text) == ("error", True)


def test_a_report_that_did_not_arrive_is_named(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, reports=Reports(weekly=("fleet",), folder=str(tmp_path / "out")))
    assert [each.level for each in check_reports(settings)] == ["ok"]
    (each,), (place,) = due(settings, AT), destinations(settings)
    assert each == Due("fleet", "fleet-2026-W41", date(2026, 10, 5), date(2026, 10, 11))
    note(settings, each, place, Delivery("failed", AT, 1, "the disk is full"))
    assert [found.text for found in check_reports(settings)] == ["fleet-2026-W41: the disk is full"]


def test_an_address_of_the_live_page_that_is_taken_is_an_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = settings_of(tmp_path, live=Live(listen=f"127.0.0.1:{taken.getsockname()[1]}"))
        assert [found.level for found in check_live(settings)] == ["error"]
    assert [found.level for found in check_live(settings)] == ["ok"]
