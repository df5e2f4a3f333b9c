"""The place where simulated mopeds ride and its weather, the same for every vehicle of a seed.

Height, sky and radio are functions of position alone: a hill is the same hill on every ride, and a loop ends at the
height where it began.
"""

import math
from collections.abc import Callable
from functools import cache
from random import Random

import msgspec

DAY_S = 86_400
BLOCK_M = 120.0  # from one junction to the next
REACH = 25  # junctions from the middle of the place to its edge
_LAT_DEG, _LON_DEG = 54.85, 2.35  # the Dogger Bank: land that drowned eight thousand years ago
_M_PER_DEG = 111_320.0
_M_PER_DEG_EAST = _M_PER_DEG * math.cos(math.radians(_LAT_DEG))
_WOBBLE_M = 22.0  # streets are not ruled lines
_HILLS_M = (5200.0, 3100.0, 1700.0, 900.0, 450.0)  # wave lengths
_SLOPE = 0.017  # amplitude of the slope of each wave: the sum has a standard deviation of about 2 %
_MEAN_C, _SEASON_C = 11.0, 8.0  # a temperate coast
Field = Callable[[float, float], float]


class Day(msgspec.Struct, frozen=True):
    """The weather of one day: mean temperature and half its daily range [degC], wind to the east and north [m/s]."""

    mean_c: float
    swing_c: float
    east_ms: float
    north_ms: float
    wet: bool


def _waves(chance: Random, lengths_m: tuple[float, ...], size: Callable[[float], float]) -> Field:
    """A smooth random field: one wave of each length in a random direction."""
    waves = []
    for length_m in lengths_m:
        turn, number = chance.uniform(0, math.tau), math.tau / length_m
        waves.append((size(number), number * math.cos(turn), number * math.sin(turn), chance.uniform(0, math.tau)))
    sin = math.sin

    def field(x_m: float, y_m: float) -> float:
        total = 0.0
        for height, east, north, phase in waves:
            total += height * sin(east * x_m + north * y_m + phase)
        return total

    return field


class World:
    """One place. Positions are metres east (x) and north (y) of its middle."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        chance = Random(f"{seed} world")
        self.height_m: Field = _waves(chance, _HILLS_M, lambda number: _SLOPE / number)
        self._walls = _waves(chance, (1400.0, 610.0, 260.0), lambda _: 0.33)
        self._masts = _waves(chance, (2600.0, 1150.0, 380.0), lambda _: 0.33)
        self._days: dict[int, Day] = {}

    def junction(self, i: int, j: int) -> tuple[float, float]:
        """Where the streets number i and j cross [m]."""
        east = _WOBBLE_M * math.sin(1.7 * i + 2.3 * j + self._seed)
        north = _WOBBLE_M * math.sin(2.9 * i - 1.3 * j + 2 * self._seed)
        return i * BLOCK_M + east, j * BLOCK_M + north

    def hidden(self, x_m: float, y_m: float) -> float:
        """How much of the sky houses hide: 0 open, 1 a canyon."""
        return min(1.0, max(0.0, 0.3 + 0.9 * self._walls(x_m, y_m)))

    def radio(self, x_m: float, y_m: float) -> float:
        """Strength of the mobile network: 1 good, below 0 none."""
        return 0.80 + self._masts(x_m, y_m)

    def day(self, number: int) -> Day:
        """The weather of this day since 1970."""
        if number not in self._days:
            chance = Random(f"{self._seed} weather {number}")
            season_c = -_SEASON_C * math.cos(math.tau * ((number - 18) % 365.25) / 365.25)  # coldest in mid January
            wind_ms, turn = chance.weibullvariate(4.5, 2), chance.uniform(0, math.tau)
            self._days[number] = Day(
                _MEAN_C + season_c + chance.gauss(0, 3),
                chance.uniform(2, 6),
                wind_ms * math.cos(turn),
                wind_ms * math.sin(turn),
                chance.random() < 0.25,
            )
        return self._days[number]

    def ambient_c(self, at: float) -> float:
        """Air temperature at this moment [epoch s], warmest at 15 h."""
        first, second, share = self._between(at)
        mean_c = first.mean_c + (second.mean_c - first.mean_c) * share
        swing_c = first.swing_c + (second.swing_c - first.swing_c) * share
        return mean_c + swing_c * math.sin(math.tau * (share - 9 / 24))

    def wind_ms(self, at: float) -> tuple[float, float]:
        """Wind at a rider's height, to the east and to the north: 0.6 of that at ten metres."""
        first, second, share = self._between(at)
        east = first.east_ms + (second.east_ms - first.east_ms) * share
        north = first.north_ms + (second.north_ms - first.north_ms) * share
        return 0.6 * east, 0.6 * north

    def _between(self, at: float) -> tuple[Day, Day, float]:
        number, seconds = divmod(at, DAY_S)
        return self.day(int(number)), self.day(int(number) + 1), seconds / DAY_S


@cache
def world(seed: int) -> World:
    """The place of this seed; vehicles share it because nothing that they do changes it."""
    return World(seed)


def degrees(x_m: float, y_m: float) -> tuple[float, float]:
    """Latitude and longitude of a position."""
    return _LAT_DEG + y_m / _M_PER_DEG, _LON_DEG + x_m / _M_PER_DEG_EAST


def is_night(at: float) -> bool:
    """Whether lights must be on at this moment [epoch s]."""
    return not 7 <= at % DAY_S / 3600 < 19
