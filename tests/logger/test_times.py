"""Times in text: every form of ISO 8601 that people write, one rule for epochs, and changes of clocks."""

from datetime import UTC, datetime, timedelta, timezone

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from logger.errors import ConfigError
from logger.times import epoch_ms, is_local, parse_moment, parse_times

EIGHT = datetime(2026, 10, 1, 8, tzinfo=UTC)
WITH_A_ZONE = [
    "2026-10-01T08:00Z",
    "2026-10-01T08:00:00Z",
    "2026-10-01 08:00:00z",
    "2026-10-01t08:00:00.000Z",
    "2026-10-01T10:00+02",
    "2026-10-01T10:00+0200",
    "2026-10-01 10:00:00,0 +02:00",
    "2026-10-01T04:30-03:30",
    "2026-10-01T08Z",
    "20261001T080000Z",
    " 2026-10-01T08:00Z ",
]
LOCAL = ["2026-10-01T10:00", "2026-10-01 10:00", "2026-10-01T10:00:00", "2026-10-01 10:00:00.0", "2026-10-01T10"]
NO_TIMES = ["", "noon", "yesterday", "1793527200", "2026-10", "2026-02-30", "2026-10-01T25:00", "2026-10-01T08:00 CET",
            "2026-10-01+02", "10:00", "01.10.2026", "2026-10-01T08:00Z!", "0000-01-01", "٢٠٢٦-10-01"]  # fmt: skip


def times(*texts: str, zone: str = "") -> list[datetime | None]:
    return parse_times(pl.Series(texts, dtype=pl.String), zone).to_list()


@pytest.mark.parametrize("text", WITH_A_ZONE)
def test_a_text_with_a_zone_is_one_moment_whatever_zone_is_given(text: str) -> None:
    assert times(text) == times(text, zone="Asia/Yakutsk") == [parse_moment(text, "Asia/Yakutsk")] == [EIGHT]


@pytest.mark.parametrize("text", LOCAL)
def test_a_local_time_needs_a_zone(text: str) -> None:
    assert times(text, zone="Europe/Berlin") == [parse_moment(text, "Europe/Berlin")] == [EIGHT]
    assert times(text) == [None]
    assert is_local(pl.Series([text])).to_list() == [True]


def test_a_date_alone_is_the_first_moment_of_its_day() -> None:
    midnight = datetime(2026, 9, 30, 22, tzinfo=UTC)
    for text in ("2026-10-01", "20261001"):
        assert times(text, zone="Europe/Berlin") == [parse_moment(text, "Europe/Berlin")] == [midnight]


def test_a_day_without_a_midnight_begins_when_clocks_were_put_forward() -> None:
    moment = datetime(2024, 4, 25, 22, tzinfo=UTC)
    assert times("2024-04-26", zone="Africa/Cairo") == [parse_moment("2024-04-26", "Africa/Cairo")] == [moment]


def test_an_hour_that_comes_twice_is_its_first_pass_and_one_that_is_skipped_is_no_time_of_a_file() -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert times("2026-10-25T02:30", zone="Europe/Berlin") == [first]
    assert parse_moment("2026-10-25T02:30", "Europe/Berlin") == first
    assert times("2026-03-29T02:30", zone="Europe/Berlin") == [None]
    assert parse_moment("2026-03-29T02:30", "Europe/Berlin") == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize("text", NO_TIMES)
def test_anything_else_is_no_time(text: str) -> None:
    assert times(text) == times(text, zone="UTC") == [None]
    assert is_local(pl.Series([text])).to_list() == [False]
    with pytest.raises(ConfigError, match="is no day or moment such as 2026-10-01 or 2026-10-01T08:00Z"):
        parse_moment(text, "UTC")


def test_a_moment_beyond_the_calendar_is_an_error_and_no_crash() -> None:
    assert parse_moment("9999-12-31", "UTC").year == 9999
    with pytest.raises(ConfigError, match="is no day or moment"):
        parse_moment("9999-12-31T23:00-02:00", "UTC")


def test_an_unknown_zone_is_named() -> None:
    for parse in (lambda: times("2026-10-01", zone="Mars/Base"), lambda: [parse_moment("2026-10-01", "Mars/Base")]):
        with pytest.raises(ConfigError, match="no zone 'Mars/Base': write one such as Europe/Berlin"):
            parse()


def test_a_series_keeps_its_order_and_its_nulls() -> None:
    texts = pl.Series(["2026-10-01T08:00Z", None, "noon", "2026-10-01 10:00"])
    assert parse_times(texts, "Europe/Berlin").to_list() == [EIGHT, None, None, EIGHT]
    assert parse_times(texts.clear()).dtype == pl.Datetime("ms", "UTC")


@given(
    st.timedeltas(timedelta(days=-20_000), timedelta(days=20_000)).map(lambda since: EIGHT + since),
    st.integers(-14 * 60, 14 * 60),
    st.sampled_from(["T", " "]),
    st.sampled_from(["minutes", "seconds", "milliseconds", "microseconds"]),
)
@example(EIGHT, -210, " ", "minutes")
def test_every_moment_that_python_writes_is_read_to_the_millisecond(
    moment: datetime, offset_min: int, separator: str, precision: str
) -> None:
    text = moment.astimezone(timezone(timedelta(minutes=offset_min))).isoformat(separator, precision)
    exact = datetime.fromisoformat(text)
    expected = exact.replace(microsecond=exact.microsecond // 1000 * 1000)
    assert times(text) == [parse_moment(text, "UTC")] == [expected]


@pytest.mark.parametrize(
    ("number", "milliseconds"),
    [
        (1793527200, 1_793_527_200_000),
        (1793527200.5, 1_793_527_200_500),
        (1793527200123, 1_793_527_200_123),
        (99_999_999_999, 99_999_999_999_000),
        (100_000_000_000, 100_000_000_000),
        (99_999_999_999_999, 99_999_999_999_999),
        (1e14, None),
        (1793527200123456, None),
        (0, 0),
        (-5, -5000),
        (-1e14, None),
        (float("nan"), None),
        (float("inf"), None),
        (None, None),
    ],
)
def test_an_epoch_is_seconds_or_milliseconds_by_its_size(number: float | None, milliseconds: int | None) -> None:
    assert pl.select(epoch_ms(pl.lit(number, dtype=pl.Float64))).to_series().to_list() == [milliseconds]
