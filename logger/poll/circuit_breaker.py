"""A circuit breaker: failures in a row pause an account's calls, and after the pause one call is tried first."""

from random import Random

from logger.errors import Busy, LoggerError, LoginNeeded, Retry

_BREAK_AFTER = 3  # failures in a row that open the circuit
_PAUSE_S, _MAX_PAUSE_S = 2.0, 600.0
_LOGIN_PAUSE_S, _MAX_LOGIN_PAUSE_S = 30.0, 900.0
_SPREAD = 0.2  # of a pause, added at random: accounts that failed together come back one by one


class CircuitBreaker:
    """The breaker of one account: `Busy`, a refused login and three failures in a row pause it."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._paused_until = float("-inf")
        self._failures, self._refusals, self._probing = 0, 0, False

    def record_success(self) -> None:
        """A call was answered: the cloud works."""
        self._failures, self._refusals, self._probing = 0, 0, False

    def record_failure(self, error: LoggerError, now: float) -> None:
        """A call failed. Calls that were under way when a pause began do not make it longer."""
        self._probing = False
        is_new = now >= self._paused_until
        if is_new:
            self._failures += 1
            self._refusals += isinstance(error, LoginNeeded)
        if is_new or isinstance(error, Busy):
            pause = self._next_pause_s(error) * self._random.uniform(1, 1 + _SPREAD)
            self._paused_until = max(self._paused_until, now + pause)

    def connections(self, free: int, now: float) -> int:
        """How many of the free connections may be used now."""
        if now < self._paused_until or self._probing:
            return 0
        return min(free, 1) if self._open else free

    def begun(self, calls: int) -> None:
        """Calls were begun; while the circuit is open, all others wait for the end of that one."""
        self._probing = self._open and calls > 0

    @property
    def ready_at(self) -> float:
        """From when on calls may be made, infinite while one is tried (monotonic) [s]."""
        return float("inf") if self._probing else self._paused_until

    def pause_s(self, now: float) -> float:
        """How long the pause still lasts [s]."""
        return max(0.0, self._paused_until - now)

    @property
    def _open(self) -> bool:
        return self._failures >= _BREAK_AFTER

    def _next_pause_s(self, error: LoggerError) -> float:
        busy_s = error.after if isinstance(error, Busy) else 0.0
        if isinstance(error, LoginNeeded):
            return min(_MAX_LOGIN_PAUSE_S, _LOGIN_PAUSE_S * 2.0 ** max(0, min(9, self._refusals - 1)))
        if not self._open:
            return busy_s
        wait_s = error.after if isinstance(error, Retry) else 0.0
        return max(wait_s, min(_MAX_PAUSE_S, _PAUSE_S * 2.0 ** min(9, self._failures - _BREAK_AFTER)))
