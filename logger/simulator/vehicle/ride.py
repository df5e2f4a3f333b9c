"""How a moped and its rider move: forces along the road, second by second, and where the energy goes.

The rider chooses the next speed; the forces that this takes, with height from the place itself, give the energy at the
wheel, the losses of drive and brake, and so the power at the battery's terminals. So energy is conserved by
construction: terminals = drag + rolling + drive + brake + auxiliaries + gain of height + gain of speed.
"""

import math
from random import Random

import msgspec

from logger.simulator.vehicle.streets import Path
from logger.simulator.vehicle.world import World, is_night

_G = 9.81
_CREEP_MS, _WALK_MS = 1.2, 0.8  # the last metre to a stop; no slower up any hill: the rider pushes with the feet
_DRIVE_W, _DRIVE, _DRIVE_PER_W = 25.0, 0.11, 1.2e-5  # loss of motor and controller: idle, per watt, per watt squared
_REGEN, _REGEN_MIN_MS = 0.65, 3.0  # share that comes back to the terminals; too slow to bother below
_COLD_ROLLING, _WET_ROLLING = 0.006, 1.04  # per degree below 20 degC; on a wet road
_LIGHTS_W = (18.0, 30.0)  # day and night: lights, dashboard, controller
MODES_MS = {1: 25 / 3.6, 2: 38 / 3.6, 3: 45 / 3.6}  # what the speed modes allow


class Body(msgspec.Struct, frozen=True):
    """What of a moped matters to its motion."""

    mass_kg: float = 104.0  # with packs
    spinning_kg: float = 5.0  # what wheels and rotor add to the mass when it speeds up
    area_m2: float = 0.65  # drag coefficient times frontal area, with a rider
    rolling: float = 0.0165  # coefficient of rolling resistance at 20 degC
    motor_w: float = 3000.0  # at the terminals
    regen_w: float = 350.0  # at the wheel; 0 where the controller has none


class Rider(msgspec.Struct, frozen=True):
    """Who rides, and how."""

    mass_kg: float
    passenger_kg: float
    pace: float  # of the limit
    thrust_ms2: float
    brake_ms2: float
    mode: int


class Book(msgspec.Struct):
    """Where the energy of a ride went [J]; `kinetic` and `climb` are signed gains."""

    terminal_j: float = 0.0  # net, out of the battery
    drag_j: float = 0.0
    rolling_j: float = 0.0
    drive_j: float = 0.0
    brake_j: float = 0.0
    auxiliary_j: float = 0.0
    climb_j: float = 0.0
    kinetic_j: float = 0.0
    way_m: float = 0.0
    ascent_m: float = 0.0
    moving_s: float = 0.0

    @property
    def residual_j(self) -> float:
        """What the terminals gave beyond all that it went into: zero but for rounding."""
        spent_j = self.drag_j + self.rolling_j + self.drive_j + self.brake_j + self.auxiliary_j
        return self.terminal_j - spent_j - self.climb_j - self.kinetic_j


def rider(chance: Random) -> Rider:
    """Somebody: heavy or light, patient or not, one in twelve with a passenger."""
    return Rider(
        min(105.0, max(48.0, chance.gauss(77, 13))),
        chance.uniform(45, 85) if chance.random() < 0.08 else 0.0,
        chance.uniform(0.86, 1.0),
        min(2.2, max(0.6, chance.gauss(1.3, 0.35))),
        min(2.8, max(1.0, chance.gauss(1.7, 0.35))),
        chance.choices((1, 2, 3), (1, 3, 16))[0],
    )


class Motion:
    """One ride. `step` is a second of it, `stand` any time without motion; what the last one was is in the fields."""

    def __init__(self, world: World, body: Body, who: Rider, path: Path, at: float, chance: Random) -> None:
        self.path, self.book = path, Book()
        self.speed_ms, self.way_m, self.power_w, self.stop_s = 0.0, 0.0, 0.0, 0.0
        self._body, self._who, self._chance = body, who, chance
        self._height = world.height_m
        self.height_m = self._height(path.x_m, path.y_m)
        ambient_c = world.ambient_c(at)
        load_kg = body.mass_kg + who.mass_kg + who.passenger_kg
        wet = _WET_ROLLING if world.day(int(at // 86_400)).wet else 1.0
        self._weight_n = load_kg * _G
        self._inertia_kg = load_kg + body.spinning_kg
        self._rolling_n = self._weight_n * body.rolling * wet * (1 + _COLD_ROLLING * max(0.0, 20 - ambient_c))
        self._drag = 0.5 * 1.2929 * 273.15 / (273.15 + ambient_c) * body.area_m2  # density of air at sea level
        self._wind = world.wind_ms(at)
        self.auxiliary_w = _LIGHTS_W[is_night(at)]
        self._top_ms, self._mood, self._grade = MODES_MS[who.mode], 0.0, 0.0

    def step(self, limit_w: float) -> bool:
        """One second with at most so much power; whether it ended in a stop."""
        before = self.speed_ms
        after = self._speed(before, limit_w)
        way = self.way_m = (before + after) / 2
        stop_s = self.path.move(way)
        height = self._height(self.path.x_m, self.path.y_m)
        rise = height - self.height_m
        self.height_m, self.speed_ms = height, after
        wheel_j = self._forces(way, rise, before, after)
        self._grade = rise / way if way > 0.5 else 0.0
        self.power_w = self._electric(wheel_j, before)
        if stop_s is None:
            return False
        self.stop_s = stop_s
        self.halt()
        return True

    def stand(self, seconds: float) -> None:
        """Lights and controller go on."""
        self.power_w = self.auxiliary_w
        self.book.auxiliary_j += self.power_w * seconds
        self.book.terminal_j += self.power_w * seconds

    def _speed(self, before: float, limit_w: float) -> float:
        """What the rider wants, and then what motor, hill and wind allow."""
        who, path = self._who, self.path
        block = path.block
        self._mood += 0.03 * self._chance.gauss(0, 1) - 0.12 * self._mood
        top = min(block.limit_ms * who.pace, self._top_ms) * (1 + self._mood)
        room = path.room_m - before
        brake = who.brake_ms2
        allowed = math.sqrt(block.exit_ms * block.exit_ms + 2 * brake * room) if room > 0 else block.exit_ms
        thrust = who.thrust_ms2 * (1 - 0.04 * before)
        wanted = max(_CREEP_MS, min(top, allowed, before + thrust))
        way = (before + wanted) / 2
        air = way + self._headwind()
        need_n = self._drag * air * abs(air) + self._rolling_n + self._weight_n * self._grade
        left_j = limit_w * (1 - _DRIVE) - _DRIVE_W - need_n * way
        able = before * before + 2 * left_j / self._inertia_kg
        return min(wanted, max(_WALK_MS, math.sqrt(able) if able > 0 else 0.0))

    def _forces(self, way: float, rise: float, before: float, after: float) -> float:
        """What the wheel must give for this second [J]."""
        air = way + self._headwind()
        drag = self._drag * air * abs(air) * way
        rolling = self._rolling_n * way
        climb = self._weight_n * rise
        kinetic = self._inertia_kg * (after * after - before * before) / 2
        book = self.book
        book.drag_j += drag
        book.rolling_j += rolling
        book.climb_j += climb
        book.kinetic_j += kinetic
        book.way_m += way
        book.moving_s += 1
        if rise > 0:
            book.ascent_m += rise
        return drag + rolling + climb + kinetic

    def _headwind(self) -> float:
        """Against the rider [m/s], in gusts that follow the rider's mood for want of a reason."""
        block = self.path.block
        return -(self._wind[0] * block.east + self._wind[1] * block.north) * (1 + 4 * self._mood)

    def _electric(self, wheel_w: float, speed_ms: float) -> float:
        """Power at the terminals [W], positive out of the battery."""
        book = self.book
        power = self.auxiliary_w
        book.auxiliary_j += power
        if wheel_w >= 0:
            loss = _DRIVE_W + wheel_w * (_DRIVE + _DRIVE_PER_W * wheel_w)
            book.drive_j += loss
            power += wheel_w + loss
        else:
            taken = min(-wheel_w, self._body.regen_w) if speed_ms > _REGEN_MIN_MS else 0.0
            book.brake_j -= wheel_w + taken
            book.drive_j += taken * (1 - _REGEN)
            power -= taken * _REGEN
        book.terminal_j += power
        return power

    def halt(self) -> None:
        """The last of the speed goes into the brake."""
        gone = self._inertia_kg * self.speed_ms * self.speed_ms / 2
        self.book.kinetic_j -= gone
        self.book.brake_j += gone
        self.speed_ms = 0.0
