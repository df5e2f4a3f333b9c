"""A period is a year, a month, a week, a day or days."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from dashboards.reports.make import open_data, report
from dashboards.reports.period import Period, parse_period
from logger.errors import ConfigError
from logger.settings.schema import Settings
from logger.stores import open_lake

PERIODS = {
    "2026": (date(2026, 1, 1), date(2026, 12, 31)),
    "2026-12": (date(2026, 12, 1), date(2026, 12, 31)),
    "2028-02": (date(2028, 2, 1), date(2028, 2, 29)),
    "2026-W41": (date(2026, 10, 5), date(2026, 10, 11)),
    "2026-10-05": (date(2026, 10, 5), date(2026, 10, 5)),
    "2026-10-05..2026-10-07": (date(2026, 10, 5), date(2026, 10, 7)),
    "2026-10..2026-11": (date(2026, 10, 1), date(2026, 11, 30)),
}


@pytest.mark.parametrize("text", PERIODS)
def test_a_period_is_read(text: str) -> None:
    assert parse_period(text, "--period") == Period(*PERIODS[text])


@pytest.mark.parametrize("text", ["yesterday", "2026-13", "2026-W54", "2026-02-30", "26-10", "..", "2026-1"])
def test_what_is_no_period_is_an_error_that_shows_the_forms(text: str) -> None:
    with pytest.raises(ConfigError, match=r"--period .* is no period: write it as 2026, 2026-10"):
        parse_period(text, "--period")


def test_a_period_that_ends_before_it_begins_is_an_error() -> None:
    with pytest.raises(ConfigError, match="ends before it begins"):
        parse_period("2026-11..2026-10", "--compare")


def test_a_period_begins_and_ends_at_local_midnight() -> None:
    day, zone = Period(date(2026, 10, 25), date(2026, 10, 25)), ZoneInfo("Europe/Berlin")
    assert day.since(zone).astimezone(UTC) == datetime(2026, 10, 24, 22, tzinfo=UTC)
    assert day.until(zone).astimezone(UTC) == datetime(2026, 10, 25, 23, tzinfo=UTC), "a day of 25 hours"


def test_the_usual_period_ends_with_the_newest_day(fleet: Settings) -> None:
    assert open_data(open_lake(fleet), fleet).period == Period(date(2026, 9, 15), date(2026, 10, 14))


def test_two_periods_stand_beside_each_other(fleet: Settings) -> None:
    data = open_data(open_lake(fleet), fleet, parse_period("2026-10-01..2026-10-04", "--period"))
    found = report("consumption", data, parse_period("2026-10-01..2026-10-02", "--compare"))
    rows = next(table.rows for table in found.tables if table.name == "comparison")
    trips = rows.filter(figure="trips").row(0, named=True)
    assert (trips["this"], trips["other"], trips["change"]) == ("48", "24", 100.0)


def test_only_reports_of_a_period_compare(fleet: Settings) -> None:
    with pytest.raises(ConfigError, match="battery-health speaks of how things stand"):
        report("battery-health", open_data(open_lake(fleet), fleet), parse_period("2026", "--compare"))
