"""A figure: what was measured, how often, and its limits; and the table of all figures."""

import platform
import statistics
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from os import cpu_count
from typing import Literal

import msgspec

_PACKAGES = ("uvicorn", "granian", "fastapi", "polars", "deltalake", "influxdb-client", "pandas")


class Figure(msgspec.Struct, frozen=True):
    """Measurements in `unit`, of which the median counts; `better` is more or less, a `bar` or `aim` of 0 is none.

    Without measurements, the figure was left out.
    """

    what: str
    values: Sequence[float]
    unit: str = ""
    better: Literal["more", "less"] = "more"
    bar: float = 0
    aim: float = 0

    @property
    def median(self) -> float:
        """The value that counts."""
        return statistics.median(self.values)

    @property
    def verdict(self) -> str:
        """`ok` if the bar is reached, `below` if not; and whether the aim is reached."""
        if not self.bar or not self.values:
            return ""
        if not self._reaches(self.bar):
            return "below"
        return "ok, and the aim" if self.aim and self._reaches(self.aim) else "ok"

    @property
    def cells(self) -> tuple[str, ...]:
        """The cells of its line in the table."""
        if not self.values:
            return self.what, "left out", "0", self._limit(self.bar), self._limit(self.aim), self.verdict
        spread = f" ({_short(min(self.values))} – {_short(max(self.values))})" if len(self.values) > 1 else ""
        figure = f"{_short(self.median)} {self.unit}".strip() + spread
        return self.what, figure, str(len(self.values)), self._limit(self.bar), self._limit(self.aim), self.verdict

    def _reaches(self, limit: float) -> bool:
        return self.median >= limit if self.better == "more" else self.median <= limit

    def _limit(self, limit: float) -> str:
        return f"{'≥' if self.better == 'more' else '≤'} {_short(limit)}" if limit else ""


def pairs(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """Return the ratio of each pair of measurements made one after the other."""
    return [a / b for a, b in zip(above, below, strict=True)]


def table(figures: Sequence[Figure]) -> Iterator[str]:
    """Yield all figures as lines of one table, and below it the machine and the versions."""
    rows = [
        ("what", "median (lowest – highest)", "runs", "bar", "aim", "verdict"),
        *(figure.cells for figure in figures),
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for number, row in enumerate(rows):
        yield "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        if number == 0:
            yield "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    yield ""
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    yield f"{datetime.now(UTC):%Y-%m-%d}, {cpu_count()} cores, Python {platform.python_version()}, {packages}"


def _short(value: float) -> str:
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"
