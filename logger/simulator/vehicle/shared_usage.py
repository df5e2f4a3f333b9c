"""The usage of a shared moped: anybody rides it, and a crew swaps its packs and carries it."""

from typing import ClassVar

from logger.simulator.vehicle.battery import Pack
from logger.simulator.vehicle.environment import DAY_S, REACH
from logger.simulator.vehicle.moped import Moped
from logger.simulator.vehicle.trip import Moments
from logger.simulator.vehicle.usage import Plan, Usage

_HOURS = (1, 0, 0, 0, 0, 1, 3, 8, 9, 5, 4, 5, 6, 5, 5, 6, 8, 10, 9, 7, 5, 4, 3, 2)  # weights of trips, by UTC hour
_TRIPS, _WEEKEND, _WET = 4.1, 0.85, 0.7  # a day; factors on Saturdays and Sundays, and in the rain
_ROUNDS_H = (5.5, 13.5)  # when the crew begins a round
_SWAP_BELOW_PCT = 32  # shown


class SharedUsage(Usage):
    """The usage of one shared moped."""

    mishaps: ClassVar = {
        "push": 0.06, "van": 0.05, "fall": 0.02, "fault": 0.03, "depot": 0.012, "meddling": 0.015, "clock": 0.003
    }  # fmt: skip

    def __init__(self, moped: Moped, days: int) -> None:
        super().__init__(moped, days)
        self._activities |= {"round": self._swap_low_packs, "van": self._relocate, "depot": self._repair}

    def _plan(self, day: int) -> Plan:
        chance, begin = self._chance, day * DAY_S
        weekend, wet = day % 7 in (2, 3), self._moped.environment.weather(day).wet
        mean = _TRIPS * (_WEEKEND if weekend else 1) * (_WET if wet else 1)
        trips = max(0, round(chance.gauss(mean, 1.2)))
        plan = [
            (begin + 3600 * (hour + chance.random()), "ride") for hour in chance.choices(range(24), _HOURS, k=trips)
        ]
        return plan + [(begin + 3600 * (hour + chance.uniform(0, 2.5)), "round") for hour in _ROUNDS_H]

    def _return_to_street(self) -> None:
        self._set_down(self._chance.randint(-REACH, REACH), self._chance.randint(-REACH, REACH))

    def _relocate(self) -> Moments:
        """Carry it to another place: no metre on the odometer, sometimes an alarm."""
        moped, chance = self._moped, self._chance
        alarm = chance.random() < 0.5
        began = moped.at
        if alarm:
            moped.send_event("alert", alertStatus="0", code="1")
        yield from self._park(moped.at + chance.uniform(600, 2400))
        self._return_to_street()
        if alarm:
            moped.send_event("alert", alertStatus="1", code="1")
        self._record_event("relocated", began)

    # ---- swaps -----------------------------------------------------------------------------------------------------

    def _swap_low_packs(self) -> Moments:
        """Swap the packs of a low battery; of two packs, both or the lower."""
        moped = self._moped
        if moped.percent >= _SWAP_BELOW_PCT:
            return
        low = [
            port
            for port, pack in enumerate(moped.packs, 1)
            if pack is None or pack.bms.shown_pct < _SWAP_BELOW_PCT + 10
        ]
        for port in low:
            yield from self._swap(port)

    def _swap(self, port: int) -> Moments:
        """Open the saddle, take the pack out, put another in, close the saddle."""
        moped, chance = self._moped, self._chance
        moped.saddle_open = True
        moped.send_event("components", type="1", status="1")
        yield from self._park(moped.at + chance.uniform(15, 50))
        old, began = self._take_out(port), moped.at
        yield from self._park(moped.at + chance.uniform(15, 60))
        self._put_in(port, old, moped.shelf.take_fullest(moped.at), began)
        yield from self._park(moped.at + chance.uniform(3, 8))
        moped.send_event("alert", alertStatus="1", code=str(9 + port))
        if moped.low_power and moped.percent >= 20:
            moped.low_power = False
            moped.send_event("alert", alertStatus="1", code="12")
        yield from self._park(moped.at + chance.uniform(5, 20))
        moped.saddle_open = False
        moped.send_event("components", type="1", status="2")

    def _take_out(self, port: int) -> Pack:
        moped = self._moped
        old = moped.packs[port - 1]
        assert old is not None
        moped.fit_pack(port, None)
        moped.send_event("alert", alertStatus="0", code=str(9 + port))
        return old

    def _put_in(self, port: int, old: Pack, new: Pack, began: float) -> None:
        moped = self._moped
        moped.fit_pack(port, new)
        moped.swapped_soc += (new.soc - old.soc) / moped.specification.ports
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
        moped.shelf.put(old, moped.at)
