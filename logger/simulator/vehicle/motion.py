"""How a moped and its rider move: forces along the road, second by second, and where the energy goes.

The rider chooses the next speed. The forces that this needs give the energy at the wheel, the losses of drive and
brake, and so the power at the battery's terminals. Energy is therefore conserved by construction:
terminals = drag + rolling + drive + brake + auxiliaries + gain of height + gain of speed.
"""

import math
from random import Random

import msgspec

from logger.simulator.vehicle.environment import DAY_S, Environment, is_night
from logger.simulator.vehicle.streets import Route

_G = 9.81
_CREEP_MS, _WALK_MS = 1.2, 0.8  # the last metre before a stop; the lowest speed uphill: the rider pushes with the feet
_DRIVE_W, _DRIVE, _DRIVE_PER_W = 25.0, 0.11, 1.2e-5  # loss of motor and controller: idle, per watt, per watt squared
_REGEN, _REGEN_MIN_MS = 0.65, 3.0  # share that comes back to the terminals; no regeneration below this speed
_COLD_ROLLING, _WET_ROLLING = 0.006, 1.04  # per degree below 20 degC; factor on a wet road
_LIGHTS_W = (18.0, 30.0)  # day and night: lights, dashboard, controller
MODES_MS = {1: 25 / 3.6, 2: 38 / 3.6, 3: 45 / 3.6}  # the top speed of each speed mode


class Body(msgspec.Struct, frozen=True):
    """The properties of a moped that matter to its motion."""

    mass_kg: float = 104.0  # with packs
    spinning_kg: float = 5.0  # mass equivalent of the rotation of wheels and rotor
    area_m2: float = 0.65  # drag coefficient times frontal area, with a rider
    rolling: float = 0.0165  # coefficient of rolling resistance at 20 degC
    motor_w: float = 3000.0  # at the terminals
    regen_w: float = 350.0  # at the wheel; 0 where the controller has none


class Rider(msgspec.Struct, frozen=True):
    """A rider's weight and manner of riding."""

    mass_kg: float
    passenger_kg: float
    pace: float  # share of the speed limit
    thrust_ms2: float
    brake_ms2: float
    mode: int


class EnergyBalance(msgspec.Struct):
    """Where the energy of a movement went [J]; `kinetic` and `climb` are signed gains."""

    terminal_j: float = 0.0  # net, out of the battery
    drag_j: float = 0.0
    rolling_j: float = 0.0
    drive_j: float = 0.0
    brake_j: float = 0.0
    auxiliary_j: float = 0.0
    climb_j: float = 0.0
    kinetic_j: float = 0.0
    distance_m: float = 0.0
    ascent_m: float = 0.0
    moving_s: float = 0.0

    @property
    def residual_j(self) -> float:
        """The energy from the terminals that no other entry explains: zero but for rounding."""
        spent_j = self.drag_j + self.rolling_j + self.drive_j + self.brake_j + self.auxiliary_j
        return self.terminal_j - spent_j - self.climb_j - self.kinetic_j


def draw_rider(chance: Random) -> Rider:
    """Draw a rider: heavy or light, patient or not, one in twelve with a passenger."""
    return Rider(
        min(105.0, max(48.0, chance.gauss(77, 13))),
        chance.uniform(45, 85) if chance.random() < 0.08 else 0.0,
        chance.uniform(0.86, 1.0),
        min(2.2, max(0.6, chance.gauss(1.3, 0.35))),
        min(2.8, max(1.0, chance.gauss(1.7, 0.35))),
        chance.choices((1, 2, 3), (1, 3, 16))[0],
    )


class Motion:
    """The movement along one route. `step` is a second of it, `stand` is any time without motion.

    Speed, distance and power of the last step are in the attributes.
    """

    def __init__(
        self, environment: Environment, body: Body, rider: Rider, route: Route, at: float, chance: Random
    ) -> None:
        self.route, self.balance = route, EnergyBalance()
        self.speed_ms, self.distance_m, self.power_w, self.stop_s = 0.0, 0.0, 0.0, 0.0
        self._body, self._rider, self._chance = body, rider, chance
        self._height_at = environment.height_m
        self.height_m = self._height_at(route.x_m, route.y_m)
        self._wind = environment.wind_ms(at)
        self.auxiliary_w = _LIGHTS_W[is_night(at)]
        self._top_ms = MODES_MS[rider.mode]
        self._pace_noise, self._grade = 0.0, 0.0  # random variation of the pace; the slope of the last step
        self._set_resistance(environment.ambient_c(at), environment.weather(int(at // DAY_S)).wet)

    def _set_resistance(self, ambient_c: float, wet: bool) -> None:
        """Compute weight, inertia, rolling resistance and drag; they stay the same during the movement."""
        body, rider = self._body, self._rider
        load_kg = body.mass_kg + rider.mass_kg + rider.passenger_kg
        self._weight_n = load_kg * _G
        self._inertia_kg = load_kg + body.spinning_kg
        cold = 1 + _COLD_ROLLING * max(0.0, 20 - ambient_c)
        self._rolling_n = self._weight_n * body.rolling * (_WET_ROLLING if wet else 1.0) * cold
        self._drag = 0.5 * 1.2929 * 273.15 / (273.15 + ambient_c) * body.area_m2  # density of air at sea level

    def step(self, limit_w: float) -> bool:
        """Move for one second with at most this power; return whether the moped stopped at a junction."""
        before = self.speed_ms
        after = self._next_speed(before, limit_w)
        distance = self.distance_m = (before + after) / 2
        stop_s = self.route.move(distance)
        height = self._height_at(self.route.x_m, self.route.y_m)
        rise = height - self.height_m
        self.height_m, self.speed_ms = height, after
        wheel_j = self._wheel_energy(distance, rise, before, after)
        self._grade = rise / distance if distance > 0.5 else 0.0
        self.power_w = self._terminal_power(wheel_j, before)
        if stop_s is None:
            return False
        self.stop_s = stop_s
        self.halt()
        return True

    def stand(self, seconds: float) -> None:
        """Stand still with lights and controller on."""
        self.power_w = self.auxiliary_w
        self.balance.auxiliary_j += self.power_w * seconds
        self.balance.terminal_j += self.power_w * seconds

    def _next_speed(self, before: float, limit_w: float) -> float:
        """Return the speed that the rider wants, as far as motor, hill and wind allow it [m/s]."""
        self._pace_noise += 0.03 * self._chance.gauss(0, 1) - 0.12 * self._pace_noise
        wanted = self._wanted_speed(before)
        distance = (before + wanted) / 2
        air = distance + self._headwind()
        resistance_n = self._drag * air * abs(air) + self._rolling_n + self._weight_n * self._grade
        left_j = limit_w * (1 - _DRIVE) - _DRIVE_W - resistance_n * distance
        possible = before * before + 2 * left_j / self._inertia_kg
        return min(wanted, max(_WALK_MS, math.sqrt(possible) if possible > 0 else 0.0))

    def _wanted_speed(self, before: float) -> float:
        """Return the rider's choice, so that the moped can still brake before the end of the block [m/s]."""
        rider, block = self._rider, self.route.block
        top = min(block.limit_ms * rider.pace, self._top_ms) * (1 + self._pace_noise)
        room = self.route.remaining_m - before
        exit_ms = block.exit_ms
        braking = math.sqrt(exit_ms * exit_ms + 2 * rider.brake_ms2 * room) if room > 0 else exit_ms
        thrust = rider.thrust_ms2 * (1 - 0.04 * before)
        return max(_CREEP_MS, min(top, braking, before + thrust))

    def _wheel_energy(self, distance: float, rise: float, before: float, after: float) -> float:
        """Return the energy that the wheel must give for this second [J], and enter it into the balance."""
        air = distance + self._headwind()
        drag = self._drag * air * abs(air) * distance
        rolling = self._rolling_n * distance
        climb = self._weight_n * rise
        kinetic = self._inertia_kg * (after * after - before * before) / 2
        balance = self.balance
        balance.drag_j += drag
        balance.rolling_j += rolling
        balance.climb_j += climb
        balance.kinetic_j += kinetic
        balance.distance_m += distance
        balance.moving_s += 1
        if rise > 0:
            balance.ascent_m += rise
        return drag + rolling + climb + kinetic

    def _headwind(self) -> float:
        """Return the wind against the rider [m/s]; gusts follow the pace, which is a simplification."""
        block = self.route.block
        return -(self._wind[0] * block.east + self._wind[1] * block.north) * (1 + 4 * self._pace_noise)

    def _terminal_power(self, wheel_w: float, speed_ms: float) -> float:
        """Return the power at the terminals [W], positive out of the battery."""
        balance = self.balance
        power = self.auxiliary_w
        balance.auxiliary_j += power
        if wheel_w >= 0:
            loss = _DRIVE_W + wheel_w * (_DRIVE + _DRIVE_PER_W * wheel_w)
            balance.drive_j += loss
            power += wheel_w + loss
        else:
            recovered = min(-wheel_w, self._body.regen_w) if speed_ms > _REGEN_MIN_MS else 0.0
            balance.brake_j -= wheel_w + recovered
            balance.drive_j += recovered * (1 - _REGEN)
            power -= recovered * _REGEN
        balance.terminal_j += power
        return power

    def halt(self) -> None:
        """Stop at once: the rest of the kinetic energy goes into the brake."""
        rest_j = self._inertia_kg * self.speed_ms * self.speed_ms / 2
        self.balance.kinetic_j -= rest_j
        self.balance.brake_j += rest_j
        self.speed_ms = 0.0
