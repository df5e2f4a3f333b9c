"""A charger, and one pack's charging session at it, with the energy from the wall and its cost."""

from logger.simulator.vehicle.battery import CELLS, Pack, apply_load
from logger.simulator.vehicle.truth import Record

PRICE_PER_KWH, CURRENCY = 0.30, "EUR"  # at the wall; the demo's settings have the same price
DATA_SHEET_EFFICIENCY = 0.90  # as a charger's data sheet states it, from the wall to the battery
_CHARGER_W, _FULL_CELL_V = 420.0, 4.2  # at the pack's terminals
_EFFICIENCY, _IDLE_W = 0.905, 3.0  # from the wall to the terminals; consumption of the charger itself
_FULL, _END_W = 0.996, 25.0


class ChargingSession:
    """One pack at a charger, from plugging in until it is full enough or taken away. `target` is a charge, 0 to 1."""

    def __init__(self, pack: Pack, at: float, target: float, port: int | None, place: str) -> None:
        self._pack, self._target = pack, target
        self._begin_wh, self._wall_wh = pack.in_wh, 0.0
        self.done, self.power_w = False, 0.0
        self._record: Record = {
            "pack": pack.name,
            "kind": "charge",
            "port": port,
            "place": place,
            "started_at": at,
            "finished_at": at,
            "soc_start_pct": 100 * pack.soc,
        }

    def next_power_w(self, seconds: float) -> float:
        """Return the power for the next seconds: constant power, then constant voltage."""
        pack = self._pack
        volts, ohm = pack.source()
        limit_v = CELLS * _FULL_CELL_V
        remaining_w = max(0.0, self._target - pack.soc) * pack.capacity_ah * volts * 3600 / seconds
        return min(_CHARGER_W, max(0.0, limit_v * (limit_v - volts) / ohm), remaining_w)

    def step(self, at: float, seconds: float, ambient_c: float) -> None:
        """Charge for some seconds, up to the moment `at`."""
        pack, power_w = self._pack, self.next_power_w(seconds)
        apply_load((pack,), -power_w, seconds, ambient_c)
        self.power_w = power_w
        self._wall_wh += (power_w / _EFFICIENCY + _IDLE_W) * seconds / 3600
        self._record["finished_at"] = at
        self.done = pack.soc >= min(self._target, _FULL) - 1e-4 or power_w < _END_W

    def record(self) -> Record:
        """Return the session so far as a record of the truth."""
        energy_wh, soc_pct = self._pack.in_wh - self._begin_wh, 100 * self._pack.soc
        return {
            **self._record,
            "soc_finish_pct": soc_pct,
            "soc_added_pct": soc_pct - self._record["soc_start_pct"],
            "energy_wh": energy_wh,
            "wall_wh": self._wall_wh,
            "efficiency": energy_wh / self._wall_wh if self._wall_wh else None,
            "cost": self._wall_wh / 1000 * PRICE_PER_KWH,
            "currency": CURRENCY,
        }
