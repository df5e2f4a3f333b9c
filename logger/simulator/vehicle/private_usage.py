"""The usage of a private moped: to work and back, an errand, and charging by cable at night where it is low."""

import math
from typing import ClassVar

from logger.simulator.vehicle.environment import BLOCK_M, DAY_S
from logger.simulator.vehicle.moped import Moped
from logger.simulator.vehicle.streets import destination, nearest_junction
from logger.simulator.vehicle.trip import Moments
from logger.simulator.vehicle.usage import RIDE_ABOVE_PCT, Plan, Usage

_WORK_M = (2000, 6000)  # the distance to work
_DAYS_AT_HOME, _ERRANDS = 0.4, 0.4  # how often on a day off; how often on an evening
_PLUG_BELOW_PCT, _PLUG_ABOVE = 80, 0.3  # shown; how often it is plugged in above that
_NIGHT_S, _STEP_S = 8 * 3600.0, 60.0
_NEAR_M = 2 * BLOCK_M  # from the home junction: a kerb within reach of a cable


class PrivateUsage(Usage):
    """The usage of one private moped: only its owner rides it, no crew comes, its packs stay."""

    mishaps: ClassVar = {"push": 0.06, "fall": 0.02, "fault": 0.03, "meddling": 0.015, "clock": 0.003}

    def __init__(self, moped: Moped, days: int) -> None:
        super().__init__(moped, days)
        self._home = nearest_junction(moped.x_m, moped.y_m)
        self._work = destination(self._chance, self._home, self._chance.uniform(*_WORK_M))
        self._activities |= {"work": lambda: self._ride(self._work), "home": self._go_home, "cable": self._plug_in}

    def _plan(self, day: int) -> Plan:
        chance = self._chance
        plan = [(7 + 1.5 * chance.random(), "work"), (16 + 2.5 * chance.random(), "home")]
        if day % 7 in (2, 3):
            plan = self._plan_day_off()
        if chance.random() < _ERRANDS:
            plan += [(19 + chance.random() / 2, "ride"), (20.5 + chance.random() / 2, "home")]
        plan.append((21.5 + chance.random(), "cable"))
        return [(day * DAY_S + 3600 * hour, activity) for hour, activity in plan]

    def _plan_day_off(self) -> list[tuple[float, str]]:
        chance = self._chance
        departure_h = 10 + 3 * chance.random()
        if chance.random() < _DAYS_AT_HOME:
            return []
        return [(departure_h, "ride"), (departure_h + chance.uniform(1, 4), "home")]

    @property
    def _is_away(self) -> bool:
        moped = self._moped
        return math.dist((moped.x_m, moped.y_m), moped.environment.junction(*self._home)) > _NEAR_M

    def _go_home(self) -> Moments:
        if self._is_away:
            yield from self._ride(self._home)

    def _plug_in(self) -> Moments:
        moped, chance = self._moped, self._chance
        yield from self._go_home()
        if moped.percent < RIDE_ABOVE_PCT and self._is_away:
            yield from self._fetch_home()
        if not self._is_away and (moped.percent < _PLUG_BELOW_PCT or chance.random() < _PLUG_ABOVE):
            yield from self._park(moped.at + chance.uniform(60, 600))
            yield from self._charge(min(self._end, moped.at + _NIGHT_S), _STEP_S)

    def _fetch_home(self) -> Moments:
        """Carry it home on a trailer when its battery is empty elsewhere."""
        began = self._moped.at
        yield from self._park(began + self._chance.uniform(600, 2400))
        self._return_to_street()
        self._record_event("relocated", began)

    def _return_to_street(self) -> None:
        self._set_down(*self._home)
