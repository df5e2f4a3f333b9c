"""Patience with a cloud in trouble: failures in a row open a circuit, and one call goes ahead when it has rested."""

import random

from logger.errors import Busy, LoggerError, LoginNeeded, Retry

_BREAK_AFTER = 3  # failures in a row that open the circuit
_PAUSE_S, _MAX_PAUSE_S = 2.0, 600.0
_LOGIN_PAUSE_S, _MAX_LOGIN_PAUSE_S = 30.0, 900.0
_SHAKE = 0.2  # of a pause, on top of it: accounts that failed together come back one by one


class CircuitBreaker:
    """One account's. A failure of one question is that question's own; `Busy`, a login, or three in a row are all's."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._paused_until = float("-inf")
        self._failures, self._refusals, self._probing = 0, 0, False

    def answered(self) -> None:
        """The cloud works."""
        self._failures, self._refusals, self._probing = 0, 0, False

    def failed(self, error: LoggerError, now: float) -> None:
        """A call failed. What was under way when a rest began tells nothing new, and makes the rest no longer."""
        self._probing = False
        news = now >= self._paused_until
        if news:
            self._failures += 1
            self._refusals += isinstance(error, LoginNeeded)
        if news or isinstance(error, Busy):
            pause = self._pause_s(error) * self._chance.uniform(1, 1 + _SHAKE)
            self._paused_until = max(self._paused_until, now + pause)

    def places(self, free: int, now: float) -> int:
        """How many of so many free places may be used now."""
        if now < self._paused_until or self._probing:
            return 0
        return min(free, 1) if self._open else free

    def took(self, calls: int) -> None:
        """So many calls go ahead; while the circuit is open, the others wait for the one."""
        self._probing = self._open and calls > 0

    @property
    def ready_at(self) -> float:
        """From when on calls may be made, infinite while one goes ahead (monotonic) [s]."""
        return float("inf") if self._probing else self._paused_until

    def rests_s(self, now: float) -> float:
        """For how long the account still rests [s]."""
        return max(0.0, self._paused_until - now)

    @property
    def _open(self) -> bool:
        return self._failures >= _BREAK_AFTER

    def _pause_s(self, error: LoggerError) -> float:
        asked = error.after if isinstance(error, Busy) else 0.0
        if isinstance(error, LoginNeeded):
            return min(_MAX_LOGIN_PAUSE_S, _LOGIN_PAUSE_S * 2.0 ** max(0, min(9, self._refusals - 1)))
        if not self._open:
            return asked
        told = error.after if isinstance(error, Retry) else 0.0
        return max(told, min(_MAX_PAUSE_S, _PAUSE_S * 2.0 ** min(9, self._failures - _BREAK_AFTER)))
