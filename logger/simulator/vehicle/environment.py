"""Where simulated mopeds ride, and the weather there: the same for every vehicle of a seed.

Height, view of the sky and mobile network depend on the position only. A hill is therefore the same hill on every
trip, and a loop ends at the height where it began.
"""

import math
from collections.abc import Callable
from functools import cache
from random import Random

import msgspec

DAY_S = 86_400
BLOCK_M = 120.0  # from one junction to the next
REACH = 25  # junctions from the middle of the town to its edge
_LAT_DEG, _LON_DEG = 54.85, 2.35  # the Dogger Bank, a part of the North Sea where nobody lives
_M_PER_DEG = 111_320.0
_M_PER_DEG_EAST = _M_PER_DEG * math.cos(math.radians(_LAT_DEG))
_WOBBLE_M = 22.0  # the largest distance of a junction from a regular grid
_HILLS_M = (5200.0, 3100.0, 1700.0, 900.0, 450.0)  # wave lengths
_SLOPE = 0.017  # amplitude of the slope of each wave: the sum has a standard deviation of about 2 %
_MEAN_C, _SEASON_C = 11.0, 8.0  # a temperate coast
Field = Callable[[float, float], float]


class Weather(msgspec.Struct, frozen=True):
    """One day's mean temperature and half its daily range [degC], wind to the east and north [m/s], rain."""

    mean_c: float
    swing_c: float
    east_ms: float
    north_ms: float
    wet: bool


def _random_field(chance: Random, lengths_m: tuple[float, ...], amplitude: Callable[[float], float]) -> Field:
    """Return a smooth random function of the position: one wave of each length in a random direction."""
    waves = []
    for length_m in lengths_m:
        turn, number = chance.uniform(0, math.tau), math.tau / length_m
        phase = chance.uniform(0, math.tau)
        waves.append((amplitude(number), number * math.cos(turn), number * math.sin(turn), phase))
    sin = math.sin

    def field(x_m: float, y_m: float) -> float:
        total = 0.0
        for height, east, north, phase in waves:
            total += height * sin(east * x_m + north * y_m + phase)
        return total

    return field


class Environment:
    """A town with hills, streets, network and weather. Positions are metres east (x) and north (y) of its middle."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        chance = Random(f"{seed} world")
        self.height_m: Field = _random_field(chance, _HILLS_M, lambda number: _SLOPE / number)
        self._buildings = _random_field(chance, (1400.0, 610.0, 260.0), lambda _: 0.33)
        self._masts = _random_field(chance, (2600.0, 1150.0, 380.0), lambda _: 0.33)
        self._weather: dict[int, Weather] = {}

    def junction(self, i: int, j: int) -> tuple[float, float]:
        """Return the position where street number i crosses street number j [m]."""
        east = _WOBBLE_M * math.sin(1.7 * i + 2.3 * j + self._seed)
        north = _WOBBLE_M * math.sin(2.9 * i - 1.3 * j + 2 * self._seed)
        return i * BLOCK_M + east, j * BLOCK_M + north

    def sky_obstruction(self, x_m: float, y_m: float) -> float:
        """Return the share of the sky that buildings hide: 0 in the open, 1 in a narrow street of high houses."""
        return min(1.0, max(0.0, 0.3 + 0.9 * self._buildings(x_m, y_m)))

    def network_strength(self, x_m: float, y_m: float) -> float:
        """Return the strength of the mobile network: 1 is good, 0 or less is none."""
        return 0.80 + self._masts(x_m, y_m)

    def weather(self, day: int) -> Weather:
        """Return the weather of this day, counted from 1970."""
        if day not in self._weather:
            chance = Random(f"{self._seed} weather {day}")
            season_c = -_SEASON_C * math.cos(math.tau * ((day - 18) % 365.25) / 365.25)  # coldest in mid January
            wind_ms, turn = chance.weibullvariate(4.5, 2), chance.uniform(0, math.tau)
            self._weather[day] = Weather(
                _MEAN_C + season_c + chance.gauss(0, 3),
                chance.uniform(2, 6),
                wind_ms * math.cos(turn),
                wind_ms * math.sin(turn),
                chance.random() < 0.25,
            )
        return self._weather[day]

    def ambient_c(self, at: float) -> float:
        """Return the air temperature at this moment [epoch s]; the warmest hour is 15 h."""
        first, second, share = self._surrounding_days(at)
        mean_c = first.mean_c + (second.mean_c - first.mean_c) * share
        swing_c = first.swing_c + (second.swing_c - first.swing_c) * share
        return mean_c + swing_c * math.sin(math.tau * (share - 9 / 24))

    def wind_ms(self, at: float) -> tuple[float, float]:
        """Return the wind to the east and to the north at a rider's height: 0.6 of the wind at ten metres."""
        first, second, share = self._surrounding_days(at)
        east = first.east_ms + (second.east_ms - first.east_ms) * share
        north = first.north_ms + (second.north_ms - first.north_ms) * share
        return 0.6 * east, 0.6 * north

    def _surrounding_days(self, at: float) -> tuple[Weather, Weather, float]:
        """Return the weather of this day and the next, and the share of the day that has passed."""
        day, seconds = divmod(at, DAY_S)
        return self.weather(int(day)), self.weather(int(day) + 1), seconds / DAY_S


@cache
def environment(seed: int) -> Environment:
    """Return the environment of this seed; vehicles share it, because nothing that they do changes it."""
    return Environment(seed)


def degrees(x_m: float, y_m: float) -> tuple[float, float]:
    """Return latitude and longitude of a position."""
    return _LAT_DEG + y_m / _M_PER_DEG, _LON_DEG + x_m / _M_PER_DEG_EAST


def is_night(at: float) -> bool:
    """Return whether lights must be on at this moment [epoch s]."""
    return not 7 <= at % DAY_S / 3600 < 19
