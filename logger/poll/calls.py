"""A call of a cloud that is due, when it will be, and the counts of calls."""

import msgspec


class Call(msgspec.Struct, frozen=True):
    """One call to make, when it was due (monotonic) [s], and the interval it was due by [s]."""

    vehicle: str
    query: str
    due_at: float
    every_s: float


class Turn(msgspec.Struct, frozen=True, gc=False):
    """When a query is due [s]: an interval, stretched as the budget demands, after a moment."""

    due_at: float
    since_at: float
    interval_s: float


class CallCounts(msgspec.Struct):
    """Counts of one query since the start."""

    requests: int = 0
    answered: int = 0
    skipped: int = 0  # a fresh push held the same values
    delayed: int = 0
    failed: int = 0
    unavailable: int = 0  # of the answered: the vehicle could not answer
    unsupported: int = 0  # of the answered: the vendor says that it never will
    unreadable: int = 0  # of the answered: a form that we do not know
