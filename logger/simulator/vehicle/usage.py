"""What happens to a moped day by day: trips, swaps, charges, and mishaps.

Everything here is a generator of moments [epoch s]: it yields the moment of the next change, and makes the change only
when it is resumed. A moped can therefore be stopped at any moment and polled.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

from logger.simulator.vehicle.charger import ChargingSession
from logger.simulator.vehicle.environment import BLOCK_M, DAY_S
from logger.simulator.vehicle.moped import Moped
from logger.simulator.vehicle.streets import Junction
from logger.simulator.vehicle.trip import Moments, Trip

RIDE_ABOVE_PCT = 12  # shown; below it nobody rides
_LAST_TRIP_S = 5400  # no trip begins so shortly before the end
_EXPIRY_S = 1800  # what could not happen within this time does not happen at all
_FAULTS = ("E5", "E6", "E2", "12", "14", "15", "17", "19", "20", "34", "38", "41", "42", "47")
_GNSS_FAULT, _SERIOUS_FAULTS = "E5", ("12", "14", "15")  # the serious ones keep it from being ridden
_CHARGE_STEP_S = 300.0
Plan = list[tuple[float, str]]  # moment [epoch s] and activity


class Usage(ABC):
    """The usage of one moped from the first moment to the last. Subclasses plan the days, and return it after repairs.

    `mishaps` has the mean number of each kind a day.
    """

    mishaps: ClassVar[dict[str, float]] = {}

    def __init__(self, moped: Moped, days: int) -> None:
        self._moped, self._chance = moped, moped.chance
        self._end = moped.start_at + days * DAY_S
        self._broken = False
        self._activities: dict[str, Callable[[], Moments]] = {
            "ride": self._ride,
            "push": self._push_by_hand,
            "fall": self._fall,
            "fault": self._fault,
            "meddling": self._meddle,
            "clock": self._lose_clock,
        }

    def moments(self) -> Moments:
        """Yield the moments of the whole usage."""
        moped = self._moped
        for day in range(moped.start_at // DAY_S, (self._end - 1) // DAY_S + 1):
            for at, activity in self._agenda(day):
                if moped.at - _EXPIRY_S < at < self._end - _LAST_TRIP_S and at >= moped.start_at:
                    yield from self._park(at)
                    yield from self._activities[activity]()
        yield from self._park(self._end)
        moped.finish()

    def _agenda(self, day: int) -> Plan:
        """Return what is to happen on this day since 1970, in order."""
        chance, plan = self._chance, self._plan(day)
        for mishap, frequency in self.mishaps.items():
            if chance.random() < frequency:
                plan.append((day * DAY_S + chance.random() * DAY_S, mishap))
        return sorted(plan)

    @abstractmethod
    def _plan(self, day: int) -> Plan:
        """Return what people intend to do on this day."""

    @abstractmethod
    def _return_to_street(self) -> None:
        """Put the moped where people use it, after a repair."""

    def _swap(self, port: int) -> Moments:
        """Swap the pack in this port, if there is another one."""
        yield from ()

    # ---- activities ------------------------------------------------------------------------------------------------

    def _park(self, until: float) -> Moments:
        moped, end = self._moped, min(until, self._end)
        while moped.at < end:
            now = min(end, moped.due_at)
            moped.power_w = moped.standing_w  # an answer meanwhile has the present power, not that of the last trip
            yield now
            moped.stand_until(now)

    def _ride(self, goal: Junction | None = None) -> Moments:
        moped, chance = self._moped, self._chance
        if self._broken or moped.percent < RIDE_ABOVE_PCT or moped.at > self._end - _LAST_TRIP_S:
            return
        yield from self._park(moped.at + chance.uniform(45, 120))  # another rider has just locked it
        yield from Trip(moped, self._park, self._swap, goal).moments()
        if chance.random() < 0.03:
            yield from self._fault()

    def _charge(self, until: float, step_s: float = _CHARGE_STEP_S) -> Moments:
        """Charge each fitted pack at a charger of its own, until all are full or until this moment."""
        moped = self._moped
        sessions = [
            ChargingSession(pack, moped.at, 1.0, port, "vehicle")
            for port, pack in enumerate(moped.packs, 1)
            if pack is not None
        ]
        moped.charging = True
        moped.report_change()
        moped.charger_w = sum(session.next_power_w(step_s) for session in sessions)
        while moped.at + step_s < until and not all(session.done for session in sessions):
            yield from self._park(moped.at + step_s)
            for session in sessions:
                session.step(moped.at, step_s, moped.ambient_c)
            moped.charger_w = sum(session.power_w for session in sessions)
        moped.charging, moped.charger_w = False, 0.0
        moped.report_change()
        moped.truth.charges.extend(session.record() for session in sessions)

    def _repair(self) -> Moments:
        """Stay out of service for hours: carried to the depot, repaired, charged in place, carried back."""
        moped, chance = self._moped, self._chance
        began = moped.at
        yield from self._park(moped.at + chance.uniform(600, 2400))
        self._set_down(0, 0)
        end = min(self._end, moped.at + chance.uniform(4, 30) * 3600)
        yield from self._park(min(end, moped.at + chance.uniform(600, 3600)))
        yield from self._charge(end)
        yield from self._park(end)
        self._broken = moped.no_gnss = False
        self._return_to_street()
        self._record_event("out_of_service", began)

    def _set_down(self, i: int, j: int) -> None:
        """Put the moped near this junction."""
        moped = self._moped
        x_m, y_m = moped.environment.junction(i, j)
        moped.move_to(x_m + self._chance.uniform(-25, 25), y_m + self._chance.uniform(-25, 25))
        moped.in_garage = False

    # ---- mishaps ---------------------------------------------------------------------------------------------------

    def _push_by_hand(self) -> Moments:
        """Push it aside while it is locked: the wheel turns, and the odometer often counts that."""
        moped, chance = self._moped, self._chance
        distance_m, turn, began = chance.lognormvariate(3.6, 0.8), chance.uniform(0, math.tau), moped.at
        distance_m = min(distance_m, 3 * BLOCK_M)
        alarm = chance.random() < 0.4
        if alarm:
            moped.send_event("alert", alertStatus="0", code="1")
        yield from self._park(moped.at + distance_m)
        moped.move_to(moped.x_m + distance_m * math.cos(turn), moped.y_m + distance_m * math.sin(turn))
        if chance.random() < 0.75:
            moped.odometer_m += distance_m * moped.specification.odometer_factor
            moped.pushed_m += distance_m * moped.specification.odometer_factor
        yield from self._park(moped.at + 30)
        if alarm:
            moped.send_event("alert", alertStatus="1", code="1")
        self._record_event("pushed", began, distance_m)

    def _fall(self) -> Moments:
        yield from self._alert("2", "fell", 600, 20_000)

    def _meddle(self) -> Moments:
        yield from self._alert("3", "meddled with", 20, 200)

    def _alert(self, code: str, event: str, shortest_s: float, longest_s: float) -> Moments:
        moped, began = self._moped, self._moped.at
        moped.send_event("alert", alertStatus="0", code=code)
        yield from self._park(moped.at + self._chance.uniform(shortest_s, longest_s))
        moped.send_event("alert", alertStatus="1", code=code)
        self._record_event(event, began)

    def _fault(self) -> Moments:
        """Let a fault appear, perhaps flicker, and clear by itself or at the depot."""
        moped, chance, began = self._moped, self._chance, self._moped.at
        code = chance.choice(_FAULTS)
        self._broken |= code in _SERIOUS_FAULTS
        moped.no_gnss = code == _GNSS_FAULT
        for _ in range(chance.choice((1, 1, 1, 3))):
            moped.send_event("fault", faultStatus="0", code=code)
            yield from self._park(moped.at + chance.uniform(40, 3000))
            moped.send_event("fault", faultStatus="1", code=code)
            yield from self._park(moped.at + chance.uniform(10, 200))
        moped.no_gnss = False
        self._record_event(f"fault {code}", began)
        if self._broken:
            yield from self._repair()

    def _lose_clock(self) -> Moments:
        """Restart its clock at the year 2000; the next trip sets it."""
        moped = self._moped
        moped.clock_lost_at = moped.at
        moped.send_event("fault", faultStatus="0", code="E2")
        self._record_event("clock lost", moped.at)
        yield from ()

    def _record_event(self, what: str, began: float, distance_m: float = 0.0) -> None:
        times = {"started_at": began, "finished_at": self._moped.at}
        self._moped.truth.events.append({"what": what, **times, "distance_m": distance_m})
