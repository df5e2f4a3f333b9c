"""What a vehicle truly does, leg after leg, and the rows in which it tells of it."""

import math
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

LAT, LON, DEGREE_M = 58.3, 26.7, 111_195
STEPS: Mapping[str, float] = {"odometer_m": 1, "soc_pct": 1, "ride_time_s": 1, "pack_soc_pct": 1}  # told rounded down
DIGITS: Mapping[str, int] = {"lat_deg": 6, "lon_deg": 6, "speed_kmh": 0, "power_w": 0, "energy_wh": 0, "voltage_v": 1}
Row = dict[str, Any]


def at(text: str) -> datetime:
    """`05-12 08:30` or `2025-12-31 23:40`, UTC; the year is 2026 where none is told."""
    return datetime.fromisoformat(text if text[4] == "-" else f"2026-{text}").replace(tzinfo=UTC)


class Leg(msgspec.Struct, frozen=True):
    """A span in which numbers change evenly and all else stays; `kind` is `stand`, `drive`, `charge` or `carry`."""

    kind: str
    begin_s: float
    end_s: float
    state: Mapping[str, Any]
    change: Mapping[str, float]

    def true(self, second: float) -> Row:
        """What is true at this second of the story."""
        share = (second - self.begin_s) / (self.end_s - self.begin_s)
        return {**self.state, **{name: self.state[name] + share * by for name, by in self.change.items()}}


class Story:
    """The legs of one vehicle since `begin`; signals that are given here are known of it, and hold until they change.

    `north_m` and `east_m` are its place; `odometer_m`, `soc_pct`, `ride_time_s` and `energy_wh` change on the way.
    """

    def __init__(self, begin: str, **state: Any) -> None:
        self.begin = at(begin)
        self.state: Row = {
            "odometer_m": 41_276_400.0, "ride_time_s": 3_612_000.0, "soc_pct": 80.0, "north_m": 0.0, "east_m": 0.0,
            "speed_kmh": 0.0, "moving": False, "locked": True, "charging": False, "plugged": False, **state,
        }  # fmt: skip
        self.legs: list[Leg] = []

    # ---- what it does ----------------------------------------------------------------------------------------------

    def goes_on(self, kind: str, minutes: float, change: Mapping[str, float], **meanwhile: Any) -> "Story":
        """So long; `meanwhile` holds on this leg only."""
        begin_s = self.legs[-1].end_s if self.legs else 0.0
        leg = Leg(kind, begin_s, begin_s + 60 * minutes, {**self.state, **meanwhile}, change)
        self.legs.append(leg)
        self.state = {**self.state, **{name: self.state[name] + by for name, by in change.items()}}
        return self

    def stands(self, minutes: float, pct: float = 0.0, **meanwhile: Any) -> "Story":
        """Parked; `pct` is what the percent rises by, below 0 where it falls."""
        return self.goes_on("stand", minutes, {"soc_pct": pct}, **meanwhile)

    def drives(self, minutes: float, km: float, pct: float = 0.0, **meanwhile: Any) -> "Story":
        """Straight on to the north at one speed, and uses so many percent."""
        change = {"odometer_m": 1000 * km, "north_m": 1000 * km, "soc_pct": -pct, "ride_time_s": 60 * minutes}
        driving = {"moving": True, "locked": False, "speed_kmh": 60 * km / minutes}
        return self.goes_on("drive", minutes, change, **(driving | meanwhile))

    def charges(self, minutes: float, pct: float, **meanwhile: Any) -> "Story":
        """At a cable."""
        return self.goes_on("charge", minutes, {"soc_pct": pct}, **({"charging": True, "plugged": True} | meanwhile))

    def is_carried(self, minutes: float, km: float, **meanwhile: Any) -> "Story":
        """On a ferry or a lorry, to the east."""
        return self.goes_on("carry", minutes, {"east_m": 1000 * km}, **meanwhile)

    def from_now(self, **state: Any) -> "Story":
        """This holds from now on."""
        self.state |= state
        return self

    # ---- what it tells ---------------------------------------------------------------------------------------------

    def told(
        self, *signals: str, every_s: float, driving_s: float | None = None, steps: Mapping[str, float] = {}
    ) -> list[Row]:
        """A row at the begin of each leg and in such intervals on it, `driving_s` on drives; numbers rounded down."""
        rows = []
        for leg in self.legs:
            pause_s = driving_s if driving_s and leg.kind == "drive" else every_s
            count = math.ceil((leg.end_s - leg.begin_s) / pause_s - 1e-9)
            rows += [self._row(leg, leg.begin_s + place * pause_s, signals, steps) for place in range(count)]
        return [*rows, self._row(self._at_rest(), self.legs[-1].end_s, signals, steps)]

    def polled(self, *signals: str, every_s: float, first_s: float = 0.0, steps: Mapping[str, float] = {}) -> list[Row]:
        """A row in such intervals from this second of the story on, whatever the vehicle does."""
        rows, second = [], first_s
        for leg in self.legs:
            while second < leg.end_s:
                rows.append(self._row(leg, second, signals, steps))
                second += every_s
        return rows

    def _at_rest(self) -> Leg:
        end_s = self.legs[-1].end_s
        return Leg("stand", end_s, end_s + 1, self.state, {})

    def _row(self, leg: Leg, second: float, signals: Sequence[str], steps: Mapping[str, float]) -> Row:
        true = leg.true(second)
        true["lat_deg"] = LAT + true["north_m"] / DEGREE_M
        true["lon_deg"] = LON + true["east_m"] / (DEGREE_M * math.cos(math.radians(LAT)))
        values = {name: _shown(name, true[name], steps) for name in signals if name in true}
        return {"time": self.begin + timedelta(seconds=second), **values}


def _shown(name: str, value: Any, steps: Mapping[str, float]) -> Any:
    step = {**STEPS, **steps}.get(name)
    if value is None or isinstance(value, bool | str):
        return value
    if step:
        return round(math.floor(value / step + 1e-6) * step, 6)
    return round(value, DIGITS[name]) if name in DIGITS else value


# ---- what happens to rows on their way -----------------------------------------------------------------------------


def between(row: Row, since: str, until: str) -> bool:
    """Whether the row is of this span, its end left out."""
    return bool(at(since) <= row["time"] < at(until))


def lacking(rows: Iterable[Row], since: str, until: str, *signals: str) -> list[Row]:
    """Without these signals in this span; without the rows where none is named."""
    if not signals:
        return [row for row in rows if not between(row, since, until)]
    return [{name: value for name, value in row.items() if name not in signals} if between(row, since, until)
            else row for row in rows]  # fmt: skip


def changed(rows: Iterable[Row], since: str, until: str, **values: Any) -> list[Row]:
    """With these values in this span."""
    return [row | values if between(row, since, until) else row for row in rows]


def frozen(rows: Iterable[Row], since: str, until: str, *signals: str) -> list[Row]:
    """As a cloud tells it that goes on with what it heard last before this span."""
    kept: list[Row] = []
    last: Row = {}
    for row in rows:
        if not between(row, since, until):
            last = {name: row[name] for name in signals if name in row}
        kept.append(row | last if between(row, since, until) else row)
    return kept


def renewed(rows: Iterable[Row], signal: str, when: Callable[[Row, Row], bool]) -> list[Row]:
    """As a cloud tells it that renews a signal only where this holds of the row before and the row."""
    told: list[Row] = []
    last: Row = {}
    value: Any = None
    for row in rows:
        value = row[signal] if not last or when(last, row) else value
        told.append(row | {signal: value})
        last = row
    return told


def shaken(rows: Iterable[Row], metres: float, seed: int = 1) -> list[Row]:
    """With positions that scatter by so much (standard deviation)."""
    dice = random.Random(seed)
    return [_moved(row, dice.gauss(0, metres), dice.gauss(0, metres)) for row in rows]


def _moved(row: Row, north_m: float, east_m: float) -> Row:
    if row.get("lat_deg") is None:
        return row
    east = east_m / (DEGREE_M * math.cos(math.radians(LAT)))
    return row | {"lat_deg": round(row["lat_deg"] + north_m / DEGREE_M, 6), "lon_deg": round(row["lon_deg"] + east, 6)}


def every_nth(rows: Iterable[Row], n: int, first: int = 0, **values: Any) -> Iterator[Row]:
    """With these values in each n-th row."""
    return (row | values if place % n == first else row for place, row in enumerate(rows))
