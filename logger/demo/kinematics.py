"""A small fleet that rides, parks and is swapped full again, and what it pushes: deterministic by its seed.

Kinematic only: speeds and distances are consistent, energy is a constant per kilometre.
"""

import math
import random
from collections.abc import Iterator

import msgspec

DAY_S = 86_400
_PUSH_S, _PARKED_PUSH_S = 10, 900  # the vendor's cadence while riding and while locked
_PERCENT_PER_M = 100 / 45_000
_LATE_S = (20, 900)
_HOME = (52.0, 5.0)  # nowhere in particular
_DEG_PER_M = 1 / 111_320


class Push(msgspec.Struct, frozen=True):
    """One message: when it is sent and what it says (unsigned), by the last word of its path."""

    sent_at: float
    path: str
    fields: dict[str, str]


class Truth(msgspec.Struct):
    """What really happened to one vehicle, metres driven since its first reading included."""

    vehicle: str
    driven_m: float = 0.0
    rides: int = 0
    made: int = 0
    lost: int = 0
    late: int = 0
    repeated: int = 0


class Scooter:
    """One vehicle over some days; `pushes` makes its messages in the order of its own clock."""

    def __init__(self, number: int, seed: int, start_at: int, days: int) -> None:
        self._random = random.Random(f"{seed} {number}")
        self.vehicle = f"{860_000_000_000_000 + number:015d}"
        self.truth = Truth(self.vehicle)
        self._start_at, self._days = start_at, days
        self._at = float(start_at)
        self._odometer = float(self._random.randrange(50_000, 4_000_000))
        self._begin_m = math.floor(self._odometer)
        self._riding_s = self._odometer / 6
        self._percent = self._random.uniform(60, 100)
        self._speed_kmh, self._heading, self._locked = 0.0, self._random.uniform(0, 2 * math.pi), True
        self._lat, self._lon = (each + self._random.uniform(-0.03, 0.03) for each in _HOME)

    def pushes(self) -> Iterator[tuple[float, str, dict[str, str]]]:
        """(device time [epoch s], path, fields) of everything the vehicle says."""
        for day in range(self._days):
            begin = self._start_at + day * DAY_S
            rides = sorted(self._random.uniform(6 * 3600, 22 * 3600) for _ in range(self._random.randrange(2, 6)))
            for ride in rides:
                yield from self._park_until(begin + ride)
                yield from self._ride(self._random.uniform(240, 1500))
        yield from self._park_until(self._start_at + self._days * DAY_S)
        self.truth.driven_m = math.floor(self._odometer) - self._begin_m

    def _park_until(self, end: float) -> Iterator[tuple[float, str, dict[str, str]]]:
        while self._at + _PARKED_PUSH_S < end:
            self._at += _PARKED_PUSH_S
            if self._percent < 20:
                self._percent = 100.0
                yield self._event("components", type="1", status="1")
                yield self._event("alert", alertStatus="0", code="10")
                self._at += 40
                yield self._event("alert", alertStatus="1", code="10")
            yield self._status()
            yield self._location()

    def _ride(self, duration: float) -> Iterator[tuple[float, str, dict[str, str]]]:
        self._at += _PUSH_S
        self._locked = False
        self.truth.rides += 1
        end = self._at + duration
        while self._at < end:
            yield self._status()
            yield self._location()
            self._move(_PUSH_S)
        self._speed_kmh, self._locked = 0.0, True
        yield self._status()
        if self._random.random() < 0.05:
            code = self._random.choice(("E5", "14", "38"))
            yield self._event("fault", faultStatus="0", code=code)
            self._at += 60
            yield self._event("fault", faultStatus="1", code=code)

    def _move(self, seconds: float) -> None:
        self._at += seconds
        wanted = self._random.choice((0, 18, 25, 25, 40))
        self._speed_kmh += (wanted - self._speed_kmh) * 0.5
        metres = self._speed_kmh / 3.6 * seconds
        self._heading += self._random.uniform(-0.4, 0.4)
        self._odometer += metres
        self._riding_s += seconds
        self._percent = max(1.0, self._percent - metres * _PERCENT_PER_M)
        self._lat += metres * math.cos(self._heading) * _DEG_PER_M
        self._lon += metres * math.sin(self._heading) * _DEG_PER_M / math.cos(math.radians(self._lat))

    def _status(self) -> tuple[float, str, dict[str, str]]:
        fields = {
            "online": "true",
            "locked": str(self._locked).lower(),
            "lockVoltage": str(self._random.randrange(405, 416)),
            "networkSignal": str(self._random.randrange(12, 30)),
            "charging": "false",
            "powerPercent": str(math.floor(self._percent)),
            "speedMode": "2",
            "speed": str(round(self._speed_kmh)),
            "odometer": str(math.floor(self._odometer)),
            "remainingRange": str(math.floor(self._percent / _PERCENT_PER_M / 10)),
            "totalRidingSecs": str(math.floor(self._riding_s)),
        }
        return self._event("status", **fields)

    def _location(self) -> tuple[float, str, dict[str, str]]:
        fields = {
            "locationStatus": "valid",
            "latitude": f"{self._lat + self._random.gauss(0, 3) * _DEG_PER_M:.6f}",
            "longitude": f"{self._lon + self._random.gauss(0, 3) * _DEG_PER_M:.6f}",
            "satelliteNumber": str(self._random.randrange(6, 14)),
            "hdop": f"{self._random.uniform(0.7, 2.0):.2f}",
            "altitude": f"{self._random.gauss(12, 2):.1f}",
            "gpsUtcTime": str(int(self._at)),
        }
        return self._at, "location", fields

    def _event(self, path: str, **fields: str) -> tuple[float, str, dict[str, str]]:
        return self._at, path, {**fields, "statusUtcTime": str(int(self._at))}


def fleet(vehicles: int, seed: int, start_at: int, days: int) -> list[Scooter]:
    """So many scooters whose story begins at `start_at` [epoch s]."""
    return [Scooter(number, seed, start_at, days) for number in range(1, vehicles + 1)]


def sent(scooter: Scooter, seed: int, lost: float = 0.01, late: float = 0.02, repeated: float = 0.01) -> list[Push]:
    """What of a scooter's pushes goes over the wire: some never, some late, some twice; counted in its truth."""
    chance = random.Random(f"{seed} {scooter.vehicle} wire")
    pushes: list[Push] = []
    for at, path, fields in scooter.pushes():
        scooter.truth.made += 1
        fate = chance.random()
        if fate < lost:
            scooter.truth.lost += 1
            continue
        delay = chance.uniform(*_LATE_S) if fate < lost + late else 0.0
        scooter.truth.late += delay > 0
        pushes.append(Push(at + delay, path, fields))
        if chance.random() < repeated:
            scooter.truth.repeated += 1
            pushes.append(Push(at + delay + 5, path, fields))
    return pushes
