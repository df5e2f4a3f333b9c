"""Which vehicles a run of messages may be from: four bytes a vehicle, so that a frame can be skipped unread.

The marks are coarse: two vehicles may share one. Then a frame is read in vain; none is ever missed.
"""

import functools
import hashlib
from collections.abc import Iterable, Sequence

import msgspec

UNKNOWN_VEHICLE = "none"  # the vehicle of a message that could not be read; a frame that holds one may hold any vehicle
_BYTES = 4


class VehicleMarks(msgspec.Struct, frozen=True):
    """The marks of the vehicles whose messages have the sequences from `first` to `last`."""

    first: int
    last: int
    marks: bytes


@functools.lru_cache(1 << 16)
def vehicle_mark(vehicle: str) -> bytes:
    """Return the mark of this vehicle."""
    return hashlib.blake2b(vehicle.encode(), digest_size=_BYTES).digest()


def vehicle_marks(vehicles: Iterable[str]) -> bytes:
    """Return the marks of all these vehicles, joined."""
    return b"".join(sorted(set(map(vehicle_mark, vehicles))))


def wanted_marks(vehicles: Iterable[str]) -> list[bytes]:
    """Return the marks of which a frame must have one to be read for these vehicles."""
    return [vehicle_mark(vehicle) for vehicle in (UNKNOWN_VEHICLE, *vehicles)]


def marks_within(marks: Sequence[VehicleMarks], first: int, last: int) -> bytes | None:
    """Return the marks of these sequences; None where the vehicle of one of them is not known."""
    overlapping = [each for each in marks if each.first <= last and each.last >= first]
    count = sum(min(each.last, last) - max(each.first, first) + 1 for each in overlapping)
    if count < last - first + 1:
        return None
    return overlapping[0].marks if len(overlapping) == 1 else _union(overlapping)


def _union(marks: Sequence[VehicleMarks]) -> bytes:
    single = {each.marks[at : at + _BYTES] for each in marks for at in range(0, len(each.marks), _BYTES)}
    return b"".join(sorted(single))
