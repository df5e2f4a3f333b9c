"""Smart: what each code of an answer means; HTTP says 200 to nearly all of them."""

from collections.abc import Mapping

import msgspec

from logger.errors import Busy, LoginNeeded, Retry
from logger.sources.contract import PollOutcome
from logger.sources.http import Answer, raise_for_later
from logger.sources.login_check import clock_advice

OK, EXPIRED, SIGNATURE, WAIT, UNSELECTED = "1000", "1402", "1445", "7065", "8006"
OUTCOMES: Mapping[str, PollOutcome] = {
    OK: "ok",
    "1400": "unsupported",  # a parameter is missing
    "1405": "unsupported",  # the car does not have this, or another host has it
    UNSELECTED: "unavailable",  # even after it was selected
    "8040": "unavailable",  # the car is not bound to the account, which passes
    "8153": "unavailable",  # no such value now
}
_WAIT_S = 600.0
_LEAST_S, _MOST_S, _FACTOR, _STEP_S = 120.0, 5400.0, 1.5, 60.0


class _Head(msgspec.Struct):
    """What of an answer is read before it is stored."""

    code: int | str


class Backoff:
    """How long to leave the vendor alone who does not say so: longer by each refusal, shorter by each answer."""

    def __init__(self) -> None:
        self._delay_s = _LEAST_S

    def refused(self) -> float:
        """How long to wait now [s]."""
        delay_s, self._delay_s = self._delay_s, min(_MOST_S, _FACTOR * self._delay_s)
        return delay_s

    def shorten(self) -> None:
        """Wait less from now on: the vendor answers again."""
        self._delay_s = max(_LEAST_S, self._delay_s - _STEP_S)


def code_of(answer: Answer) -> str:
    """The code of an answer as text, whether the vendor wrote it so or as a number; empty where there is none."""
    try:
        return str(msgspec.json.decode(answer.body, type=_Head).code)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""


def is_expired(answer: Answer) -> bool:
    """Whether the session of this request has ended."""
    return answer.status == 401 or code_of(answer) == EXPIRED


def outcome_of(name: str, answer: Answer, backoff: Backoff) -> PollOutcome:
    """The outcome of an answer to the account `name`.

    Raises `Busy` where all requests must wait, `Retry` where this one must, `LoginNeeded` where a person has to act.
    """
    raise_for_refusal(name, answer, backoff)
    code = code_of(answer)
    if code == WAIT:
        raise Retry(f"{name}: the vendor wants some time (code {WAIT})", after=_WAIT_S)
    return OUTCOMES.get(code, "unreadable")


def raise_for_refusal(name: str, answer: Answer, backoff: Backoff) -> None:
    """Raise where this answer is none to any request of the account."""
    if is_expired(answer):
        raise LoginNeeded(f"{name}: the session has ended: put that of a new login of the app into token_file")
    if answer.status in (403, 429):
        after_s = backoff.refused() if answer.retry_after_s is None else answer.retry_after_s
        raise Busy(f"{name}: too many requests (HTTP {answer.status})", after=after_s)
    raise_for_later(name, answer)
    backoff.shorten()
    if code_of(answer) == SIGNATURE:
        keys = "check app_secret, app_id and operator_code"
        raise LoginNeeded(f"{name}: the vendor finds the signature wrong: {keys}{clock_advice(answer.date)}")
