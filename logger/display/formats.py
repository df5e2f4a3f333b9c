"""Numbers, intervals, money and dates as a reader of this locale writes them."""

import math
from datetime import UTC, date, datetime, tzinfo

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, parse_pattern

from logger.display.texts import Texts
from logger.display.units import Unit, units
from logger.settings.schema import Display

NOTHING = "–"  # where there is no value
_GAP = "\N{NO-BREAK SPACE}"
_MOST = 1e12  # from here on a number is written with a power of ten
_PATTERNS = [parse_pattern(f"#,##0.{'0' * digits}".rstrip(".")) for digits in range(5)]  # digits after the point
_CODE = "¤¤\N{NO-BREAK SPACE}#,##0.00"


class Formats:
    """How values are written: by `[display]`, in the currency of `[tariffs]`, at the local time of the collector."""

    def __init__(self, display: Display, currency: str = "", zone: tzinfo = UTC) -> None:
        self.texts = Texts(display.language)
        self.locale = Locale.parse(display.locale.replace("-", "_"))
        self._units, self._display = units(display.units), display
        self._currency, self._zone = currency, zone

    @property
    def tag(self) -> str:
        """The locale as browsers name it, such as `de-AT`."""
        return str(self.locale).replace("_", "-")

    def unit(self, unit: str) -> Unit:
        """Return the unit that is shown for this unit of the tables."""
        return Unit(self._currency) if unit == "money" else self._units[unit]

    def number(self, value: float | None, unit: str = "number") -> str:
        """Return a value of the tables as a number in the unit that is shown, without its sign."""
        if value is None or not math.isfinite(value):
            return NOTHING
        if unit == "money":
            return self.money(value)
        shown = self.unit(unit)
        return self._decimal(shown.converted(value), shown.digits)

    def _decimal(self, value: float, digits: int | None) -> str:
        if abs(value) >= _MOST:
            return f"{value:.3g}"
        if digits is None:
            digits = 0 if abs(value) >= 1000 else 1 if abs(value) >= 10 else 2
        rounded = round(value, digits) + 0.0  # and no -0
        if rounded == int(rounded):
            digits = 0
        return str(_PATTERNS[digits].apply(rounded, self.locale))

    def value(self, value: float | None, unit: str) -> str:
        """Return a value of the tables with the sign of its unit."""
        if value is None or not math.isfinite(value):
            return NOTHING
        sign = "" if unit == "money" else self.unit(unit).sign
        return f"{self.number(value, unit)}{_GAP if sign else ''}{sign}"

    def interval(self, low: float | None, high: float | None, unit: str) -> str:
        """Return the ends of an interval; an end that is not known is left open."""
        if low is None and high is None:
            return ""
        if low is None or high is None:
            key, end = ("unit.at_most", high) if low is None else ("unit.at_least", low)
            return self.texts(key, value=self.number(end, unit))
        return self.texts("unit.range", low=self.number(low, unit), high=self.number(high, unit))

    def money(self, value: float) -> str:
        """Return an amount in the currency of `[tariffs]`."""
        if not self._currency or abs(value) >= _MOST:  # so large an amount cannot be rounded to cents
            return f"{self._decimal(value, 2)}{_GAP}{self._currency}".rstrip()
        pattern = _CODE if self._display.currency == "code" else None
        return str(format_currency(value, self._currency, pattern, locale=self.locale))

    def day(self, day: date) -> str:
        """Return a day, such as `Nov 30, 2026`."""
        return str(format_date(day, "medium", locale=self.locale))

    def local(self, moment: datetime) -> datetime:
        """Return this moment at the local time of the collector."""
        return moment.astimezone(self._zone)

    def moment(self, moment: datetime) -> str:
        """Return a moment to the minute, such as `Nov 30, 2026, 18:12`."""
        local = self.local(moment)
        return f"{self.day(local.date())}, {local:%H:%M}"

    def age(self, seconds: float) -> str:
        """Return a span of time in the largest unit of which there are two."""
        for size, key in ((86_400, "unit.days"), (3600, "unit.hours"), (60, "unit.minutes")):
            if seconds >= 2 * size:
                return self.texts(key, number=self.number(seconds / size, "1"))
        return self.texts("unit.seconds", number=self.number(max(0.0, seconds), "1"))
