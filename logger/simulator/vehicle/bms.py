"""A pack's battery management system (BMS): its estimate of the charge, which lags and errs, and its cycle count.

It counts coulombs with a slightly wrong sensor against a capacity that it learned long ago, corrects itself slowly
towards a biased reading of the rest voltage, and lowers the percent under load and in the cold. It shows a whole number
that falls at once but rises late: the percent drifts over a trip, and may rise by one after it.
"""

from random import Random

_REST_A, _REST_S, _SETTLE_S = 0.5, 1800.0, 14_400.0  # after so long below this current, it uses the voltage; slowly
_HOLD_PCT = 0.4  # how far the estimate must be above the next whole number before the display rises
_CYCLE = 0.9  # the discharge that counts as a cycle, as a share of the learned capacity
_FULL = 0.995


class Bms:
    """The BMS of one pack. Fractions are 0 to 1; `shown_pct` is a whole number."""

    def __init__(self, chance: Random, soc: float, capacity_ah: float, efc: float) -> None:
        self._gain, self._offset_a = chance.gauss(1, 0.01), chance.gauss(0, 0.003)
        self._learned_ah = capacity_ah * chance.gauss(1.01, 0.02)
        self._bias = min(0.025, max(-0.025, chance.gauss(0, 0.01)))
        self._lag_s, self._sag = chance.uniform(15, 60), chance.uniform(0.0001, 0.0006)  # per ampere
        self._rounds_down = chance.random() < 0.5
        self._estimate = self._displayed = soc
        self._rested_s, self._out_ah = 0.0, chance.random() * capacity_ah * _CYCLE
        self.cycles = int(efc / _CYCLE)
        self.shown_pct = min(100, max(0, int(100 * soc + (0 if self._rounds_down else 0.5))))

    @property
    def fine_pct(self) -> float:
        """The percent before it is rounded."""
        return 100 * self._displayed

    def update(self, current_a: float, seconds: float, soc: float, temperature_c: float) -> None:
        """Process this current (positive out) over some time; the true `soc` acts through the rest voltage only."""
        measured_a = current_a * self._gain + self._offset_a
        self._estimate -= measured_a * seconds / 3600 / self._learned_ah
        if abs(current_a) < _REST_A:
            self._use_rest_voltage(seconds, soc, temperature_c)
        else:
            self._rested_s = 0.0
            self._count_cycles(current_a, seconds)
            if current_a < 0 and soc >= _FULL:
                self._estimate = 1.0
        self._estimate = min(1.0, max(0.0, self._estimate))
        target = self._estimate - self._sag * current_a
        self._displayed += (target - self._displayed) * min(1.0, seconds / self._lag_s)
        self._round()

    def _use_rest_voltage(self, seconds: float, soc: float, temperature_c: float) -> None:
        self._rested_s += seconds
        if self._rested_s > _REST_S:
            measured = soc + self._bias - 0.0005 * max(0.0, 15 - temperature_c)
            self._estimate += (measured - self._estimate) * min(1.0, seconds / _SETTLE_S)

    def _count_cycles(self, current_a: float, seconds: float) -> None:
        if current_a > 0:
            self._out_ah += current_a * seconds / 3600
            if self._out_ah > _CYCLE * self._learned_ah:
                self._out_ah = 0.0
                self.cycles += 1

    def _round(self) -> None:
        fine = 100 * self._displayed + (0.0 if self._rounds_down else 0.5)
        if fine < self.shown_pct:
            self.shown_pct = max(0, int(fine))
        elif fine > self.shown_pct + 1 + _HOLD_PCT:
            self.shown_pct = min(100, int(fine - _HOLD_PCT))
        elif self._displayed > 0.998:
            self.shown_pct = 100
