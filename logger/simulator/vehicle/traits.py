"""What differs from one simulated moped to the next: its build, its firmware, its clock."""

from random import Random

import msgspec

from logger.simulator.vehicle.ride import Body

PRIVATE = 100_000  # mopeds numbered from here on are kept by somebody


class Traits(msgspec.Struct, frozen=True):
    """One moped's own. None of it is told to anybody before scoring."""

    private: bool  # one rider's own: charged by cable at home, its packs are never swapped
    ports: int  # packs side by side
    nominal_ah: float  # of each pack
    body: Body
    tyre: float  # metres that the odometer shows for a metre of road
    unlocked_w: float  # electronics while unlocked and standing
    locked_w: float  # ... while locked
    clock_offset_s: float
    clock_drift_ppm: float
    standing_s: int  # between two status pushes while unlocked on its stand
    tells_locking: bool  # pushes a status as soon as the lock changes; others wait for their next one
    locked_mode_0: bool  # says speed mode 0 while locked
    range_kind: str  # `fine` (of the percent before it is made whole), `whole` (of the percent), `recent` (of late use)
    range_name: str  # the vendor spells it two ways
    trace_name: str  # opId or resId
    skew_s: int  # how much older the voltage is than the power in one answer
    keeps: int  # messages kept while there is no network
    numbers_as_text: bool  # gpsUtcTime


def traits(chance: Random, number: int) -> Traits:
    """Of this moped; every fourth has two packs, every fifth a clock that is wrong."""
    ports = 2 if number % 4 == 0 else 1
    wrong = number % 5 == 3
    body = Body(
        mass_kg=chance.gauss(104, 2) + 6 * (ports - 1),
        area_m2=chance.gauss(0.65, 0.02),
        rolling=max(0.013, chance.gauss(0.0165, 0.0012)),
        regen_w=350.0 if chance.random() < 0.8 else 0.0,
    )
    return Traits(
        private=number >= PRIVATE,
        ports=ports,
        nominal_ah=20.0 if ports == 2 else 30.0,
        body=body,
        tyre=chance.gauss(1.0, 0.012),
        unlocked_w=chance.uniform(9, 14),
        locked_w=chance.uniform(0.4, 0.9) if chance.random() > 0.08 else chance.uniform(2.5, 5),
        clock_offset_s=chance.choice((-1, 1)) * chance.choice((40, 95, 400, 3600)) * chance.uniform(0.9, 1.1)
        if wrong
        else 0.0,
        clock_drift_ppm=chance.gauss(0, 25) if wrong else chance.gauss(0, 2),
        standing_s=chance.choice((10, 10, 60)),
        tells_locking=chance.random() < 0.8,
        locked_mode_0=chance.random() < 0.5,
        range_kind=chance.choices(("fine", "whole", "recent"), (5, 3, 2))[0],
        range_name=chance.choice(("remainingRange", "remainderRange")),
        trace_name=chance.choice(("opId", "resId")),
        skew_s=chance.choice((0, 0, 1, 3)),
        keeps=chance.choice((0, 6, 20)),
        numbers_as_text=chance.random() < 0.5,
    )
