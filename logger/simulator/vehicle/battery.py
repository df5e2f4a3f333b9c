"""Packs: a cell's voltage curve, resistance, polarisation, heat, ageing; and packs side by side.

Current and power are positive out of a pack. `capacity_wh` is the energy that a full pack gives at its terminals at a
third of its capacity an hour and 25 degC; the capacity estimates of the analyses mean the same.
"""

import math
from collections.abc import Sequence
from random import Random

from logger.simulator.vehicle.bms import Bms

CELLS = 13  # in series: 48 V nominal
_CURVE_V = (3.00, 3.42, 3.50, 3.545, 3.58, 3.605, 3.63, 3.65, 3.67, 3.695, 3.73, 3.77, 3.82, 3.87, 3.92, 3.965, 4.01)
_CELL_V = (*_CURVE_V, 4.05, 4.09, 4.125, 4.17)  # open voltage of an NMC cell at 0, 5, ... 100 %
_SEGMENTS = len(_CELL_V) - 1
_MEAN_V = CELLS * (sum(_CELL_V) - (_CELL_V[0] + _CELL_V[-1]) / 2) / _SEGMENTS
_NEW_OHM_AH = 1.75  # ohm times ampere hours of a new pack: 58 mOhm at 30 Ah
_OHM_K = 1550.0  # exp(b (1/T - 1/298)): 1.75 % a degree
_POLARISATION, _POLARISATION_S = 0.5, 50.0  # a slow part, half of the resistance again, and its time constant
_HEAT_JK, _COOLING_S = 9000.0, 5400.0
_ELECTRONICS_W = 0.12  # consumption of a pack's own electronics, in the vehicle or on the shelf
_AH_PER_CYCLE = 2 * 2.15  # the ageing law counts ampere hours of a 2.15 Ah cell, both ways

# Schmalstieg 2014, doi 10.1016/j.jpowsour.2014.02.012, at 3.75 V, 15 degC, 70 % depth: per day^0.75 and per sqrt(Ah)
# for the capacity, per day^0.75 and per Ah for the resistance.
_FADE_DAYS, _FADE_AH, _RISE_DAYS, _RISE_AH = 1.37e-4, 3.67e-3, 3.2e-4, 1.81e-4
_KNEE_PER_EFC = 7e-4  # capacity lost per cycle beyond the knee; that law has no knee


def open_v(soc: float) -> float:
    """Return the voltage at rest of 13 cells at this state of charge (0 to 1)."""
    position = min(0.99999, max(0.0, soc)) * _SEGMENTS
    low = int(position)
    return CELLS * (_CELL_V[low] + (position - low) * (_CELL_V[low + 1] - _CELL_V[low]))


class Pack:
    """One pack: its charge, age and heat. Its BMS measures the current with a sensor of its own."""

    def __init__(self, name: str, chance: Random, nominal_ah: float) -> None:
        self.name = name
        self.age_days = chance.uniform(60, 900)
        self.efc = self.age_days * chance.uniform(0.2, 0.5)  # full cycles
        weak = chance.random() < 0.06
        self._fresh_ah = nominal_ah * chance.gauss(1.015, 0.02) * (0.85 if weak else 1.0)
        self._fresh_ohm = _NEW_OHM_AH / nominal_ah * chance.gauss(1, 0.06) * (1.3 if weak else 1.0)
        self._wear, self._knee_efc = chance.lognormvariate(0, 0.2), chance.uniform(330, 900)
        self.temperature_c, self._polarisation_v, self._open_v = 15.0, 0.0, 0.0
        self.out_wh, self.in_wh, self.heat_wh, self.chemical_wh = 0.0, 0.0, 0.0, 0.0
        self.capacity_ah, self.ohm = self._fresh_ah, self._fresh_ohm
        self.age(0)
        self.charge_ah: float = self.capacity_ah * chance.uniform(0.35, 1.0)
        self.voltage_v = open_v(self.soc)
        self.bms = Bms(chance, self.soc, self.capacity_ah, self.efc)

    def age(self, days: float) -> None:
        """Let this many days of calendar ageing pass; cycles are counted with the current."""
        self.age_days += days
        used_ah = _AH_PER_CYCLE * self.efc
        slow = self.age_days**0.75
        fade = self._wear * (_FADE_DAYS * slow + _FADE_AH * math.sqrt(used_ah))
        fade += _KNEE_PER_EFC * max(0.0, self.efc - self._knee_efc)
        self.capacity_ah = self._fresh_ah * max(0.3, 1 - fade)
        self.ohm = self._fresh_ohm * (1 + self._wear * (_RISE_DAYS * slow + _RISE_AH * used_ah))

    @property
    def soc(self) -> float:
        """The true state of charge, 0 to 1."""
        return self.charge_ah / self.capacity_ah

    @property
    def capacity_wh(self) -> float:
        """The true capacity at the terminals, at C/3 and 25 degC."""
        return self.capacity_ah * (_MEAN_V - self.capacity_ah / 3 * self.ohm * (1 + _POLARISATION))

    @property
    def soh_pct(self) -> float:
        """The state of health: the share of its own capacity when new."""
        return 100 * self.capacity_ah / self._fresh_ah

    def source(self) -> tuple[float, float]:
        """Return the present voltage without current [V] and the present resistance [ohm]."""
        self._open_v = open_v(self.charge_ah / self.capacity_ah)
        cold = math.exp(_OHM_K * (1 / (273.15 + self.temperature_c) - 1 / 298.15))
        return self._open_v - self._polarisation_v, self.ohm * cold

    def carry(self, current_a: float, voltage_v: float, seconds: float, ambient_c: float) -> None:
        """Carry this current at this voltage for some time; call `source` before. Current 0 lets the pack rest."""
        hours = seconds / 3600
        open_w, power_w = self._open_v * current_a, voltage_v * current_a
        self.charge_ah -= current_a * hours
        self.chemical_wh += open_w * hours
        self.heat_wh += (open_w - power_w) * hours
        if current_a > 0:
            self.out_wh += power_w * hours
            self.efc += current_a * hours / self.capacity_ah
        else:
            self.in_wh -= power_w * hours
        slow = current_a * self.ohm * _POLARISATION
        self._polarisation_v += (slow - self._polarisation_v) * min(1.0, seconds / _POLARISATION_S)
        self.temperature_c += (open_w - power_w) * seconds / _HEAT_JK
        self.temperature_c += (ambient_c - self.temperature_c) * min(1.0, seconds / _COOLING_S)
        self.voltage_v = voltage_v
        self.bms.update(current_a, seconds, self.charge_ah / self.capacity_ah, self.temperature_c)

    def rest(self, seconds: float, ambient_c: float) -> None:
        """Lie on a shelf: only the pack's own electronics use energy."""
        apply_load((self,), 0.0, seconds, ambient_c)


def apply_load(packs: Sequence[Pack], power_w: float, seconds: float, ambient_c: float) -> float:
    """Take this power from packs side by side, and that of their electronics; return the terminal voltage [V].

    Current flows through each pack in one direction only: a pack of higher voltage works alone until all are even.
    """
    power_w += _ELECTRONICS_W * len(packs)
    sources = [pack.source() for pack in packs]
    voltage_v, working = _share_load(sources, power_w)
    for (volts, ohm), pack, works in zip(sources, packs, working, strict=True):
        pack.carry((volts - voltage_v) / ohm if works else 0.0, voltage_v if works else volts, seconds, ambient_c)
    return voltage_v


def _share_load(sources: list[tuple[float, float]], power_w: float) -> tuple[float, list[bool]]:
    """Return the voltage at the terminals [V], and which packs carry current."""
    working = [True] * len(sources)
    if len(sources) == 1:  # the usual case, a million times
        return _voltage(sources, power_w), working
    while True:
        active = [each for each, works in zip(sources, working, strict=True) if works]
        voltage_v = _voltage(active, power_w)
        wrong = [(volts - voltage_v) * power_w < 0 for volts, _ in sources]
        if not any(out and works for out, works in zip(wrong, working, strict=True)):
            return voltage_v, working
        working = [works and not out for out, works in zip(wrong, working, strict=True)]


def _voltage(sources: list[tuple[float, float]], power_w: float) -> float:
    """Return the terminal voltage of sources in parallel that give this power, or as much of it as they can [V]."""
    if len(sources) == 1:
        volts, ohm = sources[0]
    else:
        ohm = 1 / sum(1 / each for _, each in sources)
        volts = ohm * sum(volts / each for volts, each in sources)
    return (volts + math.sqrt(max(0.0, volts * volts - 4 * ohm * power_w))) / 2


def max_power_w(packs: Sequence[Pack]) -> float:
    """Return the highest power that the packs can give, with a margin [W]."""
    return 0.7 * sum(volts * volts / (4 * ohm) for volts, ohm in (pack.source() for pack in packs))
