"""Snapshots for all open pages together: one is read at a time, and only while a page wants one."""

import asyncio
import logging
import time
from collections.abc import Callable

import msgspec

from logger.display.formats import Formats
from logger.errors import LoggerError
from logger.live.page import shown
from logger.live.vehicles import Snapshot

log = logging.getLogger(__name__)


class Reading(msgspec.Struct, frozen=True):
    """A snapshot as both forms in which it is sent, and its number."""

    number: int
    api: bytes
    event: bytes


class Snapshots:
    """The newest reading, at most `every_s` old where the lake can be read, else the one before."""

    def __init__(self, read: Callable[[], Snapshot], formats: Formats, every_s: float) -> None:
        self._read, self._formats, self._every_s = read, formats, every_s
        self._reading: Reading | None = None
        self._read_at = 0.0
        self._turn = asyncio.Lock()

    async def newest(self) -> Reading:
        """Return the newest reading. Raises `LoggerError` where there has never been one."""
        async with self._turn:
            if self._reading is None or time.monotonic() - self._read_at >= self._every_s:
                await self._renew()
            assert self._reading is not None
            return self._reading

    async def _renew(self) -> None:
        number = 1 if self._reading is None else self._reading.number + 1
        try:
            self._reading = await asyncio.to_thread(self._encode, number)
        except LoggerError as error:
            if self._reading is None:
                raise
            log.warning("the live page shows what was before: %s", error)
        self._read_at = time.monotonic()

    def _encode(self, number: int) -> Reading:
        snapshot = self._read()
        return Reading(number, msgspec.json.encode(snapshot), msgspec.json.encode(shown(snapshot, self._formats)))
