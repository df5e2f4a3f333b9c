"""What simulated clouds of car makers share: cars that obey physics, failures by schedule, counts of calls.

A car is a private vehicle of the simulated fleet, seen as such a cloud sees it: by what it reported last.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from email.utils import formatdate

import msgspec

from logger.simulator.cloud.cloud import CALLS, Request
from logger.simulator.cloud.failures import Failure, FailureSchedule, Reply, apply_failure
from logger.simulator.vehicle.fleet import Simulation
from logger.simulator.vehicle.specification import PRIVATE

JSON = {"Content-Type": "application/json"}
_KWH_PER_AH = 0.048  # of a pack at its nominal voltage


class Report(msgspec.Struct, frozen=True):
    """What a car last reported: percent, range [m], odometer [m], position [°], and when [epoch s]."""

    percent: int
    range_m: float
    odometer_m: float
    charging: bool
    locked: bool
    at: int
    lat_deg: float | None
    lon_deg: float | None
    position_at: int
    capacity_kwh: float


class VendorCloud:
    """A vendor's cloud for some cars, by the vendor's id. `calls` counts by word and car, `forbidden` by path.

    `now` is the simulated moment [epoch s], `clock` that of the `Date` header.
    """

    def __init__(
        self,
        cars: Mapping[str, Simulation],
        now: Callable[[], float],
        *,
        failures: Sequence[Failure] = (),
        seed: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.cars, self.now, self._clock = cars, now, clock
        self._failures = FailureSchedule(tuple(failures), seed)
        self.calls: Counter[tuple[str, str]] = Counter()
        self.forbidden: Counter[str] = Counter()

    def answer(self, request: Request) -> Reply:
        """Return the answer to this call, or its failure."""
        if request.path == CALLS:
            calls = [[*key, count] for key, count in sorted(self.calls.items())]
            return Reply(200, msgspec.json.encode({"calls": calls, "forbidden": self.forbidden}), JSON)
        word, car = self.name(request)
        if not word:
            self.forbidden[f"{request.method} {request.path}"] += 1
            return document({"error": "not found"}, 404)
        self.calls[word, car] += 1
        failure = self._failures.next(word, car, self.now())
        fails = failure is not None and failure.kind == "http"  # then nothing has happened at the vendor's
        reply = Reply(500, b"") if fails else self.reply(word, car, request)
        reply = apply_failure(failure, reply) if failure else reply
        return msgspec.structs.replace(reply, headers={**reply.headers, "Date": formatdate(self._clock(), usegmt=True)})

    def name(self, request: Request) -> tuple[str, str]:
        """The word and the car of this call; no word for a call that this cloud does not have."""
        raise NotImplementedError

    def reply(self, word: str, car: str, request: Request) -> Reply:
        """The answer where nothing fails."""
        raise NotImplementedError

    def report(self, car: str) -> Report:
        """What this car has reported by now."""
        simulation = self.cars[car]
        simulation.advance(self.now())
        return last_report(simulation)


def last_report(simulation: Simulation) -> Report:
    """What the cloud received last of this simulated vehicle."""
    status, location = (simulation.moped.last_received[name] for name in ("status", "location"))
    fixed = location["locationStatus"] == "valid"
    specification = simulation.moped.specification
    return Report(
        percent=int(status["powerPercent"]),
        range_m=10.0 * float(status.get("remainingRange") or status["remainderRange"]),
        odometer_m=float(status["odometer"]),
        charging=status["charging"] == "true",
        locked=status["locked"] == "true",
        at=int(status["statusUtcTime"]),
        lat_deg=float(location["latitude"]) if fixed else None,
        lon_deg=float(location["longitude"]) if fixed else None,
        position_at=int(location["gpsUtcTime"]),
        capacity_kwh=round(_KWH_PER_AH * specification.nominal_ah * specification.ports, 3),
    )


def cars(numbers: Sequence[int], seed: int, start_at: int, days: int) -> list[Simulation]:
    """Return private vehicles of the simulated town, which their owners charge at home."""
    return [Simulation(PRIVATE + number, seed, start_at, days) for number in numbers]


def document(content: object, status: int = 200, **headers: str) -> Reply:
    """Return this as a JSON answer."""
    return Reply(status, msgspec.json.encode(content), {**JSON, **headers})
