"""Group commit: many waiting requests, one durable append.

While one group is being put on disk by the writer thread, the requests that arrive form the next. A lone request
waits for nobody; under load a group holds as many as came in during one commit.
"""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence

from logger.envelope import Envelope
from logger.errors import Retry

log = logging.getLogger(__name__)


class Commit(asyncio.Future[Retry | None]):
    """What a whole group waits for: None once it is on disk, else why it is not.

    A waiter that is cancelled must not take the group with it, so that the future itself cannot be.
    """

    def cancel(self, msg: object = None) -> bool:
        """Never: see the class."""
        return False


class GroupCommit:
    """Collects envelopes on the event loop and appends them group by group in one thread.

    `append` is the spool's own; `observe` is told the size of each group, its duration [s] and whether it held.
    """

    def __init__(
        self,
        append: Callable[[Sequence[Envelope]], int],
        observe: Callable[[int, float, bool], None] = lambda size, seconds, held: None,
    ) -> None:
        self._append = append
        self._observe = observe
        self._loop = asyncio.get_running_loop()
        self._waiting: list[Envelope] = []
        self._commit = self._under_way = Commit(loop=self._loop)
        self._work: queue.SimpleQueue[tuple[list[Envelope], Commit] | None] = queue.SimpleQueue()
        self._busy = False
        self._thread = threading.Thread(target=self._write, name="spool", daemon=True)
        self._thread.start()

    def put(self, envelope: Envelope) -> Commit:
        """Wait on what this returns: None means on disk, a `Retry` says why not."""
        self._waiting.append(envelope)
        if not self._busy:
            self._busy, self._under_way = True, self._commit
            self._loop.call_soon(self._hand_over)  # at the end of this turn: whoever else came in it goes along
        return self._commit

    async def close(self) -> None:
        """Wait for what is under way, then stop the thread."""
        while self._busy:
            await self._under_way
        self._work.put(None)
        await asyncio.to_thread(self._thread.join)

    def _hand_over(self) -> None:
        self._under_way = self._commit
        self._work.put((self._waiting, self._commit))
        self._waiting, self._commit = [], Commit(loop=self._loop)

    def _write(self) -> None:
        while work := self._work.get():
            group, commit = work
            log.debug("append begins")
            began = time.perf_counter()
            failure = self._appended(group)
            log.debug("append ends")
            self._loop.call_soon_threadsafe(self._finish, commit, failure, len(group), time.perf_counter() - began)

    def _appended(self, group: list[Envelope]) -> Retry | None:
        try:
            self._append(group)
        except Retry as error:
            return error
        except Exception as error:  # whatever it was, nothing of this group may be called safe
            log.exception("the spool failed")
            return Retry(f"the spool failed: {error}")
        return None

    def _finish(self, commit: Commit, failure: Retry | None, size: int, seconds: float) -> None:
        commit.set_result(failure)
        if self._waiting:
            self._hand_over()
        else:
            self._busy = False
        self._observe(size, seconds, failure is None)
