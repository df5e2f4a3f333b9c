"""Smartcar: what to do about each error (smartcar.com/docs, errors): by its type, since statuses are shared."""

from collections.abc import Mapping
from typing import Any

import msgspec

from logger.errors import Busy, LoginNeeded, Retry
from logger.sources.contract import PollOutcome
from logger.sources.http import Answer, raise_for_later

_OUTCOMES: Mapping[str, PollOutcome] = {
    "PERMISSION": "unsupported",
    "RESOURCE_NOT_FOUND": "unsupported",
    "COMPATIBILITY": "unsupported",
    "BILLING": "unsupported",  # of one vehicle: its calls of the month are used up
    "VEHICLE_STATE": "unavailable",
    "CONNECTED_SERVICES_ACCOUNT": "unavailable",  # the owner's account at the maker, which others do not share
    "UPSTREAM": "unavailable",  # the maker's cloud
}
_BY_STATUS: Mapping[int, str] = {403: "PERMISSION", 404: "RESOURCE_NOT_FOUND", 409: "VEHICLE_STATE", 430: "BILLING"}
_PLAN = ("VEHICLE_LIMIT", "INVALID_PLAN", "ACCOUNT_SUSPENDED")  # of the whole account
_AFTER_S = 60.0


def outcome_of(name: str, answer: Answer) -> PollOutcome:
    """The outcome of an answer to the account `name`.

    Raises `Busy` where all requests must wait, `Retry` where this one must, `LoginNeeded` where a person has to act.
    """
    kind, code = _read(answer)
    if answer.status == 200:
        return "ok"
    if kind == "RATE_LIMIT" and code == "VEHICLE":
        after_s = _AFTER_S if answer.retry_after_s is None else answer.retry_after_s
        raise Retry(f"{name}: this vehicle was requested too often", after=after_s)
    if kind == "RATE_LIMIT":
        after_s = _AFTER_S if answer.retry_after_s is None else answer.retry_after_s
        raise Busy(f"{name}: too many requests in all", after=after_s)
    if kind == "BILLING" and code in _PLAN:
        raise LoginNeeded(f"{name}: the plan at Smartcar does not allow this ({code}): see the vendor's dashboard")
    if kind in _OUTCOMES:
        return _OUTCOMES[kind]
    raise_for_later(name, answer)
    raise Retry(f"{name}: the cloud answers HTTP {answer.status} ({kind})", after=_AFTER_S)


def outcome_of_items(codes: list[Any]) -> PollOutcome:
    """The outcome of a batch with these codes: one path that was read is enough."""
    if 200 in codes:
        return "ok"
    return "unsupported" if codes and all(code in (403, 404, 430, 501) for code in codes) else "unavailable"


def _read(answer: Answer) -> tuple[str, str]:
    """Type and code of an error; by the status where the body has none."""
    try:
        found = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = None
    document: dict[str, Any] = found if isinstance(found, dict) else {}
    kind, code = document.get("type"), document.get("code")
    fallback = _BY_STATUS.get(answer.status, "COMPATIBILITY" if answer.status == 501 else "")
    return kind if isinstance(kind, str) else fallback, code if isinstance(code, str) else ""
