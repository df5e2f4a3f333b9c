"""Segway: the interval at which a vehicle reports: the one setting that anything here ever writes to a vehicle."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import msgspec

from logger.errors import LoginNeeded
from logger.settings.schema import Segway
from logger.sources.contract import IntervalWriter, UploadInterval
from logger.sources.grant import Grant
from logger.sources.http import exchange, raise_for_later
from logger.sources.segway.login import Login
from logger.sources.segway.messages import CODES, LOGIN

PATH = "/api/v2/vehicle/setting/interval"
_UNSUPPORTED = 15707
_WORDS: Mapping[int, str] = {_UNSUPPORTED: "not supported by this vehicle"}
# Ours → the vendor's group and name.
_NAMES: Mapping[str, tuple[str, str]] = {
    "location_unlocked_s": ("locationInterval", "unlockStatus"),
    "location_locked_s": ("locationInterval", "lockStatus"),
    "status_riding_s": ("statusInterval", "ridingStatus"),
    "status_idle_s": ("statusInterval", "nonRiding"),
    "status_locked_s": ("statusInterval", "lockStatus"),
}


class _Answer(msgspec.Struct):
    code: int
    msg: str = ""


class SegwayInterval(IntervalWriter):
    """Writes it for the vehicles of one account."""

    def __init__(self, account: Segway) -> None:
        self._account, self._name = account, account.name
        self._grant: Grant | None = None
        self._login = asyncio.Lock()

    async def write(self, http: httpx.AsyncClient, vehicle: str, interval: UploadInterval) -> str:
        """Send the values that are named, once: a repeat of what may have arrived is a matter for a person."""
        login = Login(self._account)
        async with self._login:
            self._grant = self._grant or await login.grant(http)
        headers = {"Authorization": f"bearer {self._grant.access_token}"}
        body = {"iotCode": vehicle, **_groups(interval)}
        answer = await exchange(http, self._name, "POST", login.base_url + PATH, headers=headers, json=body)
        if answer.status == 401:
            raise LoginNeeded(f"{self._name}: the cloud refuses a fresh token: is the account still active?")
        raise_for_later(self._name, answer)
        return _refusal(answer.body)


def _groups(interval: UploadInterval) -> dict[str, Any]:
    groups: dict[str, Any] = {}
    for ours, (group, theirs) in _NAMES.items():
        seconds = getattr(interval, ours)
        if seconds is not None:
            groups.setdefault(group, {})[theirs] = seconds
    return groups


def _refusal(body: bytes) -> str:
    """Why the vehicle did not take it; empty where it did."""
    try:
        found = msgspec.json.decode(body, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "an answer that cannot be read: whether it was written is not known"
    if found.code == 0:
        return ""
    known = _WORDS.get(found.code) or ("the token was refused" if CODES.get(found.code) == LOGIN else found.msg[:80])
    return f"{known} (code {found.code})"
