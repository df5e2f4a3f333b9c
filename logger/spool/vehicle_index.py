"""Which vehicles a run of messages may speak of: four bytes a vehicle, so that a frame can be passed over unread.

The marks are coarse: two vehicles may share one, which costs a frame read in vain and never a frame missed.
"""

import functools
import hashlib
from collections.abc import Iterable, Sequence

import msgspec

UNKNOWN_VEHICLE = "none"  # the vehicle of a message that nobody could read; a frame that holds one may speak of any
_BYTES = 4


class VehicleMarks(msgspec.Struct, frozen=True):
    """The vehicles, as marks, of the messages with these sequences."""

    first: int
    last: int
    marks: bytes


@functools.lru_cache(1 << 16)
def vehicle_mark(vehicle: str) -> bytes:
    """What stands for this vehicle among the marks."""
    return hashlib.blake2b(vehicle.encode(), digest_size=_BYTES).digest()


def vehicle_marks(vehicles: Iterable[str]) -> bytes:
    """What stands for all these."""
    return b"".join(sorted(set(map(vehicle_mark, vehicles))))


def wanted_marks(vehicles: Iterable[str]) -> list[bytes]:
    """The marks, any of which makes a frame worth reading for these vehicles."""
    return [vehicle_mark(vehicle) for vehicle in (UNKNOWN_VEHICLE, *vehicles)]


def marks_within(notes: Sequence[VehicleMarks], first: int, last: int) -> bytes | None:
    """The marks of these sequences; None where the notes do not speak of each of them."""
    told = [note for note in notes if note.first <= last and note.last >= first]
    count = sum(min(note.last, last) - max(note.first, first) + 1 for note in told)
    if count < last - first + 1:
        return None
    return told[0].marks if len(told) == 1 else _joined(told)


def _joined(notes: Sequence[VehicleMarks]) -> bytes:
    each = {note.marks[at : at + _BYTES] for note in notes for at in range(0, len(note.marks), _BYTES)}
    return b"".join(sorted(each))
