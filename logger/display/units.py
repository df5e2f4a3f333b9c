"""Units that people read: what each unit of the tables becomes, metric or imperial."""

from collections.abc import Mapping
from typing import Literal

import msgspec

MILE_KM = 1.609344  # international mile, exact by definition


class Unit(msgspec.Struct, frozen=True):
    """A unit that is shown: its sign, and `value × scale + offset`; `digits` after the point, None: as many as tell."""

    sign: str
    scale: float = 1.0
    offset: float = 0.0
    digits: int | None = None

    def converted(self, value: float) -> float:
        """Return a value of the tables in this unit."""
        return value * self.scale + self.offset


_METRIC: Mapping[str, Unit] = {
    "": Unit(""),
    "1": Unit("", digits=0),
    "number": Unit(""),
    "share": Unit("%", 100),
    "%": Unit("%"),
    "%/d": Unit("%/d"),
    "%/a": Unit("%/a"),
    "m": Unit("km", 1 / 1000),
    "km": Unit("km"),
    "km/d": Unit("km/d"),
    "km/h": Unit("km/h"),
    "km/%": Unit("km/%"),
    "Wh": Unit("kWh", 1 / 1000),
    "Wh/km": Unit("Wh/km"),
    "W": Unit("W"),
    "Ah": Unit("Ah"),
    "mOhm": Unit("mΩ"),
    "s": Unit("h", 1 / 3600),
    "h": Unit("h"),
    "degC": Unit("°C"),
    "deg": Unit("°", digits=4),
    "g": Unit("kg", 1 / 1000),
    "months": Unit("", digits=0),
}
_IMPERIAL: Mapping[str, Unit] = {
    **_METRIC,
    "m": Unit("mi", 1 / 1000 / MILE_KM),
    "km": Unit("mi", 1 / MILE_KM),
    "km/d": Unit("mi/d", 1 / MILE_KM),
    "km/h": Unit("mph", 1 / MILE_KM),
    "km/%": Unit("mi/%", 1 / MILE_KM),
    "Wh/km": Unit("Wh/mi", MILE_KM),
    "degC": Unit("°F", 1.8, 32.0),
    "g": Unit("lb", 1 / 453.59237),  # avoirdupois pound, exact by definition
}


def units(system: Literal["metric", "imperial"]) -> Mapping[str, Unit]:
    """Return the unit that is shown for each unit of the tables."""
    return _METRIC if system == "metric" else _IMPERIAL
