"""Reports by themselves: what is due when, delivered once to each place, and tried again where that failed."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from dashboards.reports.process import Made, deliver_due
from logger.errors import ConfigError, LoggerError
from logger.notify.causes import causes
from logger.notify.schedule import Delivery, Destination, Due, destinations, due, note, read_deliveries
from logger.settings.schema import Settings
from logger.stores import open_lake
from tests.dashboards.reports import made
from tests.dashboards.reports.conftest import settings_in
from tests.helpers.http_server import http_server
from tests.helpers.mail_server import mail_server

MONDAY = datetime(2026, 10, 12, 7, tzinfo=UTC)
WEEKLY = '[reports]\nweekly = ["fleet"]\nfolder = "reports"\n'


class Inbox(BaseHTTPRequestHandler):
    """A webhook that keeps what it is sent; while `status` is 500 it takes nothing."""

    received: list[dict[str, Any]]
    answer: list[int]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(self.answer[0])
        self.end_headers()
        if self.answer[0] == 200:
            self.received.append(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


@pytest.fixture
def inbox() -> Iterator[tuple[str, list[dict[str, Any]], list[int]]]:
    """The address of a webhook, what it has received, and what it answers."""
    received: list[dict[str, Any]] = []
    answer = [200]
    with http_server(Inbox, received=received, answer=answer) as url:
        yield url.replace("http://", "json://"), received, answer


def with_fleet(folder: Path, more: str) -> Settings:
    settings = settings_in(folder, more)
    made.fill(open_lake(settings), ["V1", "V2"], 14)
    return settings


def with_target(folder: Path, address: str) -> Settings:
    (folder / "targets").write_text(address)
    return with_fleet(folder, WEEKLY.replace('folder = "reports"', 'targets_file = "targets"'))


def deliver(settings: Settings, now: datetime) -> list[str]:
    return deliver_due(open_lake(settings), settings, now)


def test_the_last_whole_week_and_month_are_due(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, '[reports]\nweekly = ["fleet"]\nmonthly = ["consumption"]\n')
    assert due(settings, MONDAY) == [
        Due("fleet", "fleet-2026-W41", date(2026, 10, 5), date(2026, 10, 11)),
        Due("consumption", "consumption-2026-09", date(2026, 9, 1), date(2026, 9, 30)),
    ]


def test_a_report_is_due_at_its_local_time_and_not_before(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, '[reports]\nweekly = ["fleet"]\nat = "07:00"\n')
    early = due(settings, MONDAY - timedelta(seconds=1))
    assert [each.name for each in (*early, *due(settings, MONDAY))] == ["fleet-2026-W40", "fleet-2026-W41"]


def test_a_report_lies_in_the_folder_once(tmp_path: Path) -> None:
    settings = with_fleet(tmp_path, WEEKLY)
    assert deliver(settings, MONDAY) == ["fleet-2026-W41"]
    assert [path.name for path in (tmp_path / "reports").iterdir()] == ["fleet-2026-W41.html"]
    assert deliver(settings, MONDAY + timedelta(days=6)) == []
    assert deliver(settings, MONDAY + timedelta(days=7)) == ["fleet-2026-W42"]


def test_a_target_gets_the_file_and_the_figures(
    tmp_path: Path, inbox: tuple[str, list[dict[str, Any]], list[int]]
) -> None:
    address, received, _ = inbox
    settings = with_target(tmp_path, address)
    assert deliver(settings, MONDAY) == ["fleet-2026-W41"]
    assert deliver(settings, MONDAY + timedelta(hours=1)) == []
    (message,) = received
    assert message["title"] == "voltrail: Fleet, Oct 5, 2026 to Oct 11, 2026"
    assert "Trips: 42" in message["message"]
    assert [each["filename"] for each in message["attachments"]] == ["fleet-2026-W41.html"]


def test_a_mail_has_the_page_attached(tmp_path: Path) -> None:
    with mail_server() as (port, received):
        settings = with_target(
            tmp_path, f"mailto://127.0.0.1:{port}?from=fleet@example.org&to=boss@example.org&mode=insecure"
        )
        assert deliver(settings, MONDAY) == ["fleet-2026-W41"]
    (mail,) = received
    (attached,) = (part for part in mail.walk() if part.get_filename())
    assert attached.get_filename() == "fleet-2026-W41.html"
    page = attached.get_payload(decode=True)
    assert isinstance(page, bytes)
    assert page.startswith(b"<!doctype html>")


def test_what_failed_is_told_and_tried_again_later_and_then_arrives_once(
    tmp_path: Path, inbox: tuple[str, list[dict[str, Any]], list[int]]
) -> None:
    address, received, answer = inbox
    settings, answer[0] = with_target(tmp_path, address), 500
    assert deliver(settings, MONDAY) == []
    told = [each.text for each in causes(open_lake(settings), settings, MONDAY) if each.kind == "Report not sent"]
    assert told == [
        "the report fleet-2026-W41 could not be sent: the target took no message: check its address and password"
    ]
    answer[0] = 200
    assert deliver(settings, MONDAY + timedelta(minutes=14)) == [], "a failure waits"
    assert deliver(settings, MONDAY + timedelta(minutes=15)) == ["fleet-2026-W41"]
    assert deliver(settings, MONDAY + timedelta(hours=5)) == []
    assert len(received) == 1
    assert not [each for each in causes(open_lake(settings), settings, MONDAY) if each.kind == "Report not sent"]


def test_one_target_that_fails_does_not_make_the_other_get_it_twice(tmp_path: Path) -> None:
    (tmp_path / "targets").write_text("json://one\njson://two\n")
    settings = with_fleet(tmp_path, WEEKLY.replace('folder = "reports"', 'targets_file = "targets"'))
    sent: list[str] = []

    def send(place: Destination, report: Made) -> None:
        if place.address == "json://two" and not sent.count("json://two") and len(sent) < 2:
            sent.append("failed")
            raise LoggerError("down")
        sent.append(place.address)

    for hours in range(3):
        deliver_due(open_lake(settings), settings, MONDAY + timedelta(hours=hours), send)
    assert sent == ["json://one", "failed", "json://two"]


def test_a_delivery_that_was_cut_off_is_never_sent_to_people_again(tmp_path: Path) -> None:
    settings = with_target(tmp_path, "json://people")
    (each,), (place,) = due(settings, MONDAY), destinations(settings)
    note(settings, each, place, Delivery("begun", MONDAY))
    assert deliver(settings, MONDAY + timedelta(hours=8)) == []
    assert [delivery.state for delivery in read_deliveries(settings.data_dir).values()] == ["unsure"]
    assert "may not have arrived" in str(causes(open_lake(settings), settings, MONDAY))


def test_a_delivery_into_a_folder_that_was_cut_off_is_done_again(tmp_path: Path) -> None:
    settings = with_fleet(tmp_path, WEEKLY)
    (each,), (place,) = due(settings, MONDAY), destinations(settings)
    note(settings, each, place, Delivery("begun", MONDAY))
    assert deliver(settings, MONDAY) == ["fleet-2026-W41"]


def test_an_address_is_not_written_down(tmp_path: Path) -> None:
    settings = with_target(tmp_path, "json://user:secret@127.0.0.1:1/")
    deliver(settings, MONDAY)
    assert b"secret" not in (settings.data_dir / "reports.json").read_bytes()


def test_without_knowing_what_was_sent_nothing_is(tmp_path: Path) -> None:
    settings = with_fleet(tmp_path, WEEKLY)
    (settings.data_dir / "reports.json").write_text("{")
    with pytest.raises(ConfigError, match="does not tell which reports were sent"):
        deliver(settings, MONDAY)


def test_reports_without_a_place_to_go_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere to send them: set `folder` or `targets_file`"):
        destinations(settings_in(tmp_path, '[reports]\nweekly = ["fleet"]\n'))
