"""Real recordings as rows of raw tables; they stay outside the project."""

import csv
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from logger.signals import SIGNALS
from tests.cases.reports.situations import Situation
from tests.cases.reports.story import Row

_FIELDS: Mapping[str, str] = {  # of the rides, whose columns are called as their recorders call them
    "Soc": "soc_pct", "Speed": "speed_kmh", "speed": "speed_kmh", "LAT": "lat_deg", "LON": "lon_deg",
    "ALT": "altitude_m", "battery_level": "soc_pct", "totaldistance": "odometer_m", "voltage": "voltage_v",
}  # fmt: skip
_OFTEN_MS = 1000


def situations(folder: Path) -> list[Situation]:
    """One for each recording below this folder, thinned to a row a second."""
    paths = [path for name in ("rides", "recordings") for path in sorted((folder / name).glob("*.csv"))]
    read = {path.stem: list(_rows(path)) for path in paths if not path.stem.endswith(".known")}
    return [Situation(rows, (), name) for name, rows in read.items()]


def _rows(path: Path) -> Iterator[Row]:
    last = datetime.min.replace(tzinfo=UTC)
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            at = _moment(row)
            if abs((at - last).total_seconds()) * 1000 >= _OFTEN_MS or row.get("vehicle", "").startswith("ccs"):
                last = at
                own = {"vehicle": row["vehicle"]} if row.get("vehicle", "").startswith("ccs") else {}
                yield {"time": at, **own, **dict(_signals(row))}


def _moment(row: Mapping[str, str]) -> datetime:
    """Local times as if they were UTC: what matters here is what follows what."""
    if "Date" in row:
        month, day, year = row["Date"].split("/")
        return datetime.fromisoformat(f"{year}-{month:0>2}-{day:0>2}T{row['Time']}+00:00")
    text = row["time"] if "T" in row["time"] else f"{row['date']}T{row['time']}"
    return datetime.fromisoformat(text.removesuffix("Z") + "+00:00")


_PARSERS: Mapping[str, Callable[[str], object]] = {"float": float, "bool": lambda text: text == "true", "enum": str}


def _signals(row: Mapping[str, str]) -> Iterator[tuple[str, object]]:
    for name, text in row.items():
        signal = SIGNALS.get(_FIELDS.get(name, name))
        if signal and text and signal.type in _PARSERS and not (name == "Mode"):
            yield signal.name, _PARSERS[signal.type](text)


def frames(situation: Situation) -> dict[str, pl.DataFrame]:
    """Its rows by raw table."""
    return situation.frames(situation.rows)
