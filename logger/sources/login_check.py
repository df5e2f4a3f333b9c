"""The result of a login at a vendor's cloud that requests nothing else."""

import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Literal

import msgspec

from logger.errors import LoginNeeded, Retry
from logger.sources.http import Answer, raise_for_later

_STEP_S = 1.0  # a `Date` header knows whole seconds
_MATTERS_S = 60.0  # an answer takes less, and no vendor is known that is stricter


class ClockOffset(msgspec.Struct, frozen=True):
    """How far a server's clock is ahead of ours, and how uncertain that is: by the time on the network [s]."""

    ahead_s: float
    uncertainty_s: float

    @property
    def off_s(self) -> float:
        """The least by which the two differ [s]."""
        return max(0.0, abs(self.ahead_s) - self.uncertainty_s)


class LoginCheck(msgspec.Struct, frozen=True):
    """Whether the cloud at `host` accepts the account; where not, what is wrong and what to do."""

    host: str
    meaning: Literal["ok", "refused", "unreachable"]
    trouble: str = ""
    remedy: str = ""
    clock: ClockOffset | None = None


async def check_by(host: str, name: str, request: Callable[[], Awaitable[Answer]], remedy: str) -> LoginCheck:
    """The result of this request of the account `name`, which needs a login; `remedy` is what to do where refused."""
    clock, sent_at = None, time.time()
    try:
        answer = await request()
        clock = clock_offset(answer.date, sent_at, time.time())
        raise_for_later(name, answer)
    except LoginNeeded as error:
        return LoginCheck(host, "refused", str(error).removeprefix(f"{name}: "), remedy, clock)
    except Retry as error:
        trouble = str(error).removeprefix(f"{name}: ")
        return LoginCheck(
            host, "unreachable", trouble, "check base_url, this machine's network, DNS and firewall", clock
        )
    return LoginCheck(host, "ok", clock=clock)


def clock_advice(date: str) -> str:
    """What to add to a refusal of a request that is signed with its time, by the `Date` header of the answer just now.

    Empty where the clocks agree, or nobody knows.
    """
    now = time.time()
    offset = clock_offset(date, now, now)
    if offset is None or offset.off_s < _MATTERS_S:
        return ""
    word = "behind" if offset.ahead_s > 0 else "ahead of"
    return f"; this machine's clock is {offset.off_s:.0f} s {word} the vendor's: set it, requests are signed with it"


def clock_offset(date: str, sent_at: float, answered_at: float) -> ClockOffset | None:
    """The offset by the `Date` header of an answer between these moments of ours [epoch s]; None without a date."""
    try:
        server_time: datetime = parsedate_to_datetime(date)
    except (TypeError, ValueError):
        return None
    middle = (sent_at + answered_at) / 2
    return ClockOffset(server_time.timestamp() + _STEP_S / 2 - middle, (answered_at - sent_at + _STEP_S) / 2)
