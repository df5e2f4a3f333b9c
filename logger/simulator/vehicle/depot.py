"""The shelf of spare packs that a moped's crew draws from, and the chargers beside it."""

from random import Random

from logger.simulator.vehicle.battery import CELLS, Pack, feed
from logger.simulator.vehicle.truth import Row, Truth

_CHARGER_W, _FULL_CELL_V = 420.0, 4.2  # at the pack's terminals
_EFFICIENCY, _IDLE_W = 0.905, 3.0  # wall to terminals, besides what the charger itself uses
PER_KWH, CURRENCY = 0.30, "EUR"  # at the wall; the demo's settings say so, too
LABEL_EFFICIENCY = 0.90  # what such a charger's data sheet says
_FULL, _END_W = 0.996, 25.0
_STEP_S = 600.0
_DEPOT_C = 17.0
_HASTY = 0.15  # how often a crew takes a pack off the charger early


class Charge:
    """One pack at a charger, from plugging in until it is full enough or taken away."""

    def __init__(self, pack: Pack, at: float, target: float, port: int | None, place: str) -> None:
        self._pack, self._target = pack, target
        self._begin_wh, self._wall_wh = pack.in_wh, 0.0
        self.done, self.power_w = False, 0.0
        self.row: Row = {
            "pack": pack.name,
            "kind": "charge",
            "port": port,
            "place": place,
            "started_at": at,
            "finished_at": at,
            "soc_start_pct": 100 * pack.soc,
        }

    def offer_w(self, seconds: float) -> float:
        """What the charger gives from now on, for so long: constant power, then constant voltage."""
        pack = self._pack
        volts, ohm = pack.source()
        limit_v = CELLS * _FULL_CELL_V
        room_w = max(0.0, self._target - pack.soc) * pack.capacity_ah * volts * 3600 / seconds
        return min(_CHARGER_W, max(0.0, limit_v * (limit_v - volts) / ohm), room_w)

    def step(self, at: float, seconds: float, around_c: float) -> None:
        """Charge until this moment for so long."""
        pack, power_w = self._pack, self.offer_w(seconds)
        feed((pack,), -power_w, seconds, around_c)
        self.power_w = power_w
        self._wall_wh += (power_w / _EFFICIENCY + _IDLE_W) * seconds / 3600
        self.row["finished_at"] = at
        self.done = pack.soc >= min(self._target, _FULL) - 1e-4 or power_w < _END_W

    def end(self) -> Row:
        """The record of it."""
        pack, row = self._pack, self.row
        energy_wh = pack.in_wh - self._begin_wh
        soc_pct = 100 * pack.soc
        told = {"soc_finish_pct": soc_pct, "soc_added_pct": soc_pct - row["soc_start_pct"], "energy_wh": energy_wh}
        wall = {"wall_wh": self._wall_wh, "efficiency": energy_wh / self._wall_wh if self._wall_wh else None}
        return {**row, **told, **wall, "cost": self._wall_wh / 1000 * PER_KWH, "currency": CURRENCY}


class _Slot:
    """A pack on the shelf, and when it is plugged in."""

    def __init__(self, pack: Pack, plug_at: float, target: float) -> None:
        self.pack, self.plug_at, self.target = pack, plug_at, target
        self.charge: Charge | None = None


class Shelf:
    """Spare packs. Time passes for them when somebody looks."""

    def __init__(self, packs: list[Pack], at: float, chance: Random, truth: Truth) -> None:
        self._at, self._chance, self._truth = at, chance, truth
        self._slots = [_Slot(pack, at, 1.0) for pack in packs]

    @property
    def packs(self) -> list[Pack]:
        """All that lie here."""
        return [slot.pack for slot in self._slots]

    def take(self, pack: Pack, at: float) -> None:
        """Lay an emptied pack here; it is plugged in some hours later, when the crew is back."""
        self.advance(at)
        target = self._chance.uniform(0.8, 0.97) if self._chance.random() < _HASTY else 1.0
        self._slots.append(_Slot(pack, at + self._chance.uniform(0.7, 5) * 3600, target))

    def give(self, at: float) -> Pack:
        """Hand out the fullest."""
        self.advance(at)
        slot = max(self._slots, key=lambda each: each.pack.soc)
        self._unplug(slot)
        self._slots.remove(slot)
        return slot.pack

    def settle(self) -> None:
        """Close the books: what is still charging is recorded so far."""
        for slot in self._slots:
            self._unplug(slot)

    def advance(self, at: float) -> None:
        """Let time pass until this moment."""
        for slot in self._slots:
            then = self._at
            while then < at:
                seconds = min(_STEP_S, at - then)
                then += seconds
                self._pass(slot, then, seconds)
        self._at = max(self._at, at)

    def _pass(self, slot: _Slot, at: float, seconds: float) -> None:
        pack = slot.pack
        if slot.charge is None and at >= slot.plug_at and pack.soc < slot.target - 0.02:
            slot.charge = Charge(pack, at - seconds, slot.target, None, "depot")
        if slot.charge is None:
            pack.rest(seconds, _DEPOT_C)
            return
        slot.charge.step(at, seconds, _DEPOT_C)
        if slot.charge.done:
            self._unplug(slot)
            slot.plug_at = float("inf")

    def _unplug(self, slot: _Slot) -> None:
        if slot.charge is not None:
            self._truth.charges.append(slot.charge.end())
            slot.charge = None
