"""A satellite receiver: correlated error, jitter, reflections, and sometimes no fix."""

import math
from random import Random

import msgspec

from logger.simulator.vehicle.environment import degrees

_RANGE_M = 2.6  # error of a range measurement; times hdop it is the error of a position
_JITTER_M, _HEIGHT_M = 1.2, 5.0
_RIDING_S, _PARKED_S = 40.0, 2400.0  # how long an error lasts: reflections change with the street, or hardly at all
_NO_FIX, _REFLECTED = 0.22, 0.0015  # how often: where the most of the sky is hidden; anywhere
_GOOD_HDOP, _OBSTRUCTED_HDOP = 0.75, 2.4


class Fix(msgspec.Struct, frozen=True):
    """One position as the receiver gives it; without a fix, zeros or nothing."""

    at: float
    valid: bool
    lat_deg: float | None
    lon_deg: float | None
    satellites: int
    hdop: float
    altitude_m: float


class Gps:
    """One receiver and its present error."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._east, self._north, self._up = (chance.gauss(0, 1) for _ in range(3))
        self._at = 0.0

    def fix(self, at: float, x_m: float, y_m: float, height_m: float, obstruction: float, parked: bool) -> Fix:
        """Return the position received at this moment; `obstruction` is the hidden share of the sky."""
        self._change_error(at, parked)
        if self._chance.random() < _NO_FIX * max(0.0, obstruction - 0.6) / 0.4:
            return self.no_fix(at)
        return self.measure(at, x_m, y_m, height_m, obstruction, self._chance)

    def _change_error(self, at: float, parked: bool) -> None:
        """Let the error drift since the last fix (a Gauss-Markov process)."""
        kept = math.exp(-(at - self._at) / (_PARKED_S if parked else _RIDING_S))
        fresh = math.sqrt(1 - kept * kept)
        self._at = at
        self._east = self._east * kept + fresh * self._chance.gauss(0, 1)
        self._north = self._north * kept + fresh * self._chance.gauss(0, 1)
        self._up = self._up * kept + fresh * self._chance.gauss(0, 1)

    def no_fix(self, at: float) -> Fix:
        """Return what the receiver gives without a fix: zeros or nothing, and now and then zeros marked as valid."""
        kind = self._chance.random()
        coordinate = None if kind < 0.3 else 0.0
        return Fix(at, kind > 0.97, coordinate, coordinate, self._chance.randrange(0, 4), 25.5, 0.0)

    def measure(self, at: float, x_m: float, y_m: float, height_m: float, obstruction: float, chance: Random) -> Fix:
        """Return a valid fix with the present error; nothing of the receiver changes but the state of `chance`."""
        hdop = _GOOD_HDOP + _OBSTRUCTED_HDOP * obstruction * obstruction + chance.expovariate(8)
        spread_m = hdop * _RANGE_M
        x_m += self._east * spread_m + chance.gauss(0, _JITTER_M)
        y_m += self._north * spread_m + chance.gauss(0, _JITTER_M)
        if chance.random() < _REFLECTED * (1 + 4 * obstruction):
            far_m, turn = chance.uniform(60, 350), chance.uniform(0, math.tau)
            x_m, y_m, hdop = x_m + far_m * math.cos(turn), y_m + far_m * math.sin(turn), hdop + chance.uniform(0, 6)
        satellites = max(4, round(13 - 7 * obstruction + chance.gauss(0, 1)))
        altitude_m = height_m + self._up * _HEIGHT_M * hdop + chance.gauss(0, 1)
        return Fix(at, True, *degrees(x_m, y_m), satellites, hdop, altitude_m)
