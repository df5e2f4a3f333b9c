"""A private moped's days: to work and back, an errand, and the cable at night where it is low."""

import math
from typing import ClassVar

from logger.simulator.vehicle import streets
from logger.simulator.vehicle.life import RIDE_ABOVE, Life, Moments
from logger.simulator.vehicle.moped import Moped
from logger.simulator.vehicle.world import BLOCK_M, DAY_S

_WORK_M = (2000, 6000)  # how far it is to work
_IDLE, _ERRANDS = 0.4, 0.4  # how often a day off is spent at home, how often an evening is not
_PLUG_BELOW, _ANYWAY = 80, 0.3  # percent shown; how often it is plugged in above that
_NIGHT_S, _STEP_S = 8 * 3600.0, 60.0
_NEAR_M = 2 * BLOCK_M  # of the door: a kerb within reach of a cable


class Home(Life):
    """One private moped's story: nobody but its owner rides it, no crew comes, its packs stay."""

    mishaps: ClassVar = {what: Life.mishaps[what] for what in ("push", "fall", "fault", "meddling", "clock")}

    def __init__(self, moped: Moped, days: int) -> None:
        super().__init__(moped, days)
        self._home = streets.cell(moped.x_m, moped.y_m)
        self._work = streets.goal(self._chance, self._home, self._chance.uniform(*_WORK_M))
        self._acts |= {"work": lambda: self._ride(self._work), "home": self._go_home, "cable": self._plug_in}

    def _plan(self, day: int) -> list[tuple[float, str]]:
        chance = self._chance
        plan = [(7 + 1.5 * chance.random(), "work"), (16 + 2.5 * chance.random(), "home")]
        if day % 7 in (2, 3):
            away = 10 + 3 * chance.random()
            plan = [] if chance.random() < _IDLE else [(away, "ride"), (away + chance.uniform(1, 4), "home")]
        if chance.random() < _ERRANDS:
            plan += [(19 + chance.random() / 2, "ride"), (20.5 + chance.random() / 2, "home")]
        plan.append((21.5 + chance.random(), "cable"))
        return [(day * DAY_S + 3600 * hour, what) for hour, what in plan]

    @property
    def _away(self) -> bool:
        moped = self._moped
        return math.dist((moped.x_m, moped.y_m), moped.world.junction(*self._home)) > _NEAR_M

    def _go_home(self) -> Moments:
        if self._away:
            yield from self._ride(self._home)

    def _plug_in(self) -> Moments:
        moped, chance = self._moped, self._chance
        yield from self._go_home()
        if moped.percent < RIDE_ABOVE and self._away:
            yield from self._fetch()
        if not self._away and (moped.percent < _PLUG_BELOW or chance.random() < _ANYWAY):
            yield from self._park(moped.at + chance.uniform(60, 600))
            yield from self._charge(min(self._end, moped.at + _NIGHT_S), _STEP_S)

    def _fetch(self) -> Moments:
        """Left flat on the way, it comes home on somebody's trailer."""
        began = self._moped.at
        yield from self._park(began + self._chance.uniform(600, 2400))
        self._bring_back()
        self._note("relocated", began)

    def _bring_back(self) -> None:
        self._set_down(*self._home)

    def _swap(self, port: int) -> Moments:
        """There is no other pack."""
        yield from ()
