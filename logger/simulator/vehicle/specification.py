"""What differs from one simulated moped to the next: its build, its firmware, its clock."""

from random import Random

import msgspec

from logger.simulator.vehicle.motion import Body

PRIVATE = 100_000  # mopeds with this number or a higher one belong to a private person


class Specification(msgspec.Struct, frozen=True):
    """One moped's own properties. None of them is known outside the simulator before scoring."""

    private: bool  # belongs to one rider: charged by cable at home, its packs are never swapped
    ports: int  # packs side by side
    nominal_ah: float  # of each pack
    body: Body
    odometer_factor: float  # metres that the odometer shows for a metre of road
    unlocked_w: float  # electronics while unlocked and standing
    locked_w: float  # electronics while locked
    clock_offset_s: float
    clock_drift_ppm: float
    standing_interval_s: int  # between two status pushes while unlocked and standing
    reports_locking: bool  # pushes a status as soon as the lock changes; others wait for the next regular one
    mode_0_when_locked: bool  # reports speed mode 0 while locked
    range_kind: str  # computed from: `fine` (unrounded percent), `whole` (whole percent), `recent` (recent use)
    range_field: str  # the vendor spells it two ways
    trace_field: str  # opId or resId
    voltage_age_s: int  # how much older the voltage is than the power in one answer
    buffer_size: int  # messages kept while there is no network
    gps_time_as_text: bool


def draw_specification(chance: Random, number: int) -> Specification:
    """Draw the properties of the moped of this number; every fourth has two packs, every fifth a wrong clock."""
    ports = 2 if number % 4 == 0 else 1
    return Specification(
        body=_draw_body(chance, ports),
        odometer_factor=chance.gauss(1.0, 0.012),
        private=number >= PRIVATE,
        ports=ports,
        nominal_ah=20.0 if ports == 2 else 30.0,
        unlocked_w=chance.uniform(9, 14),
        locked_w=chance.uniform(0.4, 0.9) if chance.random() > 0.08 else chance.uniform(2.5, 5),
        clock_offset_s=_draw_clock_offset_s(chance, number),
        clock_drift_ppm=chance.gauss(0, 25 if _has_wrong_clock(number) else 2),
        standing_interval_s=chance.choice((10, 10, 60)),
        reports_locking=chance.random() < 0.8,
        mode_0_when_locked=chance.random() < 0.5,
        range_kind=chance.choices(("fine", "whole", "recent"), (5, 3, 2))[0],
        range_field=chance.choice(("remainingRange", "remainderRange")),
        trace_field=chance.choice(("opId", "resId")),
        voltage_age_s=chance.choice((0, 0, 1, 3)),
        buffer_size=chance.choice((0, 6, 20)),
        gps_time_as_text=chance.random() < 0.5,
    )


def _draw_body(chance: Random, ports: int) -> Body:
    return Body(
        mass_kg=chance.gauss(104, 2) + 6 * (ports - 1),
        area_m2=chance.gauss(0.65, 0.02),
        rolling=max(0.013, chance.gauss(0.0165, 0.0012)),
        regen_w=350.0 if chance.random() < 0.8 else 0.0,
    )


def _has_wrong_clock(number: int) -> bool:
    return number % 5 == 3


def _draw_clock_offset_s(chance: Random, number: int) -> float:
    if not _has_wrong_clock(number):
        return 0.0
    return chance.choice((-1, 1)) * chance.choice((40, 95, 400, 3600)) * chance.uniform(0.9, 1.1)
