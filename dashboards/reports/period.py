"""The period of a report: a year, a month, a week, a day, or two days with all between them."""

import re
from datetime import date, datetime, time, timedelta, tzinfo

import msgspec

from logger.errors import ConfigError

USUAL = timedelta(days=30)
_DAY = timedelta(days=1)


class Period(msgspec.Struct, frozen=True):
    """Local days from `first` to `last`, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    def since(self, zone: tzinfo) -> datetime:
        """The moment at which it begins in this zone."""
        return datetime.combine(self.first, time(), zone)

    def until(self, zone: tzinfo) -> datetime:
        """The moment at which it is over in this zone."""
        return datetime.combine(self.last + _DAY, time(), zone)


def parse_period(text: str, option: str) -> Period:
    """Return a year, month, week or day such as `2026-W41`, or days such as `2026-10-05..2026-10-11`.

    `option` is named in the error. Raises `ConfigError`.
    """
    begin, _, end = text.partition("..")
    try:
        first, last = _period(begin), _period(end or begin)
    except ValueError as error:
        forms = "2026, 2026-10, 2026-W41, 2026-10-05 or 2026-10-05..2026-10-11"
        raise ConfigError(f"{option} {text!r} is no period: write it as {forms}") from error
    if last.last < first.first:
        raise ConfigError(f"{option} {text!r} ends before it begins")
    return Period(first.first, last.last)


def _period(text: str) -> Period:
    if re.fullmatch(r"\d{4}", text):
        return Period(date(int(text), 1, 1), date(int(text), 12, 31))
    if re.fullmatch(r"\d{4}-\d\d", text):
        return month_of(date.fromisoformat(f"{text}-01"))
    if re.fullmatch(r"\d{4}-W\d\d", text):
        return week_of(date.fromisoformat(text))
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return Period(date.fromisoformat(text), date.fromisoformat(text))
    raise ValueError(text)


def month_of(day: date) -> Period:
    """Return the month of this day."""
    first = day.replace(day=1)
    after = (first + timedelta(days=32)).replace(day=1)
    return Period(first, after - _DAY)


def week_of(day: date) -> Period:
    """Return the week of this day, from Monday to Sunday."""
    first = day - timedelta(days=day.weekday())
    return Period(first, first + timedelta(days=6))


def usual_period(newest: date) -> Period:
    """Return the thirty days up to this one."""
    return Period(newest - USUAL + _DAY, newest)
