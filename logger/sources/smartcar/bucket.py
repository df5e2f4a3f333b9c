"""Smartcar: the bucket of requests of an application (smartcar.com/docs, limits): 120, refilled by two in a minute."""

from logger.errors import Busy

_SIZE, _PER_S = 120, 2 / 60


class Bucket:
    """What is left of the bucket by our own count."""

    def __init__(self, now: float) -> None:
        self._left, self._at = float(_SIZE), now

    def take(self, name: str, calls: int, now: float) -> None:
        """Take these calls at this moment (monotonic) [s]. Raises `Busy` until when there are enough."""
        self._left, self._at = min(_SIZE, self._left + (now - self._at) * _PER_S), now
        if self._left < calls:
            raise Busy(f"{name}: the vendor's bucket of {_SIZE} requests is empty", after=(calls - self._left) / _PER_S)
        self._left -= calls
