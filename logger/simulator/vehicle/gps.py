"""What a satellite receiver says of a position: correlated error, jitter, reflections, and sometimes nothing."""

import math
from random import Random

import msgspec

from logger.simulator.vehicle.world import degrees

_RANGE_M = 2.6  # error of a range measurement; times hdop it is the error of a position
_JITTER_M, _HEIGHT_M = 1.2, 5.0
_RIDING_S, _PARKED_S = 40.0, 2400.0  # how long an error lasts: reflections change with the street, or hardly at all
_NO_FIX, _REFLECTED = 0.22, 0.0015  # in the deepest canyon; anywhere
_GOOD_HDOP, _CANYON_HDOP = 0.75, 2.4


class Fix(msgspec.Struct, frozen=True):
    """One answer of the receiver; without a fix the position is what the receiver makes of that."""

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

    def fix(self, at: float, x_m: float, y_m: float, height_m: float, hidden: float, parked: bool) -> Fix:
        """The position as received at this moment; `hidden` is how much of the sky houses hide."""
        chance = self._chance
        kept = math.exp(-(at - self._at) / (_PARKED_S if parked else _RIDING_S))
        fresh = math.sqrt(1 - kept * kept)
        self._at = at
        self._east = self._east * kept + fresh * chance.gauss(0, 1)
        self._north = self._north * kept + fresh * chance.gauss(0, 1)
        self._up = self._up * kept + fresh * chance.gauss(0, 1)
        if chance.random() < _NO_FIX * max(0.0, hidden - 0.6) / 0.4:
            return self.none(at)
        return self._seen(at, x_m, y_m, height_m, hidden, chance)

    def peek(self, at: float, x_m: float, y_m: float, height_m: float, hidden: float, chance: Random) -> Fix:
        """A fix for somebody who asks; the receiver's own story goes on as if nobody had."""
        return self._seen(at, x_m, y_m, height_m, hidden, chance)

    def none(self, at: float) -> Fix:
        """No fix: zeros, or nothing at all, and now and then zeros that call themselves valid."""
        kind = self._chance.random()
        place = None if kind < 0.3 else 0.0
        return Fix(at, kind > 0.97, place, place, self._chance.randrange(0, 4), 25.5, 0.0)

    def _seen(self, at: float, x_m: float, y_m: float, height_m: float, hidden: float, chance: Random) -> Fix:
        hdop = _GOOD_HDOP + _CANYON_HDOP * hidden * hidden + chance.expovariate(8)
        spread_m = hdop * _RANGE_M
        x_m += self._east * spread_m + chance.gauss(0, _JITTER_M)
        y_m += self._north * spread_m + chance.gauss(0, _JITTER_M)
        if chance.random() < _REFLECTED * (1 + 4 * hidden):
            far_m, turn = chance.uniform(60, 350), chance.uniform(0, math.tau)
            x_m, y_m, hdop = x_m + far_m * math.cos(turn), y_m + far_m * math.sin(turn), hdop + chance.uniform(0, 6)
        satellites = max(4, round(13 - 7 * hidden + chance.gauss(0, 1)))
        altitude_m = height_m + self._up * _HEIGHT_M * hdop + chance.gauss(0, 1)
        return Fix(at, True, *degrees(x_m, y_m), satellites, hdop, altitude_m)
