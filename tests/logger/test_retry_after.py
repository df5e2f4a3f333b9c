import time
from email.utils import formatdate

import pytest

from logger.retry_after import parse_retry_after_s

LONGEST_S = 600


@pytest.mark.parametrize(("text", "seconds"), [("0", 0), ("45", 45), ("600", 600), ("99999999999999999999", 600)])
def test_seconds_are_taken_up_to_the_longest_wait(text: str, seconds: float) -> None:
    assert parse_retry_after_s(text, LONGEST_S) == seconds


@pytest.mark.parametrize(("offset_s", "low", "high"), [(90, 88, 90), (-90, 0, 0), (86_400, 600, 600)])
def test_a_date_is_the_time_until_then_and_never_negative(offset_s: int, low: float, high: float) -> None:
    seconds = parse_retry_after_s(formatdate(time.time() + offset_s, usegmt=True), LONGEST_S)
    assert seconds is not None
    assert low <= seconds <= high


@pytest.mark.parametrize("text", ["", "soon", "-5", "1.5", "²", "٣", "Mon, 99 Foo 2026 00:00:00 GMT"])
def test_anything_else_is_none(text: str) -> None:
    assert parse_retry_after_s(text, LONGEST_S) is None
