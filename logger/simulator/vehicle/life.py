"""A moped's days: who rides it when, who swaps its packs, who pushes, drops, carries and repairs it.

Everything here is a generator of moments [epoch s]: it yields the moment of the next change, and makes the change only
when asked to go on. So a moped can be stopped at any moment and asked how it is.
"""

import math
from collections.abc import Callable, Iterator
from typing import ClassVar

from logger.simulator.vehicle.battery import Pack
from logger.simulator.vehicle.depot import Charge
from logger.simulator.vehicle.moped import Moped
from logger.simulator.vehicle.outing import Outing
from logger.simulator.vehicle.streets import Cell
from logger.simulator.vehicle.world import BLOCK_M, DAY_S, REACH

_HOURS = (1, 0, 0, 0, 0, 1, 3, 8, 9, 5, 4, 5, 6, 5, 5, 6, 8, 10, 9, 7, 5, 4, 3, 2)  # when people ride, by UTC hour
_RIDES, _WEEKEND, _WET = 4.1, 0.85, 0.7  # a day; on Saturdays and Sundays; in the rain
_ROUNDS_H = (5.5, 13.5)  # when the crew sets out
_SWAP_BELOW, RIDE_ABOVE = 32, 12  # percent shown
_LAST_RIDE_S = 5400  # none begins so shortly before the story ends
_STALE_S = 1800  # what could not happen at its time does not happen at all
_FAULTS = ("E5", "E6", "E2", "12", "14", "15", "17", "19", "20", "34", "38", "41", "42", "47")
_GNSS, _GRAVE = "E5", ("12", "14", "15")  # these keep it from being ridden
_CHARGE_STEP_S = 300.0
Moments = Iterator[float]


class Life:
    """One moped's story from its first to its last moment; `mishaps` is how often on a day."""

    mishaps: ClassVar = {
        "push": 0.06, "van": 0.05, "fall": 0.02, "fault": 0.03, "depot": 0.012, "meddling": 0.015, "clock": 0.003
    }  # fmt: skip

    def __init__(self, moped: Moped, days: int) -> None:
        self._moped, self._chance = moped, moped.chance
        self._end = moped.start_at + days * DAY_S
        self._broken = False
        self._acts: dict[str, Callable[[], Moments]] = {
            "ride": self._ride,
            "round": self._round,
            "push": self._push,
            "van": self._van,
            "fall": self._fall,
            "fault": self._fault,
            "depot": self._depot,
            "meddling": self._meddling,
            "clock": self._lose_clock,
        }

    def moments(self) -> Moments:
        """The whole story."""
        moped = self._moped
        for day in range(moped.start_at // DAY_S, (self._end - 1) // DAY_S + 1):
            for at, what in self._agenda(day):
                if moped.at - _STALE_S < at < self._end - _LAST_RIDE_S and at >= moped.start_at:
                    yield from self._park(at)
                    yield from self._acts[what]()
        yield from self._park(self._end)
        moped.settle()

    def _agenda(self, day: int) -> list[tuple[float, str]]:
        """What is to happen on this day since 1970, in order."""
        chance, plan = self._chance, self._plan(day)
        for what, often in self.mishaps.items():
            if chance.random() < often:
                plan.append((day * DAY_S + chance.random() * DAY_S, what))
        return sorted(plan)

    def _plan(self, day: int) -> list[tuple[float, str]]:
        """What people want of it on this day."""
        chance, begin = self._chance, day * DAY_S
        mean = _RIDES * (_WEEKEND if day % 7 in (2, 3) else 1) * (_WET if self._moped.world.day(day).wet else 1)
        rides = max(0, round(chance.gauss(mean, 1.2)))
        plan = [
            (begin + 3600 * (hour + chance.random()), "ride") for hour in chance.choices(range(24), _HOURS, k=rides)
        ]
        return plan + [(begin + 3600 * (hour + chance.uniform(0, 2.5)), "round") for hour in _ROUNDS_H]

    def _park(self, until: float) -> Moments:
        moped, until = self._moped, min(until, self._end)
        while moped.at < until:
            then = min(until, moped.due_at)
            moped.power_w = moped.rest_w  # who is asked meanwhile tells of now, not of the ride before
            yield then
            moped.rest_until(then)

    # ---- riders ----------------------------------------------------------------------------------------------------

    def _ride(self, aim: Cell | None = None) -> Moments:
        moped, chance = self._moped, self._chance
        if self._broken or moped.percent < RIDE_ABOVE or moped.at > self._end - _LAST_RIDE_S:
            return
        yield from self._park(moped.at + chance.uniform(45, 120))  # somebody else has just locked it
        yield from Outing(moped, self._park, self._swap, aim).moments()
        if chance.random() < 0.03:
            yield from self._fault()

    # ---- the crew --------------------------------------------------------------------------------------------------

    def _round(self) -> Moments:
        """Swap what is low; of two packs, both or the lower."""
        moped = self._moped
        if moped.percent >= _SWAP_BELOW:
            return
        low = [
            port for port, pack in enumerate(moped.packs, 1) if pack is None or pack.bms.shown_pct < _SWAP_BELOW + 10
        ]
        for port in low:
            yield from self._swap(port)

    def _swap(self, port: int) -> Moments:
        """Saddle open, pack out, another in, saddle closed."""
        moped, chance = self._moped, self._chance
        moped.saddle_open = True
        moped.say("components", type="1", status="1")
        yield from self._park(moped.at + chance.uniform(15, 50))
        old, began = self._take_out(port), moped.at
        yield from self._park(moped.at + chance.uniform(15, 60))
        self._put_in(port, old, moped.shelf.give(moped.at), began)
        yield from self._park(moped.at + chance.uniform(3, 8))
        moped.say("alert", alertStatus="1", code=str(9 + port))
        if moped.low_power and moped.percent >= 20:
            moped.low_power = False
            moped.say("alert", alertStatus="1", code="12")
        yield from self._park(moped.at + chance.uniform(5, 20))
        moped.saddle_open = False
        moped.say("components", type="1", status="2")

    def _take_out(self, port: int) -> Pack:
        moped = self._moped
        old = moped.packs[port - 1]
        assert old is not None
        moped.packs[port - 1] = None
        moped.fitted = [pack for pack in moped.packs if pack is not None]
        moped.say("alert", alertStatus="0", code=str(9 + port))
        return old

    def _put_in(self, port: int, old: Pack, new: Pack, began: float) -> None:
        moped = self._moped
        moped.packs[port - 1] = new
        moped.fitted = [pack for pack in moped.packs if pack is not None]
        moped.swapped_soc += (new.soc - old.soc) / moped.traits.ports
        moped.truth.swaps.append(
            {
                "kind": "swap",
                "started_at": began,
                "finished_at": moped.at,
                "port": port,
                "old_pack": old.name,
                "new_pack": new.name,
                "old_soc_pct": 100 * old.soc,
                "new_soc_pct": 100 * new.soc,
                "old_cycles": old.bms.cycles,
                "new_cycles": new.bms.cycles,
                "old_capacity_wh": old.capacity_wh,
                "new_capacity_wh": new.capacity_wh,
                "riding": not moped.locked,
            }
        )
        moped.shelf.take(old, moped.at)

    def _van(self) -> Moments:
        """Carried to another place: no metre on the odometer, sometimes an alarm."""
        moped, chance = self._moped, self._chance
        alarm = chance.random() < 0.5
        began = moped.at
        if alarm:
            moped.say("alert", alertStatus="0", code="1")
        yield from self._park(moped.at + chance.uniform(600, 2400))
        self._set_down(chance.randint(-REACH, REACH), chance.randint(-REACH, REACH))
        if alarm:
            moped.say("alert", alertStatus="1", code="1")
        self._note("relocated", began)

    def _set_down(self, i: int, j: int) -> None:
        moped = self._moped
        x_m, y_m = moped.world.junction(i, j)
        moped.x_m, moped.y_m = x_m + self._chance.uniform(-25, 25), y_m + self._chance.uniform(-25, 25)
        moped.height_m = moped.world.height_m(moped.x_m, moped.y_m)
        moped.in_garage = False

    def _depot(self) -> Moments:
        """Out of service for hours: carried in, repaired, its packs charged where they are, carried out."""
        moped, chance = self._moped, self._chance
        began = moped.at
        yield from self._park(moped.at + chance.uniform(600, 2400))
        self._set_down(0, 0)
        until = min(self._end, moped.at + chance.uniform(4, 30) * 3600)
        yield from self._park(min(until, moped.at + chance.uniform(600, 3600)))
        yield from self._charge(until)
        yield from self._park(until)
        self._broken = moped.no_gnss = False
        self._bring_back()
        self._note("out_of_service", began)

    def _bring_back(self) -> None:
        self._set_down(self._chance.randint(-REACH, REACH), self._chance.randint(-REACH, REACH))

    def _charge(self, until: float, step_s: float = _CHARGE_STEP_S) -> Moments:
        """Each fitted pack at a charger of its own, until all are full or until then."""
        moped = self._moped
        charges = [
            Charge(pack, moped.at, 1.0, port, "vehicle") for port, pack in enumerate(moped.packs, 1) if pack is not None
        ]
        moped.charging = True
        moped.speak_now()
        moped.charger_w = sum(charge.offer_w(step_s) for charge in charges)
        while moped.at + step_s < until and not all(charge.done for charge in charges):
            yield from self._park(moped.at + step_s)
            for charge in charges:
                charge.step(moped.at, step_s, moped.ambient_c)
            moped.charger_w = sum(charge.power_w for charge in charges)
        moped.charging, moped.charger_w = False, 0.0
        moped.speak_now()
        moped.truth.charges.extend(charge.end() for charge in charges)

    # ---- mishaps ---------------------------------------------------------------------------------------------------

    def _push(self) -> Moments:
        """Pushed aside by hand while locked: the wheel turns, the odometer often counts it."""
        moped, chance = self._moped, self._chance
        way_m, turn, began = chance.lognormvariate(3.6, 0.8), chance.uniform(0, math.tau), moped.at
        way_m = min(way_m, 3 * BLOCK_M)
        alarm = chance.random() < 0.4
        if alarm:
            moped.say("alert", alertStatus="0", code="1")
        yield from self._park(moped.at + way_m)
        moped.x_m += way_m * math.cos(turn)
        moped.y_m += way_m * math.sin(turn)
        moped.height_m = moped.world.height_m(moped.x_m, moped.y_m)
        if chance.random() < 0.75:
            moped.odometer_m += way_m * moped.traits.tyre
            moped.pushed_m += way_m * moped.traits.tyre
        yield from self._park(moped.at + 30)
        if alarm:
            moped.say("alert", alertStatus="1", code="1")
        self._note("pushed", began, way_m)

    def _fall(self) -> Moments:
        moped, began = self._moped, self._moped.at
        moped.say("alert", alertStatus="0", code="2")
        yield from self._park(moped.at + self._chance.uniform(600, 20_000))
        moped.say("alert", alertStatus="1", code="2")
        self._note("fell", began)

    def _meddling(self) -> Moments:
        moped, began = self._moped, self._moped.at
        moped.say("alert", alertStatus="0", code="3")
        yield from self._park(moped.at + self._chance.uniform(20, 200))
        moped.say("alert", alertStatus="1", code="3")
        self._note("meddled with", began)

    def _fault(self) -> Moments:
        """Appears, perhaps flickers, and clears by itself or at the depot."""
        moped, chance, began = self._moped, self._chance, self._moped.at
        code = chance.choice(_FAULTS)
        self._broken |= code in _GRAVE
        moped.no_gnss = code == _GNSS
        for _ in range(chance.choice((1, 1, 1, 3))):
            moped.say("fault", faultStatus="0", code=code)
            yield from self._park(moped.at + chance.uniform(40, 3000))
            moped.say("fault", faultStatus="1", code=code)
            yield from self._park(moped.at + chance.uniform(10, 200))
        moped.no_gnss = False
        self._note(f"fault {code}", began)
        if self._broken:
            yield from self._depot()

    def _lose_clock(self) -> Moments:
        """Its clock starts again at the year 2000, until the next ride has a fix."""
        moped = self._moped
        moped.clock_lost_at = moped.at
        moped.say("fault", faultStatus="0", code="E2")
        self._note("clock lost", moped.at)
        yield from ()

    def _note(self, what: str, began: float, way_m: float = 0.0) -> None:
        moped = self._moped
        moped.truth.events.append({"what": what, "started_at": began, "finished_at": moped.at, "distance_m": way_m})
