"""The shelf of spare packs from which a moped's crew takes full ones, and the chargers beside it."""

from random import Random

from logger.simulator.vehicle.battery import Pack
from logger.simulator.vehicle.charger import ChargingSession
from logger.simulator.vehicle.truth import Truth

_STEP_S = 600.0
_DEPOT_C = 17.0
_EARLY = 0.15  # how often a crew takes a pack off the charger early


class _Slot:
    """A pack on the shelf, and when it is plugged in."""

    def __init__(self, pack: Pack, plug_at: float, target: float) -> None:
        self.pack, self.plug_at, self.target = pack, plug_at, target
        self.session: ChargingSession | None = None


class Shelf:
    """Spare packs. Time passes for them in each call that is given a moment."""

    def __init__(self, packs: list[Pack], at: float, chance: Random, truth: Truth) -> None:
        self._at, self._chance, self._truth = at, chance, truth
        self._slots = [_Slot(pack, at, 1.0) for pack in packs]

    @property
    def packs(self) -> list[Pack]:
        """All packs on the shelf."""
        return [slot.pack for slot in self._slots]

    def put(self, pack: Pack, at: float) -> None:
        """Put an emptied pack on the shelf; it is plugged in some hours later, when the crew is back."""
        self.advance(at)
        target = self._chance.uniform(0.8, 0.97) if self._chance.random() < _EARLY else 1.0
        self._slots.append(_Slot(pack, at + self._chance.uniform(0.7, 5) * 3600, target))

    def take_fullest(self, at: float) -> Pack:
        """Take the fullest pack from the shelf."""
        self.advance(at)
        slot = max(self._slots, key=lambda each: each.pack.soc)
        self._unplug(slot)
        self._slots.remove(slot)
        return slot.pack

    def finish(self) -> None:
        """Record sessions that are still open, at the end of the simulation."""
        for slot in self._slots:
            self._unplug(slot)

    def advance(self, at: float) -> None:
        """Let time pass until this moment."""
        for slot in self._slots:
            now = self._at
            while now < at:
                seconds = min(_STEP_S, at - now)
                now += seconds
                self._advance_slot(slot, now, seconds)
        self._at = max(self._at, at)

    def _advance_slot(self, slot: _Slot, at: float, seconds: float) -> None:
        pack = slot.pack
        if slot.session is None and at >= slot.plug_at and pack.soc < slot.target - 0.02:
            slot.session = ChargingSession(pack, at - seconds, slot.target, None, "depot")
        if slot.session is None:
            pack.rest(seconds, _DEPOT_C)
            return
        slot.session.step(at, seconds, _DEPOT_C)
        if slot.session.done:
            self._unplug(slot)
            slot.plug_at = float("inf")

    def _unplug(self, slot: _Slot) -> None:
        if slot.session is not None:
            self._truth.charges.append(slot.session.record())
            slot.session = None
