"""Units that a file may use, as (scale, offset) into the unit of a signal."""

from collections.abc import Mapping

from logger.errors import ConfigError
from logger.signals import signal
from logger.suggest import nearest

DEGREES_MINUTES = "deg min"  # a text such as `47 12.5`: degrees, and minutes of a degree
_LENGTH = {"m": 1.0, "km": 1000.0, "mi": 1609.344, "ft": 0.3048}  # international mile and foot, exact by definition
_SPEED = {"km/h": 1.0, "m/s": 3.6, "mph": 1.609344, "kn": 1.852}
_ENERGY = {"Wh": 1.0, "kWh": 1000.0, "J": 1 / 3600, "kJ": 1 / 3.6, "MJ": 1e6 / 3600}
_TIME = {"s": 1.0, "ms": 0.001, "min": 60.0, "h": 3600.0, "d": 86400.0}
_PRESSURE = {"kPa": 1.0, "bar": 100.0, "psi": 6.894757, "hPa": 0.1}
_FAMILIES: tuple[Mapping[str, float], ...] = (
    _LENGTH,
    _SPEED,
    _ENERGY,
    _TIME,
    _PRESSURE,
    {"V": 1.0, "mV": 0.001, "kV": 1000.0},
    {"A": 1.0, "mA": 0.001},
    {"W": 1.0, "kW": 1000.0},
    {"Ah": 1.0, "mAh": 0.001},
    {"%": 1.0, "fraction": 100.0, "1": 100.0},
    {"deg": 1.0, "rad": 57.29577951308232, DEGREES_MINUTES: 1.0},
    {"degC": 1.0, "degF": 5 / 9},
)
_ZERO = {"degF": -32 * 5 / 9}  # what 0 of a unit is in ours
_SPELLINGS = {
    "C": "degC", "°C": "degC", "F": "degF", "°F": "degF", "kmh": "km/h", "kph": "km/h", "mi/h": "mph", "miles": "mi",
    "percent": "%", "pct": "%", "°": "deg", "sec": "s", "hours": "h",
}  # fmt: skip


def conversion(name: str, unit: str) -> tuple[float, float]:
    """Return (scale, offset) from `unit` into the unit of this signal; a leading `-` turns the sign.

    A unit may have a number before it: `100 W`. Raises `ConfigError` for a unit that does not fit, naming those that
    do.
    """
    target = signal(name).unit
    sign = -1.0 if unit.startswith("-") else 1.0
    factor, written = _factor(unit.removeprefix("-"))
    plain = _SPELLINGS.get(written, written)
    family = next((units for units in _FAMILIES if target in units), {target: 1.0})
    if plain not in family:
        known = ", ".join(each for each in family if each) or "no unit"
        raise ConfigError(
            f"unit {unit!r} does not fit {name} [{target or 'no unit'}]{nearest(plain, family)}: one of {known}"
        )
    return sign * factor * family[plain] / family[target], sign * _ZERO.get(plain, 0.0)


def written_as(unit: str) -> frozenset[str]:
    """Return how people write this unit behind a number, in lower case."""
    plain = _factor(unit.removeprefix("-"))[1]
    ours = _SPELLINGS.get(plain, plain)
    return frozenset(each.lower() for each in (ours, *(word for word, of in _SPELLINGS.items() if of == ours)))


def _factor(unit: str) -> tuple[float, str]:
    """The number before a unit, 1 where there is none, and the unit."""
    number, _, plain = unit.partition(" ")
    try:
        return (float(number), plain) if plain else (1.0, unit)
    except ValueError:
        return 1.0, unit
